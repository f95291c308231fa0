//! Brings back forgotten work: if the broker lost everything, PostgreSQL still knows.

use std::{sync::Arc, time::Duration};

use crate::{
    breaker::Breaker,
    metrics::Metrics,
    outbound::Outbound,
    pause::pause,
    store::{Store, StoreError},
};
use tokio_util::sync::CancellationToken;

/// Tells jobs again whose time has long come and whose message never did.
pub(crate) struct Sweeper {
    pub store: Store,
    pub breaker: Arc<Breaker>,
    pub outbound: Outbound,
    pub metrics: Metrics,
    pub worker: &'static str,
    pub every: Duration,
    pub grace: Duration,
    pub keep: Duration,
    pub shutdown: CancellationToken,
}

impl Sweeper {
    /// Sweeps until the process is to stop.
    pub(crate) async fn run(self) {
        while pause(self.every, &self.shutdown).await {
            if let Err(error) = self.sweep().await {
                tracing::warn!(%error, "not swept this time");
            }
            if let Err(error) = self.store.forget(self.keep).await {
                tracing::warn!(%error, "old data are not forgotten this time");
            }
        }
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        loop {
            let (outbox, overdue) = self.store.ages().await?;
            self.metrics.outbox_oldest.set(outbox);
            self.metrics.overdue_oldest.set(overdue);
            // While nothing is taken, the messages wait in the queue and must not grow in number.
            if self.breaker.closed_for().is_some() {
                return Ok(());
            }
            let jobs = self.store.sweep(self.grace).await?;
            if jobs.is_empty() {
                return Ok(());
            }
            tracing::warn!(jobs = jobs.len(), "telling forgotten jobs again");
            for job in jobs {
                tokio::select! {
                    told = self.outbound.retell(job) => match told {
                        Ok(()) => self.metrics.swept.with_label_values(&[self.worker]).inc(),
                        // Swept again after the grace time.
                        Err(error) => tracing::warn!(%error, "a forgotten job is not told yet"),
                    },
                    () = self.shutdown.cancelled() => return Ok(()),
                }
            }
        }
    }
}
