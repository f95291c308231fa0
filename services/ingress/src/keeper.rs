//! Makes webhooks durable before they are answered: in the broker, or in PostgreSQL while the
//! broker is away, and from there to the broker when it is back.

use std::time::Duration;

use events::Event;
use futures_util::future::join_all;
use runtime::{Kit, PublishError};

use crate::{
    gauges::Gauges,
    store::{Spooled, Store},
};

/// How long PostgreSQL may take: the caller waits, and has waited for the broker before.
const SPOOL: Duration = Duration::from_secs(2);
/// How many webhooks are forwarded at once.
const BATCH: i64 = 200;

/// Where a webhook is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// With the broker, confirmed.
    Told,
    /// In the spool, committed.
    Spooled,
    /// Nowhere: the caller must come again.
    Nowhere,
}

/// What came of a look into the spool.
struct Forwarded {
    /// Webhooks that the broker has now.
    count: usize,
    /// Whether none of those looked at stayed behind.
    all: bool,
}

/// Keeps webhooks. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Keeper {
    kit: Kit,
    store: Store,
    gauges: Gauges,
}

impl Keeper {
    pub(crate) fn new(kit: Kit, store: Store, gauges: Gauges) -> Self {
        Self { kit, store, gauges }
    }

    /// Makes a webhook durable.
    pub(crate) async fn keep(&self, event: &Event) -> Kept {
        let refusal = match self.kit.tell(event).await {
            Ok(()) => return Kept::Told,
            Err(error) => error,
        };
        tracing::debug!(%refusal, "a webhook goes to the spool");
        let Ok(text) = event.to_json() else { return Kept::Nowhere };
        match tokio::time::timeout(
            SPOOL,
            self.store.spool(&text, runtime::traceparent().as_deref()),
        )
        .await
        {
            Ok(Ok(())) => Kept::Spooled,
            Ok(Err(error)) => {
                tracing::error!(%error, broker = %refusal, "neither broker nor PostgreSQL takes webhooks");
                Kept::Nowhere
            }
            Err(_) => {
                tracing::error!(broker = %refusal, "neither broker nor PostgreSQL takes webhooks");
                Kept::Nowhere
            }
        }
    }

    /// Forwards the spool, looking into it every so often, until the process is to stop.
    pub(crate) async fn forward(&self, every: Duration) {
        while self.kit.pause(every).await {
            while self.forward_some().await {}
            match self.store.spool_depth().await {
                Ok((count, oldest)) => {
                    self.gauges.spooled.set(count);
                    self.gauges.spool_oldest.set(oldest);
                }
                Err(error) => tracing::debug!(%error, "the spool cannot be measured"),
            }
        }
    }

    /// Forwards the oldest webhooks in their order; true when there may be more to forward now.
    async fn forward_some(&self) -> bool {
        match self.try_forward().await {
            Ok(Forwarded { count: 0, .. }) => false,
            Ok(Forwarded { count, all }) => {
                tracing::info!(count, "webhooks of the spool are with the broker");
                all
            }
            Err(error) => {
                // What was told is told once more; its id makes that harmless.
                tracing::warn!(%error, "the spool cannot be read or cleared");
                false
            }
        }
    }

    async fn try_forward(&self) -> sqlx::Result<Forwarded> {
        let batch = self.store.spooled(BATCH).await?;
        let told = batch.webhooks.iter().map(|webhook| self.forward_one(webhook));
        let told = join_all(told).await;
        let all = told.iter().all(Option::is_some);
        let confirmed: Vec<i64> = told.into_iter().flatten().collect();
        batch.end(&confirmed).await?;
        Ok(Forwarded { count: confirmed.len(), all })
    }

    /// The row's number once the broker has confirmed it.
    async fn forward_one(&self, webhook: &Spooled) -> Option<i64> {
        let id = webhook.id;
        let event = match Event::from_json(webhook.event.as_bytes()) {
            Ok(event) => event,
            Err(error) => {
                tracing::error!(spool.id = id, %error, "a webhook in the spool cannot be read");
                return None;
            }
        };
        match self.kit.tell_as_part_of(webhook.trace.as_deref(), &event).await {
            Ok(()) => Some(id),
            Err(PublishError::Away) => None,
            Err(error) => {
                tracing::warn!(spool.id = id, %error, "a webhook in the spool is not taken");
                None
            }
        }
    }
}
