//! Places where a test may have a service die. Without the feature `testing` they are nothing.

#[cfg(feature = "testing")]
pub use armed::CrashPoint;
#[cfg(not(feature = "testing"))]
pub(crate) use unarmed::CrashPoint;

#[cfg(not(feature = "testing"))]
mod unarmed {
    /// Nothing.
    #[derive(Debug, Clone, Default)]
    pub(crate) struct CrashPoint;

    impl CrashPoint {
        /// Nothing.
        #[expect(clippy::unused_async, reason = "its armed twin waits for ever")]
        pub(crate) async fn pass(&self, _place: &'static str, _job: uuid::Uuid) {}
    }
}

#[cfg(feature = "testing")]
mod armed {
    use std::{
        collections::HashMap,
        sync::{Arc, Mutex, MutexGuard, PoisonError},
    };

    use uuid::Uuid;

    /// A place in the engine where jobs stand still for ever, so that killing the service kills
    /// them exactly there.
    #[derive(Debug, Clone, Default)]
    pub struct CrashPoint(Arc<Mutex<State>>);

    #[derive(Debug, Default)]
    struct State {
        armed: Option<(&'static str, u32)>,
        passages: HashMap<Uuid, u32>,
        stuck: usize,
    }

    impl CrashPoint {
        /// Where a job can die, in the order in which it comes by.
        pub const PLACES: [&'static str; 5] =
            ["before_step", "after_step", "after_save", "after_publish", "before_ack"];

        /// From now on each job stands still at its `nth` passage (from 1) of `place`.
        pub fn arm(&self, place: &'static str, nth: u32) {
            *self.lock() = State { armed: Some((place, nth)), ..State::default() };
        }

        /// From now on nothing stands still.
        pub fn disarm(&self) {
            *self.lock() = State::default();
        }

        /// How many jobs stand still.
        #[must_use]
        pub fn stuck(&self) -> usize {
            self.lock().stuck
        }

        /// Goes by, or stands still for ever.
        pub(crate) async fn pass(&self, place: &'static str, job: Uuid) {
            if self.is_here(place, job) {
                std::future::pending::<()>().await;
            }
        }

        fn is_here(&self, place: &'static str, job: Uuid) -> bool {
            let mut state = self.lock();
            let Some((armed, nth)) = state.armed else { return false };
            if armed != place {
                return false;
            }
            let passages = state.passages.entry(job).or_default();
            *passages += 1;
            let here = *passages == nth;
            state.stuck += usize::from(here);
            here
        }

        fn lock(&self) -> MutexGuard<'_, State> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}
