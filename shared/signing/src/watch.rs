//! The certificate in use: a metric, and a warning before its end.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use prometheus::{Gauge, GaugeVec, Opts};
use runtime::{Metrics, StartError};
use time::OffsetDateTime;

use crate::{Certificate, SignError};

/// How often the warning is repeated.
const DAY: time::Duration = time::Duration::DAY;

#[derive(Debug)]
pub(crate) struct Watch {
    warn_before: Duration,
    not_after: Gauge,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    certificate: Option<Arc<Certificate>>,
    warned: Option<OffsetDateTime>,
}

impl Watch {
    pub(crate) fn new(
        kind: &str,
        warn_before: Duration,
        metrics: &Metrics,
    ) -> Result<Self, StartError> {
        let help =
            "When the certificate that signs ends, in seconds since 1970; 0 until it is known";
        let options = Opts::new("signer_certificate_not_after_seconds", help);
        let ends = GaugeVec::new(options, &["signer"]).map_err(StartError::new)?;
        metrics.registry.register(Box::new(ends.clone())).map_err(StartError::new)?;
        Ok(Self { warn_before, not_after: ends.with_label_values(&[kind]), seen: Mutex::default() })
    }

    pub(crate) fn certificate(&self) -> Option<Arc<Certificate>> {
        self.seen().certificate.clone()
    }

    /// Whether the certificate in use still holds.
    pub(crate) fn check(&self, now: OffsetDateTime) -> Result<(), SignError> {
        match &self.seen().certificate {
            Some(own) if own.not_after < now => Err(SignError::Expired(own.not_after)),
            _ => Ok(()),
        }
    }

    /// This certificate is in use.
    pub(crate) fn see(&self, certificate: Certificate, now: OffsetDateTime) {
        let mut seen = self.seen();
        if seen.certificate.as_deref() != Some(&certificate) {
            #[expect(
                clippy::as_conversions,
                reason = "seconds far below what a gauge holds exactly"
            )]
            self.not_after.set(certificate.not_after.unix_timestamp() as f64);
            *seen = Seen { certificate: Some(Arc::new(certificate)), warned: None };
        }
        let Some(own) = seen.certificate.clone() else { return };
        if !due(own.not_after, seen.warned, self.warn_before, now) {
            return;
        }
        seen.warned = Some(now);
        let days = (own.not_after - now).whole_days();
        tracing::error!(
            certificate.serial = own.serial,
            certificate.not_after = %own.not_after,
            "the certificate that signs ends in {days} days: get a new one"
        );
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether to warn now: the end is near, and it was not said within a day.
fn due(
    ends: OffsetDateTime,
    warned: Option<OffsetDateTime>,
    before: Duration,
    now: OffsetDateTime,
) -> bool {
    ends - now <= before && warned.is_none_or(|warned| now - warned >= DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_warning_comes_in_time_and_once_a_day() {
        let ends = OffsetDateTime::UNIX_EPOCH + 100 * DAY;
        let before = Duration::from_secs(30 * 24 * 3600);
        let said: Vec<i64> = (0..110)
            .scan(None, |warned, hours| {
                // Asked twice a day.
                let now = ends - 40 * DAY + time::Duration::hours(12 * hours);
                let says = due(ends, *warned, before, now);
                *warned = if says { Some(now) } else { *warned };
                Some(says.then(|| (now - ends).whole_days()))
            })
            .flatten()
            .collect();
        assert_eq!(said, (-30..=14).collect::<Vec<i64>>());
    }
}
