//! The service's metrics: documents under way, differences of stock, how the UTMs are.

use prometheus::{GaugeVec, IntGaugeVec, Opts};
use runtime::{Metrics, StartError};
use time::OffsetDateTime;

/// The numbers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Gauges {
    documents: IntGaugeVec,
    differences: IntGaugeVec,
    up: IntGaugeVec,
    /// Under the name that signers use: who watches certificates watches these too.
    keys: Option<GaugeVec>,
}

impl Gauges {
    /// Registers them.
    ///
    /// # Errors
    /// [`StartError`] when two have one name: a mistake of ours.
    pub(crate) fn new(metrics: &Metrics) -> Result<Self, StartError> {
        let gauge = |name: &str, help: &str, labels: &[&str]| {
            let gauge = IntGaugeVec::new(Opts::new(name, help), labels).map_err(StartError::new)?;
            metrics.registry.register(Box::new(gauge.clone())).map_err(StartError::new)?;
            Ok::<_, StartError>(gauge)
        };
        let keys = GaugeVec::new(
            Opts::new("signer_certificate_not_after_seconds", "When a key of a UTM ends"),
            &["signer"],
        );
        let keys = keys.map_err(StartError::new)?;
        metrics.registry.register(Box::new(keys.clone())).map_err(StartError::new)?;
        Ok(Self {
            documents: gauge("egais_documents", "Documents under way", &["utm", "state"])?,
            differences: gauge(
                "egais_stock_differences",
                "Products on which EGAIS and the catalogue disagree",
                &["utm"],
            )?,
            up: gauge("egais_utm_up", "Whether the UTM answers with the right key", &["utm"])?,
            keys: Some(keys),
        })
    }

    pub(crate) fn documents(&self, counts: &[(String, String, i64)]) {
        self.documents.reset();
        for (utm, state, count) in counts {
            self.documents.with_label_values(&[utm.as_str(), state.as_str()]).set(*count);
        }
    }

    pub(crate) fn differences(&self, utm: &str, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.differences.with_label_values(&[utm]).set(count);
    }

    pub(crate) fn up(&self, utm: &str, is_up: bool) {
        self.up.with_label_values(&[utm]).set(i64::from(is_up));
    }

    pub(crate) fn key(&self, utm: &str, key: &str, until: OffsetDateTime) {
        let seconds = i32::try_from(until.unix_timestamp()).map_or(f64::MAX, f64::from);
        if let Some(keys) = &self.keys {
            keys.with_label_values(&[format!("utm {utm} {key}").as_str()]).set(seconds);
        }
    }
}
