//! Keys: who calls, and how often.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use crate::config::Register;

/// Wrong keys a second that are looked at; the rest is told to come later.
const STRANGERS: (u32, u32) = (20, 100);

/// A caller whose key was right.
#[derive(Debug)]
pub(crate) struct Caller {
    pub name: String,
    pub register: Register,
    bucket: Bucket,
}

/// Every key.
#[derive(Debug)]
pub(crate) struct Keys {
    callers: Vec<([u8; 32], Arc<Caller>)>,
    strangers: Bucket,
}

impl Keys {
    pub(crate) fn new(registers: &BTreeMap<String, Register>) -> Self {
        let callers = registers.iter().map(|(name, register)| {
            let caller = Caller {
                name: name.clone(),
                register: register.clone(),
                bucket: Bucket::new(register.rate, register.burst),
            };
            (digest(register.key.expose()), Arc::new(caller))
        });
        Self { callers: callers.collect(), strangers: Bucket::new(STRANGERS.0, STRANGERS.1) }
    }

    /// The caller with this key. Takes the same time for every wrong key: digests of one length
    /// are compared with all, and none is left early.
    pub(crate) fn find(&self, key: &str) -> Option<Arc<Caller>> {
        let given = digest(key);
        let mut found = u64::MAX;
        for (place, (digest, _)) in (0_u64..).zip(&self.callers) {
            let same: Choice = digest.ct_eq(&given);
            found = u64::conditional_select(&found, &place, same);
        }
        let found = usize::try_from(found).ok()?;
        self.callers.get(found).map(|(_, caller)| Arc::clone(caller))
    }

    /// Whether a wrong key is still answered as one; else how long to wait.
    pub(crate) fn stranger(&self) -> Result<(), Duration> {
        self.strangers.take(Instant::now())
    }
}

impl Caller {
    /// Takes one request out of the caller's bucket; else how long to wait.
    pub(crate) fn take(&self) -> Result<(), Duration> {
        self.bucket.take(Instant::now())
    }
}

fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// A bucket of so many requests that fills at a rate.
#[derive(Debug)]
struct Bucket {
    /// The time that one request takes to come back.
    each: Duration,
    /// How far ahead of its rate a caller may be.
    ahead: Duration,
    /// When the bucket will be full again.
    full_at: Mutex<Option<Instant>>,
}

impl Bucket {
    fn new(rate: u32, burst: u32) -> Self {
        let each = Duration::from_secs(1) / rate.max(1);
        Self { each, ahead: each * burst.max(1), full_at: Mutex::new(None) }
    }

    fn take(&self, now: Instant) -> Result<(), Duration> {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let next = full_at.map_or(now, |at| at.max(now)) + self.each;
        let excess = (next - now).saturating_sub(self.ahead);
        if excess.is_zero() {
            *full_at = Some(next);
            Ok(())
        } else {
            Err(excess)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let (bucket, now) = (Bucket::new(10, 3), Instant::now());
        assert!((0..3).all(|_| bucket.take(now).is_ok()));
        assert_eq!(bucket.take(now), Err(Duration::from_millis(100)));
        assert!(bucket.take(now + Duration::from_millis(100)).is_ok());
        assert!(bucket.take(now + Duration::from_millis(150)).is_err());
        let later = now + Duration::from_secs(60);
        assert!((0..3).all(|_| bucket.take(later).is_ok()));
        assert!(bucket.take(later).is_err(), "it holds no more than its burst");
    }
}
