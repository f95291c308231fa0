//! What the shop has mended goes on by itself: a job that died for what its order said, or was
//! refused, is taken up again with the order as it says now.
//!
//! Who dies and who changes the order may pass each other. So each side writes its own row first
//! and then looks for the other's, and whoever comes last finds both. Finding it twice is harmless:
//! a replay names the one death that it undoes.

use events::{Event, Fact, Order, OrderRef};
use tokio_util::sync::CancellationToken;

use crate::{
    engine::Engine,
    outbound::Abandoned,
    store::Stuck,
    worker::{Class, Worker},
};

/// The event that says what an order says now.
pub(crate) const CHANGED: &str = "order.changed";

/// How jobs and changes name an order. A portal and a site number theirs each for themselves.
pub(crate) fn subject(order: &OrderRef) -> String {
    let site = if order.site { " site" } else { "" };
    format!("{} {}{site}", order.shop, order.id)
}

/// Whether another look with another order may end otherwise, without anything done twice.
pub(crate) fn is_mendable(class: Class) -> bool {
    match class {
        Class::Invalid | Class::Refused => true,
        Class::Unavailable | Class::Unknown | Class::Internal => false,
    }
}

/// Whether a worker that binds these keys hears of orders at all.
pub(crate) fn follows_orders(topics: &[&str]) -> bool {
    topics.iter().any(|topic| topic.starts_with("order."))
}

/// Whether the change itself is a job for this worker.
pub(crate) fn wants_changes(topics: &[&str]) -> bool {
    topics.iter().any(|topic| [CHANGED, "order.#", "order.*"].contains(topic))
}

impl<W: Worker> Engine<W> {
    /// Remembers the order as it says now, and wakes what died of how it was.
    pub(crate) async fn changed(
        &self,
        event: &Event,
        session: &CancellationToken,
    ) -> Result<(), Abandoned> {
        let Fact::OrderChanged(fact) = &event.fact else { return Ok(()) };
        let subject = subject(&fact.order.key);
        let Ok(snapshot) = serde_json::to_string(&fact.order) else { return Ok(()) };
        let remember = || self.store.remember(&subject, fact.occurrence, &snapshot);
        self.until_answered(session, remember).await?;
        self.renew(&subject, session).await
    }

    /// Wakes the dead jobs of an order that has changed since they were told.
    pub(crate) async fn renew(
        &self,
        subject: &str,
        session: &CancellationToken,
    ) -> Result<(), Abandoned> {
        let stuck = self.until_answered(session, || self.store.stuck(subject)).await?;
        for job in stuck {
            let Some(text) = renewed(&job) else { continue };
            tracing::info!(event = %job.id, "a dead job goes on with the order as it says now");
            self.metrics.renewed.with_label_values(&[W::NAME]).inc();
            self.outbound.revive(&job, text, session).await?;
        }
        Ok(())
    }
}

/// The job's event with the changed order; `None` where it says no more than the job knew.
fn renewed(job: &Stuck) -> Option<String> {
    let read = || {
        let event = Event::from_json(job.event.as_bytes()).ok()?;
        Some((event, serde_json::from_str::<Order>(&job.snapshot).ok()?))
    };
    let Some((event, order)) = read() else {
        tracing::error!(event = %job.id, "a dead job cannot be read; replay its letter by hand");
        return None;
    };
    event.renewed(&order)?.to_json().ok()
}
