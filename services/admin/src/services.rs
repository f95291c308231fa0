//! Which service a worker belongs to. Each worker is a service of its own, but for the reader,
//! which is a part of ingress.

use std::sync::Arc;

use crate::{
    store::{Picture, ServiceRow},
    web::Problem,
};

/// The name under which a worker's service speaks in status events.
pub(crate) fn service_of(worker: &str) -> &str {
    match worker {
        "webhooks" => "ingress",
        worker => worker,
    }
}

/// The worker whose letters a service's are.
pub(crate) fn worker_of(service: &str) -> &str {
    match service {
        "ingress" => "webhooks",
        service => service,
    }
}

impl crate::Admin {
    /// How the services stand, with those that work without a word of their own; a moment old where somebody else
    /// has just looked.
    pub(crate) async fn picture(&self) -> Result<Arc<Picture>, Problem> {
        let fetch = async {
            let mut picture = self.store.picture().await?;
            add_silent(&mut picture.services, &self.kit.desk().workers().await?);
            Ok::<_, sqlx::Error>(picture)
        };
        self.picture.get(fetch).await.ok_or(Problem::Away)
    }

    /// How many messages wait for a worker, or for all workers of a service.
    pub(crate) fn waiting(&self, name: &str) -> i64 {
        self.kit.desk().waiting(worker_of(name))
    }
}

/// Services that work without a word of their own, such as the reader of webhooks.
fn add_silent(services: &mut Vec<ServiceRow>, workers: &[String]) {
    for service in workers.iter().map(|worker| service_of(worker)) {
        if !services.iter().any(|known| known.service == service) {
            services.push(ServiceRow { service: service.to_owned(), ..ServiceRow::default() });
        }
    }
    services.sort_by(|a, b| a.service.cmp(&b.service));
}
