//! Grouping: many callers, one round trip. The store and the publisher use it, and services whose
//! own tables are written by many at once.
//!
//! While one group is on its way, the next callers gather; nobody waits for a clock. Under load
//! groups grow by themselves, at rest a group is one call.

use std::{future::Future, sync::Arc};

use tokio::sync::{mpsc, oneshot};

/// A door through which single calls go in and leave in groups.
pub struct Gather<Q, A, E> {
    calls: mpsc::Sender<(Q, Reply<A, E>)>,
}

type Reply<A, E> = oneshot::Sender<Result<A, Arc<E>>>;

impl<Q, A, E> Clone for Gather<Q, A, E> {
    fn clone(&self) -> Self {
        Self { calls: self.calls.clone() }
    }
}

/// Why a gathered call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Lost<E> {
    /// The group failed as a whole.
    #[error(transparent)]
    Failed(Arc<E>),
    /// The other side has stopped: the process is going down.
    #[error("stopped")]
    Stopped,
}

impl<Q, A, E> Gather<Q, A, E>
where
    Q: Send + 'static,
    A: Send + 'static,
    E: Send + Sync + 'static,
{
    /// Starts the task that hands groups of at most `limit` calls to `run`, one group at a time.
    /// `run` answers each call in order; an answer short is a stopped call.
    pub fn spawn<F, R>(limit: usize, mut run: F) -> Self
    where
        F: FnMut(Vec<Q>) -> R + Send + 'static,
        R: Future<Output = Result<Vec<A>, E>> + Send,
    {
        let (calls, mut waiting) = mpsc::channel::<(Q, Reply<A, E>)>(4 * limit);
        tokio::spawn(async move {
            let mut group = Vec::with_capacity(limit);
            while waiting.recv_many(&mut group, limit).await > 0 {
                let (questions, replies): (Vec<_>, Vec<_>) = group.drain(..).unzip();
                deliver(run(questions).await, replies);
            }
        });
        Self { calls }
    }

    /// Puts one call in and waits for its answer.
    ///
    /// # Errors
    /// [`Lost`] when the whole group failed, or the other side has stopped.
    pub async fn call(&self, question: Q) -> Result<A, Lost<E>> {
        let (reply, answer) = oneshot::channel();
        self.calls.send((question, reply)).await.map_err(|_| Lost::Stopped)?;
        match answer.await {
            Ok(answer) => answer.map_err(Lost::Failed),
            Err(_) => Err(Lost::Stopped),
        }
    }

    /// Puts one call in and does not wait for its answer; calls that go in later leave later.
    pub(crate) async fn post(&self, question: Q) -> Result<(), Lost<E>> {
        let (reply, _nobody) = oneshot::channel();
        self.calls.send((question, reply)).await.map_err(|_| Lost::Stopped)
    }
}

fn deliver<A, E>(answers: Result<Vec<A>, E>, replies: Vec<Reply<A, E>>) {
    // A caller that has gone away has no use for its answer.
    match answers {
        Ok(answers) => {
            for (reply, answer) in replies.into_iter().zip(answers) {
                reply.send(Ok(answer)).ok();
            }
        }
        Err(error) => {
            let error = Arc::new(error);
            for reply in replies {
                reply.send(Err(Arc::clone(&error))).ok();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[tokio::test]
    async fn what_is_posted_is_done_before_a_later_call_is_answered() {
        let (done, mut seen) = mpsc::unbounded_channel();
        let gather = Gather::<u32, u32, ()>::spawn(2, move |group| {
            let done = done.clone();
            async move {
                group.iter().for_each(|number| done.send(*number).unwrap());
                Ok(group)
            }
        });
        for number in 1..=5 {
            gather.post(number).await.unwrap();
        }
        assert_eq!(gather.call(6).await.unwrap(), 6);
        let mut all = Vec::new();
        while let Ok(number) = seen.try_recv() {
            all.push(number);
        }
        assert_eq!(all, [1, 2, 3, 4, 5, 6]);
    }

    /// What a service sees of it: each caller gets its own answer, and nobody's waits for a clock.
    #[tokio::test]
    async fn callers_who_wait_together_go_as_one_and_get_their_own_answers() {
        let (sizes, mut seen) = mpsc::unbounded_channel();
        let door = Gather::<u32, u32, Infallible>::spawn(8, move |group| {
            let sizes = sizes.clone();
            async move {
                sizes.send(group.len()).ok();
                tokio::task::yield_now().await;
                Ok(group.into_iter().map(|question| question * 2).collect())
            }
        });
        let calls = (0..100).map(|number| {
            let door = door.clone();
            async move { (number, door.call(number).await.unwrap()) }
        });
        for (question, answer) in futures_util::future::join_all(calls).await {
            assert_eq!(answer, question * 2);
        }
        seen.close();
        let mut groups = Vec::new();
        while let Some(size) = seen.recv().await {
            groups.push(size);
        }
        assert_eq!(groups.iter().sum::<usize>(), 100);
        assert!(groups.len() < 100 && groups.iter().all(|size| *size <= 8), "{groups:?}");
    }
}
