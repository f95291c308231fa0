//! The service's metrics.

use std::time::Duration;

use prometheus::{
    GaugeVec, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, core::Collector,
    histogram_opts,
};
use runtime::{Registry, StartError};

use crate::{ledger::Kind, store::Counts};

/// Seconds of requests and groups.
const SHORT: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Seconds from a register to the balance: up to days offline.
const LONG: [f64; 10] = [0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 600.0, 3_600.0, 86_400.0, 604_800.0];
const SIZES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// The service's metrics. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Gauges {
    operations: IntCounterVec,
    visible: Histogram,
    skew: Histogram,
    requests: HistogramVec,
    group_seconds: Histogram,
    group_size: Histogram,
    silence: GaugeVec,
    exceptions: IntGauge,
    parked: IntGauge,
    unreadable: IntGauge,
    untold: IntGauge,
    log_lost: IntCounter,
}

impl Gauges {
    /// Registers every metric.
    ///
    /// # Errors
    /// [`StartError`] when two have one name: a mistake of ours.
    pub(crate) fn new(registry: &Registry) -> Result<Self, StartError> {
        Self::register(registry).map_err(StartError::new)
    }

    fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let histogram = |name: &str, help: &str, buckets: &[f64]| {
            put(registry, Histogram::with_opts(histogram_opts!(name, help, buckets.to_vec()))?)
        };
        let gauge = |name: &str, help: &str| put(registry, IntGauge::new(name, help)?);
        let operations = Opts::new("loyalty_operations_total", "Operations by what was answered");
        let requests = histogram_opts!(
            "loyalty_request_seconds",
            "Requests by route and status",
            SHORT.to_vec()
        );
        let silence =
            Opts::new("loyalty_store_silent_seconds", "Since when a store has been silent");
        let ahead = "How far registers' clocks are ahead";
        let visible = "From the register to the visible balance";
        let lost = "Lines of the request log that were not written";
        Ok(Self {
            operations: put(registry, IntCounterVec::new(operations, &["kind", "result"])?)?,
            visible: histogram("loyalty_visible_seconds", visible, &LONG)?,
            skew: histogram("loyalty_clock_ahead_seconds", ahead, &LONG)?,
            requests: put(registry, HistogramVec::new(requests, &["route", "status"])?)?,
            group_seconds: histogram("loyalty_group_seconds", "Time of a group", &SHORT)?,
            group_size: histogram("loyalty_group_size", "Operations in one transaction", &SIZES)?,
            silence: put(registry, GaugeVec::new(silence, &["store"])?)?,
            exceptions: gauge("loyalty_exceptions_open", "What waits for a person")?,
            parked: gauge("loyalty_parked", "Operations that wait for another or a customer")?,
            unreadable: gauge(
                "loyalty_parked_unreadable",
                "Waiting operations that cannot be read",
            )?,
            untold: gauge("loyalty_onec_untold", "Operations that 1C has not been told yet")?,
            log_lost: put(registry, IntCounter::new("loyalty_log_lost_total", lost)?)?,
        })
    }

    pub(crate) fn operation(&self, kind: Kind, result: &str) {
        self.operations.with_label_values(&[kind.as_str(), result]).inc();
    }

    pub(crate) fn visible(&self, after: time::Duration) {
        self.visible.observe(after.as_seconds_f64().max(0.0));
    }

    pub(crate) fn ahead(&self, by: time::Duration) {
        self.skew.observe(by.as_seconds_f64());
    }

    pub(crate) fn request(&self, route: &str, status: u16, took: Duration) {
        self.requests.with_label_values(&[route, &status.to_string()]).observe(took.as_secs_f64());
    }

    pub(crate) fn group(&self, size: usize, took: Duration) {
        self.group_size.observe(f64::from(u32::try_from(size).unwrap_or(u32::MAX)));
        self.group_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn silent(&self, store: &str, since: time::Duration) {
        self.silence.with_label_values(&[store]).set(since.as_seconds_f64().max(0.0));
    }

    pub(crate) fn waiting(&self, counts: Counts) {
        self.exceptions.set(counts.exceptions);
        self.parked.set(counts.parked);
        self.unreadable.set(counts.unreadable);
        self.untold.set(counts.untold);
    }

    pub(crate) fn log_lost(&self, lines: usize) {
        self.log_lost.inc_by(u64::try_from(lines).unwrap_or(u64::MAX));
    }
}

fn put<M: Collector + Clone + 'static>(
    registry: &Registry,
    metric: M,
) -> Result<M, prometheus::Error> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}
