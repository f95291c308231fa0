//! The public names on the broker.

/// Names of queues and exchanges, under one prefix (`parom` unless the settings say otherwise).
#[derive(Debug, Clone)]
pub struct Names {
    prefix: String,
}

impl Names {
    /// Names that begin with `prefix`.
    #[must_use]
    pub fn new(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into() }
    }

    /// The queue of a worker.
    #[must_use]
    pub fn queue(&self, worker: &str) -> String {
        self.name(worker)
    }

    /// The queue of a worker's dead letters.
    #[must_use]
    pub fn dead_queue(&self, worker: &str) -> String {
        self.name(&format!("{worker}.dead"))
    }

    /// Where dead letters go, with the worker's name as routing key.
    #[must_use]
    pub fn dead(&self) -> String {
        self.name("dead")
    }

    /// The exchange and the queue of messages that no queue was bound for.
    #[must_use]
    pub fn unrouted(&self) -> String {
        self.name("unrouted")
    }

    /// The exchange of order events.
    #[must_use]
    pub fn orders(&self) -> String {
        self.name("orders")
    }

    /// The exchange of status events.
    #[must_use]
    pub fn status(&self) -> String {
        // The queue of the worker of this name is another kind of thing and may share it.
        self.name("status")
    }

    /// Where delayed messages leave the ladder; the last word of the key is the worker.
    #[must_use]
    pub fn deliver(&self) -> String {
        self.name("deliver")
    }

    /// One level of the delay ladder: exchange and queue.
    #[must_use]
    pub fn delay(&self, level: u32) -> String {
        self.name(&format!("delay.{level:02}"))
    }

    /// The exchange that a topic belongs to, by its first word; `None` for topics that go
    /// straight to a queue.
    #[must_use]
    pub fn exchange(&self, topic: &str) -> Option<String> {
        match topic.split('.').next() {
            Some("order") => Some(self.orders()),
            Some("status") => Some(self.status()),
            _ => None,
        }
    }

    fn name(&self, rest: &str) -> String {
        format!("{}.{rest}", self.prefix)
    }
}
