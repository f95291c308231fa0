//! The metrics of every service, in one registry per process.

use prometheus::{
    Gauge, GaugeVec, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, histogram_opts,
};

use crate::{registry::Registry, settings::StartError};

/// Every service's metrics. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Where they are collected; a service may register more.
    pub registry: Registry,
    /// Steps by outcome: `again`, `wait`, `done`, `retry`, `dead`, `down`, `lost`.
    pub(crate) steps: IntCounterVec,
    /// How long a step took.
    pub(crate) step_seconds: HistogramVec,
    /// From the fact to the finished job: the figure that the law looks at.
    pub(crate) critical_seconds: HistogramVec,
    /// Messages that told what was known already.
    pub(crate) duplicates: IntCounterVec,
    /// Jobs that stopped for a person, by class.
    pub(crate) dead: IntCounterVec,
    /// How long a vendor took to answer, by call and status.
    pub(crate) vendor_seconds: HistogramVec,
    /// 0 closed, 1 open.
    pub(crate) breaker_open: IntGauge,
    /// Age of the oldest word that was saved and not confirmed by the broker.
    pub(crate) outbox_oldest: Gauge,
    /// Age of the oldest job whose time has passed and that nobody works on.
    pub(crate) overdue_oldest: Gauge,
    /// Jobs told again by the sweeper.
    pub(crate) swept: IntCounterVec,
    /// Dead jobs that went on with the order as the shop has mended it.
    pub(crate) renewed: IntCounterVec,
    /// 1 while connected, by purpose (`publish`, `consume`).
    pub(crate) broker_up: GaugeVec,
    /// How long the broker took to confirm a group of messages.
    pub(crate) confirm_seconds: HistogramVec,
    /// How many messages wait in a queue, as the admin's desk sees it.
    pub(crate) queue_messages: IntGaugeVec,
    /// Messages that no queue was bound for.
    pub(crate) returned: IntCounterVec,
}

const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
const LONG: [f64; 12] =
    [0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0, 259_200.0];

impl Metrics {
    /// A new registry with every metric in it.
    ///
    /// # Errors
    /// [`StartError`] when two metrics have one name: a mistake of ours that no setting mends.
    pub fn new() -> Result<Self, StartError> {
        Self::register(Registry::default()).map_err(StartError::new)
    }

    fn register(registry: Registry) -> Result<Self, prometheus::Error> {
        let shelf = Shelf(&registry);
        Ok(Self {
            steps: shelf.counter("steps_total", "Steps by outcome", &["worker", "outcome"])?,
            step_seconds: shelf.histogram(
                "step_seconds",
                "Time of a step",
                &["worker"],
                &SECONDS,
            )?,
            critical_seconds: shelf.histogram(
                "critical_time_seconds",
                "Time from the fact to the finished job",
                &["worker"],
                &LONG,
            )?,
            duplicates: shelf.counter(
                "duplicates_absorbed_total",
                "Messages that told what was known already",
                &["worker"],
            )?,
            dead: shelf.counter(
                "dead_letters_total",
                "Jobs that stopped for a person",
                &["worker", "class"],
            )?,
            vendor_seconds: shelf.histogram(
                "vendor_seconds",
                "Time that a vendor took to answer",
                &["vendor", "call", "code"],
                &SECONDS,
            )?,
            breaker_open: shelf.breaker()?,
            outbox_oldest: shelf
                .gauge("outbox_oldest_seconds", "Age of the oldest saved and unconfirmed word")?,
            overdue_oldest: shelf.gauge(
                "overdue_oldest_seconds",
                "Age of the oldest job whose time has passed and that nobody works on",
            )?,
            swept: shelf.counter("swept_total", "Jobs told again by the sweeper", &["worker"])?,
            renewed: shelf.counter(
                "renewed_total",
                "Dead jobs that went on with the changed order",
                &["worker"],
            )?,
            broker_up: shelf.broker()?,
            confirm_seconds: shelf.histogram(
                "publish_confirm_seconds",
                "Time until the broker confirmed a group of messages",
                &[],
                &SECONDS,
            )?,
            queue_messages: shelf.queues()?,
            returned: shelf.counter(
                "publish_returned_total",
                "Messages without a queue",
                &["topic"],
            )?,
            registry,
        })
    }
}

/// Makes metrics and registers each.
struct Shelf<'a>(&'a Registry);

impl Shelf<'_> {
    fn histogram(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
        buckets: &[f64],
    ) -> Result<HistogramVec, prometheus::Error> {
        let metric = HistogramVec::new(histogram_opts!(name, help, buckets.to_vec()), labels)?;
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn counter(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<IntCounterVec, prometheus::Error> {
        let metric = IntCounterVec::new(Opts::new(name, help), labels)?;
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn gauge(&self, name: &str, help: &str) -> Result<Gauge, prometheus::Error> {
        let metric = Gauge::new(name, help)?;
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn breaker(&self) -> Result<IntGauge, prometheus::Error> {
        let help = "1 while the worker takes no messages because its register is away";
        let metric = IntGauge::new("breaker_open", help)?;
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn queues(&self) -> Result<IntGaugeVec, prometheus::Error> {
        let options = Opts::new("queue_messages", "Messages that wait in a queue (admin only)");
        let metric = IntGaugeVec::new(options, &["queue"])?;
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn broker(&self) -> Result<GaugeVec, prometheus::Error> {
        let options = Opts::new("broker_up", "1 while connected to the broker");
        let metric = GaugeVec::new(options, &["purpose"])?;
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }
}
