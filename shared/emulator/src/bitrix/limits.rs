//! The portal's limits: a leaky bucket for all requests, and methods blocked for their operating time.

use std::collections::HashMap;

use time::{Duration, OffsetDateTime};

/// The state of both limits.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    /// When the bucket will be empty, if nothing more comes.
    empty_at: Option<OffsetDateTime>,
    blocked: HashMap<String, OffsetDateTime>,
}

impl Limits {
    /// Puts a request into a bucket that holds `burst` and leaks `rate` a second; false if it would run over.
    pub(super) fn pour(&mut self, now: OffsetDateTime, burst: u32, rate: u32) -> bool {
        if rate == 0 {
            return true;
        }
        let drop = Duration::SECOND / rate;
        let level = self.empty_at.map_or(now, |at| at.max(now)) + drop;
        let fits = level - now <= drop * burst;
        if fits {
            self.empty_at = Some(level);
        }
        fits
    }

    /// Blocks a method; an earlier block that lasts longer stays.
    pub(super) fn block(&mut self, method: &str, until: OffsetDateTime) {
        let at = self.blocked.entry(method.to_owned()).or_insert(until);
        *at = (*at).max(until);
    }

    /// Until when a method is blocked, if it is.
    pub(super) fn blocked(&self, method: &str, now: OffsetDateTime) -> Option<OffsetDateTime> {
        self.blocked.get(method).copied().filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_at_once_then_two_a_second() {
        let mut limits = Limits::default();
        let start = OffsetDateTime::UNIX_EPOCH;
        let poured = (0..60).filter(|_| limits.pour(start, 50, 2)).count();
        assert_eq!(poured, 50);
        assert!(!limits.pour(start + Duration::milliseconds(499), 50, 2));
        assert!(limits.pour(start + Duration::milliseconds(500), 50, 2));
        assert!(!limits.pour(start + Duration::milliseconds(500), 50, 2));
        let later = start + Duration::seconds(1000);
        assert_eq!((0..60).filter(|_| limits.pour(later, 50, 2)).count(), 50);
    }

    #[test]
    fn a_blocked_method_is_free_at_its_time() {
        let mut limits = Limits::default();
        let now = OffsetDateTime::UNIX_EPOCH;
        limits.block("sale.order.get", now + Duration::seconds(5));
        assert!(limits.blocked("sale.order.get", now).is_some());
        assert!(limits.blocked("sale.order.update", now).is_none());
        assert!(limits.blocked("sale.order.get", now + Duration::seconds(5)).is_none());
    }
}
