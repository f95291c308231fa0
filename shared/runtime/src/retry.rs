//! When a failed step is tried again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

/// Growing pauses between attempts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    /// The first pause.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// By how much each pause is longer than the one before; 1 for equal pauses.
    pub growth: f32,
    /// How many attempts in a row may fail; `None` leaves the end to the job's deadline.
    pub attempts: Option<u32>,
}

impl RetryPolicy {
    /// 10 s growing to 30 min, until the job's deadline.
    pub const DEFAULT: Self = Self {
        first: Duration::from_secs(10),
        longest: Duration::from_secs(30 * 60),
        growth: 2.0,
        attempts: None,
    };

    /// The pause after the `failed`-th failure in a row (from 1), with jitter upwards; `None`
    /// when no attempt is left.
    #[must_use]
    pub fn pause(&self, failed: u32) -> Option<Duration> {
        if self.attempts.is_some_and(|attempts| failed >= attempts) {
            return None;
        }
        let nth = usize::try_from(failed.saturating_sub(1)).unwrap_or(usize::MAX).min(64);
        let pause = ExponentialBuilder::default()
            .with_min_delay(self.first)
            .with_max_delay(self.longest)
            .with_factor(self.growth)
            .without_max_times()
            .build()
            .nth(nth)
            .unwrap_or(self.longest);
        Some(pause + jitter(pause))
    }
}

/// Up to a tenth more, so that jobs that failed together do not come back together.
pub(crate) fn jitter(pause: Duration) -> Duration {
    pause / 1_000 * rand::random_range(0..100)
}
