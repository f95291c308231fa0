//! Which service a worker belongs to.

/// The name under which a worker's service speaks in status events. Each worker is a service of
/// its own, but for the reader, which is a part of ingress.
pub(crate) fn service_of(worker: &str) -> &str {
    match worker {
        "webhooks" => "ingress",
        worker => worker,
    }
}

impl crate::Admin {
    /// How many messages wait for a worker, or for all workers of a service.
    pub(crate) fn waiting(&self, name: &str) -> i64 {
        let worker = if name == "ingress" { "webhooks" } else { name };
        self.kit.desk().waiting(worker)
    }
}
