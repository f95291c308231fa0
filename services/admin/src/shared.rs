//! What many look at is fetched once, and is a moment old for the others.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::Instant};

/// A value that is fetched when it is asked for and too old.
#[derive(Debug)]
pub(crate) struct Shared<T> {
    fresh: Duration,
    /// `None` where the last fetch failed: who waited for it does not press on.
    kept: Mutex<Option<(Instant, Option<Arc<T>>)>>,
}

impl<T> Shared<T> {
    /// A value that holds for so long.
    pub(crate) fn new(fresh: Duration) -> Self {
        Self { fresh, kept: Mutex::new(None) }
    }

    /// The value; of many who ask at once one fetches. `None` while it cannot be fetched.
    pub(crate) async fn get<E: std::fmt::Display>(
        &self,
        fetch: impl Future<Output = Result<T, E>>,
    ) -> Option<Arc<T>> {
        let mut kept = self.kept.lock().await;
        if let Some((at, value)) = &*kept
            && at.elapsed() < self.fresh
        {
            return value.clone();
        }
        let value = match fetch.await {
            Ok(value) => Some(Arc::new(value)),
            Err(error) => {
                tracing::warn!(%error, "what many look at cannot be fetched just now");
                None
            }
        };
        *kept = Some((Instant::now(), value.clone()));
        value
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU32, Ordering},
        time::Duration,
    };

    use futures_util::future::join_all;

    use super::Shared;

    #[tokio::test]
    async fn a_hundred_who_look_at_once_are_one_fetch() {
        for (fresh, expected) in [(Duration::from_secs(3_600), 1), (Duration::ZERO, 100)] {
            let (shared, fetched) = (Shared::new(fresh), AtomicU32::new(0));
            let fetch = || async {
                // Everybody else asks meanwhile.
                tokio::task::yield_now().await;
                Ok::<_, String>(fetched.fetch_add(1, Ordering::Relaxed))
            };
            let seen = join_all((0..100).map(|_| shared.get(fetch()))).await;
            assert!(seen.iter().all(Option::is_some));
            assert_eq!(fetched.load(Ordering::Relaxed), expected, "fresh for {fresh:?}");
        }
    }

    #[tokio::test]
    async fn who_waited_for_a_fetch_that_failed_does_not_press_on() {
        for (fresh, expected) in [(Duration::from_secs(3_600), 1), (Duration::ZERO, 10)] {
            let (shared, tried) = (Shared::<u32>::new(fresh), AtomicU32::new(0));
            let fetch = || async {
                tokio::task::yield_now().await;
                tried.fetch_add(1, Ordering::Relaxed);
                Err("PostgreSQL is away")
            };
            let seen = join_all((0..10).map(|_| shared.get(fetch()))).await;
            assert!(seen.iter().all(Option::is_none));
            assert_eq!(tried.load(Ordering::Relaxed), expected, "fresh for {fresh:?}");
        }
    }
}
