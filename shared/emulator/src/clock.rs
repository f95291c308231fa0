//! The vendors' time: the machine's clock, plus what a test has advanced it by.

use std::sync::atomic::{AtomicI64, Ordering};

use time::{Duration, OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// A clock that can be put forward by `POST /_clock`.
///
/// It governs how long a request id is remembered, the rate limits and the dates the vendors write.
/// Signatures are checked against the machine's own time, because their senders sign with it.
#[derive(Debug, Default)]
pub struct Clock {
    ahead_s: AtomicI64,
}

impl Clock {
    /// Now, in UTC.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + Duration::seconds(self.ahead_s.load(Ordering::Relaxed))
    }

    /// Puts the clock forward by `seconds` and answers how far it is ahead now.
    pub fn advance(&self, seconds: u32) -> i64 {
        let seconds = i64::from(seconds);
        self.ahead_s.fetch_add(seconds, Ordering::Relaxed).saturating_add(seconds)
    }

    /// Back to the machine's time.
    pub fn reset(&self) {
        self.ahead_s.store(0, Ordering::Relaxed);
    }
}

/// A date as Bitrix writes it: ISO 8601, whole seconds, Moscow time (`2026-01-05T12:00:00+03:00`).
#[must_use]
pub(crate) fn moscow(at: OffsetDateTime) -> String {
    let offset = UtcOffset::from_hms(3, 0, 0).unwrap_or(UtcOffset::UTC);
    let at = at.to_offset(offset);
    at.replace_nanosecond(0).unwrap_or(at).format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_dates_in_moscow_time_without_fractions() {
        let at = OffsetDateTime::from_unix_timestamp_nanos(1_767_603_600_123_456_789).unwrap();
        assert_eq!(moscow(at), "2026-01-05T12:00:00+03:00");
    }

    #[test]
    fn advances_and_returns() {
        let clock = Clock::default();
        assert_eq!(clock.advance(3600), 3600);
        assert!(clock.now() - OffsetDateTime::now_utc() > Duration::seconds(3590));
        clock.reset();
        assert!(clock.now() - OffsetDateTime::now_utc() < Duration::seconds(10));
    }
}
