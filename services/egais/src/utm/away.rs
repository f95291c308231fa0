//! Which UTMs did not answer just now.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use time::OffsetDateTime;

/// How long nobody calls a UTM that was found away.
pub(crate) const AWAY: Duration = Duration::from_secs(15);

/// A UTM that is away is left alone for a while: those who would only wait for it hold up no other's documents.
#[derive(Debug, Default)]
pub(crate) struct Away(Mutex<BTreeMap<String, OffsetDateTime>>);

impl Away {
    /// It was found away.
    pub(crate) fn found(&self, utm: &str, now: OffsetDateTime) {
        self.lock().insert(utm.to_owned(), now + AWAY);
    }

    /// It has answered.
    pub(crate) fn answered(&self, utm: &str) {
        self.lock().remove(utm);
    }

    /// How long it is left alone yet.
    pub(crate) fn left(&self, utm: &str, now: OffsetDateTime) -> Option<Duration> {
        let until = self.lock().get(utm).copied()?;
        (until > now).then(|| (until - now).unsigned_abs())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, OffsetDateTime>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
