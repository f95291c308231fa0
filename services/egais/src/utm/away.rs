//! Which UTMs did not answer just now.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use time::OffsetDateTime;

use super::Error;

/// How long nobody calls a UTM that was found away.
pub(crate) const AWAY: Duration = Duration::from_secs(15);

/// A UTM that is away is left alone for a while: those who would only wait for it hold up no other's documents.
#[derive(Debug, Default)]
pub(crate) struct Away {
    until: Mutex<BTreeMap<String, OffsetDateTime>>,
    met: Mutex<BTreeMap<String, Error>>,
}

impl Away {
    /// It was found away.
    pub(crate) fn found(&self, utm: &str, now: OffsetDateTime) {
        lock(&self.until).insert(utm.to_owned(), now + AWAY);
    }

    /// It has answered.
    pub(crate) fn answered(&self, utm: &str) {
        lock(&self.until).remove(utm);
    }

    /// How long it is left alone yet.
    pub(crate) fn left(&self, utm: &str, now: OffsetDateTime) -> Option<Duration> {
        let until = lock(&self.until).get(utm).copied()?;
        (until > now).then(|| (until - now).unsigned_abs())
    }

    /// A document met this and did not leave: it is told of after that is saved.
    pub(crate) fn meet(&self, identity: &str, error: Error) {
        lock(&self.met).insert(identity.to_owned(), error);
    }

    /// What a document has met.
    pub(crate) fn take(&self, identity: &str) -> Option<Error> {
        lock(&self.met).remove(identity)
    }
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
