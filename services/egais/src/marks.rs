//! The write-ahead marks that this process has set and not yet acted upon.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use uuid::Uuid;

/// Tells a mark that was set just now from one that outlived a crash or an attempt.
///
/// A mark in the saved state says "perhaps sent". The process that set it knows better until it sends.
#[derive(Debug, Default)]
pub(crate) struct Marks(Mutex<HashSet<Uuid>>);

impl Marks {
    /// A mark that nobody has.
    pub(crate) fn set(&self) -> Uuid {
        let mark = Uuid::new_v4();
        self.lock().insert(mark);
        mark
    }

    /// Takes the mark, right before sending under it: whether it is certain that nothing was sent.
    pub(crate) fn take(&self, mark: Uuid) -> bool {
        self.lock().remove(&mark)
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
