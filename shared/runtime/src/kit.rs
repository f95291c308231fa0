//! What the runtime lends to a worker.

use std::time::Duration;

use events::Event;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::{
    bus::{Message, PublishError},
    desk::Desk,
    metrics::Metrics,
    outbound::Outbound,
    pause::pause,
    store::{Store, StoreError},
    telemetry,
};

/// How long [`Kit::tell`] waits for the broker: its caller has a caller who waits.
const TELL: Duration = Duration::from_secs(2);

/// What the runtime lends to a worker. Cheap to clone.
#[derive(Clone)]
pub struct Kit {
    pub(crate) pool: PgPool,
    pub(crate) metrics: Metrics,
    pub(crate) outbound: Outbound,
    pub(crate) store: Store,
    pub(crate) shutdown: CancellationToken,
    pub(crate) desk: Desk,
    pub(crate) longest_step: Duration,
}

impl Kit {
    /// PostgreSQL, with the service's schema as search path. It may be away just now.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The metrics and their registry.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Cancelled when the process is to stop.
    #[must_use]
    pub fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }

    /// How long a step may take: what takes longer is ended, and nobody knows what it did.
    #[must_use]
    pub fn longest_step(&self) -> Duration {
        self.longest_step
    }

    /// What the people on duty may do on the bus: see [`Desk`].
    #[must_use]
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Pauses; `false` when the process is to stop before that.
    pub async fn pause(&self, duration: Duration) -> bool {
        pause(duration, &self.shutdown).await
    }

    /// Tells an event from outside of a step: it is with the broker, durably, when this returns.
    ///
    /// # Errors
    /// [`PublishError`], at once when there is no connection and within two seconds otherwise.
    /// The event may arrive all the same; its id makes that harmless.
    pub async fn tell(&self, event: &Event) -> Result<(), PublishError> {
        self.tell_as_part_of(telemetry::traceparent().as_deref(), event).await
    }

    /// The same, for what belongs to an earlier trace (see [`traceparent`](crate::traceparent)).
    ///
    /// # Errors
    /// As [`Kit::tell`].
    pub async fn tell_as_part_of(
        &self,
        trace: Option<&str>,
        event: &Event,
    ) -> Result<(), PublishError> {
        let outbound = &self.outbound;
        let Ok(body) = event.to_json() else { return Err(PublishError::Refused) };
        let message =
            Message::event(&outbound.names, &event.topic(), outbound.direct, event.id(), body)
                .trace(trace);
        outbound.publisher.publish_now(message, TELL).await
    }

    /// Has the open job with this alias looked at now (see [`Step::known_as`]). `false` when
    /// there is none: it is finished, or not yet that far.
    ///
    /// [`Step::known_as`]: crate::Step::known_as
    ///
    /// # Errors
    /// [`StoreError`] when PostgreSQL is away. When the broker is, the sweeper brings the job.
    pub async fn nudge(&self, alias: &str) -> Result<bool, StoreError> {
        let Some(job) = self.store.nudge(alias).await? else { return Ok(false) };
        if let Err(error) = self.outbound.retell_now(job, TELL).await {
            tracing::warn!(%error, "a nudged job waits for the sweeper");
        }
        Ok(true)
    }
}
