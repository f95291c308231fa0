//! A registry that can say what is in it before anything was counted.
//!
//! The library's own registry shows a metric with labels only once it has a value, so that an alarm
//! on the first dead letter could not be held against it.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus::{
    core::Collector,
    proto::{MetricFamily, MetricType},
};
use serde::Serialize;

/// The metrics of a process. Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    inner: prometheus::Registry,
    described: Arc<Mutex<Vec<Described>>>,
}

/// What a metric is, whether or not it has a value yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Described {
    /// Its name; a histogram is seen as `…_bucket`, `…_sum` and `…_count`.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// The labels that its values differ by.
    pub labels: Vec<String>,
    /// What it measures.
    pub help: String,
}

impl Registry {
    /// Adds a metric.
    ///
    /// # Errors
    /// When there is one of that name.
    pub fn register(&self, metric: Box<dyn Collector>) -> prometheus::Result<()> {
        let described: Vec<Described> =
            metric.collect().iter().map(|it| named(it, &*metric)).collect();
        self.inner.register(metric)?;
        self.described.lock().unwrap_or_else(PoisonError::into_inner).extend(described);
        Ok(())
    }

    /// All values of now.
    #[must_use]
    pub fn gather(&self) -> Vec<MetricFamily> {
        self.inner.gather()
    }

    /// All metrics by name.
    #[must_use]
    pub fn described(&self) -> Vec<Described> {
        let mut all = self.described.lock().unwrap_or_else(PoisonError::into_inner).clone();
        all.sort();
        all
    }
}

fn named(family: &MetricFamily, metric: &dyn Collector) -> Described {
    let labels = metric.desc().into_iter().find(|desc| desc.fq_name == family.name());
    Described {
        name: family.name().to_owned(),
        kind: kind(family.get_field_type()),
        labels: labels.map(|desc| desc.variable_labels.clone()).unwrap_or_default(),
        help: family.help().to_owned(),
    }
}

fn kind(of: MetricType) -> &'static str {
    match of {
        MetricType::COUNTER => "counter",
        MetricType::HISTOGRAM => "histogram",
        MetricType::SUMMARY => "summary",
        MetricType::GAUGE | MetricType::UNTYPED => "gauge",
    }
}

#[cfg(test)]
mod tests {
    use prometheus::{IntCounterVec, Opts};

    use super::*;

    #[test]
    fn a_metric_without_a_value_is_described_and_not_shown() {
        let registry = Registry::default();
        let calls = IntCounterVec::new(Opts::new("calls_total", "Calls"), &["outcome"]).unwrap();
        registry.register(Box::new(calls.clone())).unwrap();
        assert!(registry.gather().is_empty());
        let told = Described {
            name: "calls_total".to_owned(),
            kind: "counter",
            labels: vec!["outcome".to_owned()],
            help: "Calls".to_owned(),
        };
        assert_eq!(registry.described(), [told]);

        calls.with_label_values(&["ok"]).inc();
        assert_eq!(registry.gather().len(), 1);
        // A second one of that name is refused and not described twice.
        registry.register(Box::new(calls)).unwrap_err();
        assert_eq!(registry.described().len(), 1);
    }
}
