//! The desk's metrics: what waits for a person, and since when.

use std::time::Duration;

use prometheus::{IntGaugeVec, Opts};
use runtime::{Kit, Metrics, StartError};
use time::OffsetDateTime;

use crate::store::{Open, Store};

/// How often they are counted.
const EVERY: Duration = Duration::from_secs(15);

/// The numbers.
#[derive(Debug)]
pub(crate) struct Gauges {
    open: IntGaugeVec,
    oldest: IntGaugeVec,
}

impl Gauges {
    pub(crate) fn new(metrics: &Metrics) -> Result<Self, StartError> {
        let gauge = |name: &str, help: &str| {
            let gauge = IntGaugeVec::new(Opts::new(name, help), &["service", "class"]);
            let gauge = gauge.map_err(StartError::new)?;
            metrics.registry.register(Box::new(gauge.clone())).map_err(StartError::new)?;
            Ok::<_, StartError>(gauge)
        };
        Ok(Self {
            open: gauge("letters_open", "Dead letters that wait for a person")?,
            oldest: gauge("letters_oldest_seconds", "Age of the oldest of them")?,
        })
    }

    /// Counts until the process is to stop.
    pub(crate) async fn run(&self, kit: &Kit, store: &Store) {
        loop {
            match store.open_letters().await {
                Ok(found) => self.show(&found, OffsetDateTime::now_utc()),
                Err(error) => tracing::warn!(%error, "open letters are not counted this time"),
            }
            if !kit.pause(EVERY).await {
                return;
            }
        }
    }

    fn show(&self, found: &[Open], now: OffsetDateTime) {
        self.open.reset();
        self.oldest.reset();
        for Open { service, class, letters, oldest } in found {
            let labels = [service.as_str(), class.as_str()];
            self.open.with_label_values(&labels).set(*letters);
            self.oldest.with_label_values(&labels).set((now - *oldest).whole_seconds().max(0));
        }
    }
}
