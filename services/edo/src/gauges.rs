//! The service's metrics: documents by state, and how long buyers take to sign.

use prometheus::{Histogram, IntCounterVec, IntGaugeVec, Opts, histogram_opts};
use runtime::{Metrics, StartError};

use crate::store::Counts;

/// From sending to the buyer's signature: a minute to a month.
const SIGNING: [f64; 10] = [
    60.0,
    600.0,
    3_600.0,
    14_400.0,
    43_200.0,
    86_400.0,
    172_800.0,
    432_000.0,
    864_000.0,
    2_592_000.0,
];

/// The numbers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Gauges {
    documents: IntGaugeVec,
    signing: Histogram,
    feed: IntCounterVec,
}

impl Gauges {
    /// Registers them.
    ///
    /// # Errors
    /// [`StartError`] when two have one name: a mistake of ours.
    pub(crate) fn new(metrics: &Metrics) -> Result<Self, StartError> {
        let help = "Documents by their state with us";
        let documents = IntGaugeVec::new(Opts::new("edo_documents", help), &["state"]);
        let help = "Seconds from sending a document to the buyer's signature";
        let signing =
            Histogram::with_opts(histogram_opts!("edo_signing_seconds", help, SIGNING.to_vec()));
        let help = "Events of the feed: new, and known already";
        let feed = IntCounterVec::new(Opts::new("edo_feed_events_total", help), &["kind"]);
        let own = Self {
            documents: documents.map_err(StartError::new)?,
            signing: signing.map_err(StartError::new)?,
            feed: feed.map_err(StartError::new)?,
        };
        let registry = &metrics.registry;
        registry.register(Box::new(own.documents.clone())).map_err(StartError::new)?;
        registry.register(Box::new(own.signing.clone())).map_err(StartError::new)?;
        registry.register(Box::new(own.feed.clone())).map_err(StartError::new)?;
        Ok(own)
    }

    pub(crate) fn show(&self, counts: &Counts) {
        self.documents.reset();
        for (state, count) in counts {
            self.documents.with_label_values(&[state]).set(*count);
        }
    }

    pub(crate) fn signed(&self, after: time::Duration) {
        self.signing.observe(after.as_seconds_f64().max(0.0));
    }

    pub(crate) fn read(&self, new: usize, known: usize) {
        let count = |kind, number| {
            let number = u64::try_from(number).unwrap_or(0);
            self.feed.with_label_values(&[kind]).inc_by(number);
        };
        count("new", new);
        count("known", known);
    }
}
