//! Which service a worker belongs to. Each worker is a service of its own, but for the reader,
//! which is a part of ingress.

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
    /// How many messages wait for a worker, or for all workers of a service.
    pub(crate) fn waiting(&self, name: &str) -> i64 {
        self.kit.desk().waiting(worker_of(name))
    }
}
