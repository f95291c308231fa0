//! The deadline watch: receipts that ought to be issued by now and are not.

use std::time::Duration;

use prometheus::IntGauge;
use runtime::{Metrics, StartError};

use crate::Fiscal;

/// What the watch shows.
#[derive(Debug)]
pub(crate) struct Watch {
    overdue: IntGauge,
    oldest: IntGauge,
}

/// Receipts that are overdue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overdue {
    /// How many.
    pub receipts: i64,
    /// How long ago the oldest of their settlements took place.
    pub oldest: Duration,
}

impl Watch {
    pub(crate) fn new(metrics: &Metrics) -> Result<Self, StartError> {
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help).map_err(StartError::new)?;
            metrics.registry.register(Box::new(gauge.clone())).map_err(StartError::new)?;
            Ok::<_, StartError>(gauge)
        };
        Ok(Self {
            overdue: gauge(
                "receipts_overdue",
                "Receipts not issued within FISCAL_OVERDUE_AFTER of their settlement",
            )?,
            oldest: gauge("receipts_overdue_oldest_seconds", "Age of the oldest of them")?,
        })
    }
}

impl Fiscal {
    /// Counts the receipts that are overdue, shows them as metrics, and logs when there are more
    /// than before: a person must act, for the law gives minutes.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn watch(&self) -> Result<Overdue, sqlx::Error> {
        let now = self.now();
        let found =
            self.outside.ledgers.open_before(now - self.config.fiscal_overdue_after).await?;
        let (receipts, oldest) = found.map_or((0, Duration::ZERO), |(receipts, oldest)| {
            (receipts, Duration::try_from(now - oldest).unwrap_or_default())
        });
        let seconds = i64::try_from(oldest.as_secs()).unwrap_or(i64::MAX);
        if receipts > self.watch.overdue.get() {
            tracing::error!(receipts, oldest_s = seconds, "receipts are overdue");
        }
        self.watch.overdue.set(receipts);
        self.watch.oldest.set(seconds);
        Ok(Overdue { receipts, oldest })
    }
}
