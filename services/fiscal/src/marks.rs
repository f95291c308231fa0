//! The write-ahead marks that this process has set and not yet acted upon.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use uuid::Uuid;

/// Tells a mark that was set just now from one that outlived a crash or an attempt.
///
/// A mark in the saved state says "perhaps sent". The process that set it knows better until it
/// sends: a mark is in here from when it is set until it is taken, and nowhere else. So when an
/// attempt under a fresh mark is certain to have had no effect, nothing at all was sent, and the
/// time in which the register remembers requests has not begun to run.
#[derive(Debug, Default)]
pub(crate) struct Marks(Mutex<HashSet<Uuid>>);

/// Whether anything may have been sent under a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// Nothing was.
    None,
    /// Something may have been.
    Sent,
}

impl Marks {
    /// A mark that nobody has.
    pub(crate) fn set(&self) -> Uuid {
        let mark = Uuid::new_v4();
        self.lock().insert(mark);
        mark
    }

    /// Takes the mark, right before sending under it.
    pub(crate) fn take(&self, mark: Uuid) -> Doubt {
        if self.lock().remove(&mark) { Doubt::None } else { Doubt::Sent }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
