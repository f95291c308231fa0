//! The service's metrics: codes by status, documents under way.

use prometheus::{IntGauge, IntGaugeVec, Opts};
use runtime::{Metrics, StartError};

use crate::store::Counts;

/// The numbers of stock. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Gauges {
    codes: IntGaugeVec,
    documents: IntGaugeVec,
    late: IntGauge,
}

impl Gauges {
    /// Registers them.
    ///
    /// # Errors
    /// [`StartError`] when two have one name: a mistake of ours.
    pub(crate) fn new(metrics: &Metrics) -> Result<Self, StartError> {
        let gauge = |name: &str, help: &str, label: &str| {
            let gauge =
                IntGaugeVec::new(Opts::new(name, help), &[label]).map_err(StartError::new)?;
            metrics.registry.register(Box::new(gauge.clone())).map_err(StartError::new)?;
            Ok::<_, StartError>(gauge)
        };
        let late = IntGauge::new(
            "marking_withdrawals_late",
            "Shipments whose codes are not withdrawn although the law's time is over",
        );
        let late = late.map_err(StartError::new)?;
        metrics.registry.register(Box::new(late.clone())).map_err(StartError::new)?;
        Ok(Self {
            late,
            codes: gauge("marking_codes", "Marking codes by their status with us", "status")?,
            documents: gauge(
                "marking_documents",
                "Documents that wait, were refused, or are unknown",
                "state",
            )?,
        })
    }

    pub(crate) fn show(&self, counts: &Counts) {
        self.late.set(counts.late);
        for (status, count) in &counts.codes {
            self.codes.with_label_values(&[status]).set(*count);
        }
        for (state, count) in &counts.documents {
            self.documents.with_label_values(&[state]).set(*count);
        }
    }
}
