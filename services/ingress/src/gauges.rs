//! The service's own metrics.

use prometheus::{Gauge, GaugeVec, IntCounterVec, IntGauge, Opts};
use runtime::{Registry, StartError};

/// The service's own metrics. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Gauges {
    calls: IntCounterVec,
    reads: IntCounterVec,
    /// Webhooks in the spool.
    pub(crate) spooled: IntGauge,
    /// Age of the oldest of them.
    pub(crate) spool_oldest: Gauge,
    reconciled: IntCounterVec,
    reconcile_at: GaugeVec,
}

impl Gauges {
    /// Registers them.
    ///
    /// # Errors
    /// [`StartError`] when a name is taken: a mistake of ours that no setting mends.
    pub(crate) fn new(registry: &Registry) -> Result<Self, StartError> {
        Self::register(registry).map_err(StartError::new)
    }

    /// A webhook was answered.
    pub(crate) fn call(&self, channel: &str, outcome: &str) {
        self.calls.with_label_values(&[channel, outcome]).inc();
    }

    /// A webhook was read.
    pub(crate) fn read(&self, outcome: &str) {
        self.reads.with_label_values(&[outcome]).inc();
    }

    /// A portal was asked for what changed.
    pub(crate) fn reconcile(&self, shop: &str, told: u64, now: f64) {
        self.reconciled.with_label_values(&[shop]).inc_by(told);
        self.reconcile_at.with_label_values(&[shop]).set(now);
    }

    fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let metric = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(metric.clone()))?;
            Ok::<_, prometheus::Error>(metric)
        };
        let spooled = IntGauge::new("spool_webhooks", "Webhooks that wait for the broker")?;
        let spool_oldest = Gauge::new(
            "spool_oldest_seconds",
            "Age of the oldest webhook that waits for the broker",
        )?;
        let reconcile_at = GaugeVec::new(
            Opts::new("reconcile_timestamp_seconds", "When a portal was last polled to the end"),
            &["shop"],
        )?;
        registry.register(Box::new(spooled.clone()))?;
        registry.register(Box::new(spool_oldest.clone()))?;
        registry.register(Box::new(reconcile_at.clone()))?;
        Ok(Self {
            calls: counter("webhooks_total", "Webhooks by answer", &["channel", "outcome"])?,
            reads: counter("orders_read_total", "Webhooks read, by what came of it", &["outcome"])?,
            reconciled: counter(
                "reconciled_total",
                "Changed orders that the poll found unread",
                &["shop"],
            )?,
            spooled,
            spool_oldest,
            reconcile_at,
        })
    }
}
