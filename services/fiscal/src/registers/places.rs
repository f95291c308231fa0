//! How many calls may be under way at once: as many as the settings say, half as many after the register said that
//! they are too many, and slowly more again. So replicas that know nothing of each other share what a register serves.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The limit grows by one after so many answers for each of its places.
const GOOD_FOR_EACH: usize = 4;

/// The calls of one account.
#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug)]
struct State {
    limit: usize,
    taken: usize,
    /// Answers since the limit last changed.
    good: usize,
    /// How often the limit has shrunk: calls of before say nothing of the limit of now.
    shrunk: u64,
}

/// A call's place; given back when dropped, also when nobody waits for the call any longer.
#[derive(Debug)]
pub(super) struct Place<'a> {
    places: &'a Places,
    shrunk: u64,
}

impl Places {
    /// Up to `most` calls at once, and never fewer than one.
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        let state = State { limit: most, taken: 0, good: 0, shrunk: 0 };
        Self { most, state: Mutex::new(state), freed: Notify::new() }
    }

    /// Waits for a place.
    pub(super) async fn take(&self) -> Place<'_> {
        loop {
            let freed = self.freed.notified();
            if let Some(place) = self.try_take() {
                return place;
            }
            freed.await;
        }
    }

    fn try_take(&self) -> Option<Place<'_>> {
        let mut state = self.lock();
        (state.taken < state.limit).then(|| {
            state.taken += 1;
            Place { places: self, shrunk: state.shrunk }
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    /// The register served this call.
    pub(super) fn served(&self) {
        let mut state = self.places.lock();
        if state.limit == self.places.most {
            return;
        }
        state.good += 1;
        if state.good >= state.limit * GOOD_FOR_EACH {
            state.limit += 1;
            state.good = 0;
            self.places.freed.notify_one();
        }
    }

    /// The register served it not, as there were too many. Of several that hear so at once, one counts.
    pub(super) fn crowded(&self) {
        let mut state = self.places.lock();
        state.good = 0;
        if state.shrunk == self.shrunk {
            state.limit = (state.limit.min(state.taken) / 2).max(1);
            state.shrunk += 1;
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.places.lock().taken -= 1;
        self.places.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(places: &Places) -> usize {
        places.lock().limit
    }

    #[test]
    fn too_many_at_once_halve_the_limit_once_and_answers_raise_it_slowly() {
        let places = Places::new(8);
        let all: Vec<Place<'_>> = (0..8).filter_map(|_| places.try_take()).collect();
        assert_eq!((all.len(), places.try_take().is_none()), (8, true));
        all[..3].iter().for_each(Place::crowded);
        assert_eq!(limit(&places), 4, "three calls of one moment are one finding");
        drop(all);
        let next = places.try_take().unwrap();
        next.crowded();
        assert_eq!(limit(&places), 1, "half of what was under way, and one at least");
        let served = |times: usize| {
            (0..times).for_each(|_| next.served());
            limit(&places)
        };
        assert_eq!((served(3), served(1), served(8)), (1, 2, 3));
        assert_eq!(served(1_000), 8, "never above the settings");
    }

    #[tokio::test]
    async fn whoever_waits_is_let_in_when_a_place_is_given_back() {
        let places = std::sync::Arc::new(Places::new(1));
        let first = places.take().await;
        let waiting = tokio::spawn({
            let places = std::sync::Arc::clone(&places);
            async move { places.take().await.shrunk }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(first);
        assert_eq!(waiting.await.unwrap(), 0);
    }
}
