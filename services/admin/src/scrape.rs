//! Looks at the services' `/metrics`, and keeps what lasts and people must know of.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use reqwest::Method;
use runtime::{Kit, Metrics, StartError, http::Client};
use time::OffsetDateTime;

use crate::{
    config::Config,
    store::Store,
    watch::{Limits, Seen, read},
};

/// Looks at services.
#[derive(Debug)]
pub(crate) struct Scraper {
    client: Client,
    /// Each service's replicas.
    addresses: BTreeMap<String, Vec<String>>,
    every: Duration,
    calm: Duration,
    limits: Limits,
    seen: RwLock<BTreeMap<String, Seen>>,
}

impl Scraper {
    /// For services given as `name=address`, one of several replicas each.
    pub(crate) fn open(config: &Config, metrics: &Metrics) -> Result<Self, StartError> {
        let mut addresses: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for service in &config.admin_services {
            let named = service.split_once('=').filter(|(_, address)| address.contains("://"));
            let (name, address) = named.ok_or_else(|| {
                StartError(format!("ADMIN_SERVICES: {service:?} is not name=http://host:port"))
            })?;
            let address = format!("{}/metrics", address.trim().trim_end_matches('/'));
            addresses.entry(name.trim().to_owned()).or_default().push(address);
        }
        Ok(Self {
            client: Client::new("services", Duration::from_secs(3), metrics)?,
            addresses,
            every: config.admin_services_every,
            calm: config.admin_calm,
            limits: Limits {
                silent: config.admin_notify_silent,
                certificate: config.admin_notify_certificate,
            },
            seen: RwLock::default(),
        })
    }

    /// Whether this service waits for its register; `None` when it does not say.
    pub(crate) fn away(&self, service: &str) -> Option<bool> {
        self.with(|seen| seen.get(service)?.away)
    }

    /// What services count: service, metric, label and number.
    pub(crate) fn counts(&self) -> Vec<(String, &'static str, String, u64)> {
        self.with(|seen| {
            let all = seen.iter().flat_map(|(service, seen)| {
                let of = move |((name, label), count): (&(&'static str, String), &u64)| {
                    (service.clone(), *name, label.clone(), *count)
                };
                seen.counts.iter().map(of)
            });
            all.collect()
        })
    }

    fn with<T>(&self, look: impl FnOnce(&BTreeMap<String, Seen>) -> T) -> T {
        look(&self.seen.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks until the process is to stop.
    pub(crate) async fn run(&self, kit: &Kit, store: &Store) {
        if self.addresses.is_empty() {
            return;
        }
        loop {
            for (service, replicas) in &self.addresses {
                let found = self.look(replicas).await;
                if let Some(found) = &found
                    && let Err(error) = store.sight(service, found, self.calm).await
                {
                    tracing::warn!(service, %error, "what a service's metrics say is not kept");
                }
                let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
                match found {
                    Some(found) => drop(seen.insert(service.clone(), found)),
                    None => drop(seen.remove(service)),
                }
            }
            if !kit.pause(self.every).await {
                return;
            }
        }
    }

    /// What a service says; `None` unless every replica answers: of one that is silent nobody
    /// knows whether its register is away.
    async fn look(&self, replicas: &[String]) -> Option<Seen> {
        let mut answers = Vec::with_capacity(replicas.len());
        for address in replicas {
            let request = self.client.request(Method::GET, address);
            let answer = self.client.send("metrics", request).await.ok()?;
            if !answer.status.is_success() {
                return None;
            }
            answers.push(String::from_utf8_lossy(&answer.body).into_owned());
        }
        Some(read(&answers, self.limits, OffsetDateTime::now_utc()))
    }
}
