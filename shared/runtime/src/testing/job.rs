//! A job driven step by step, without a broker and without a clock.

use std::time::Duration;

use events::Event;

use crate::worker::{Failure, Next, Reason, Worker};

/// After so many stretches a job has no end.
const STRETCHES: usize = 300;
/// How long the runtime stays away from a register at first.
const AWAY: Duration = Duration::from_secs(15);

/// How a stretch of a job's life ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// It waits for this long.
    Wait(Duration),
    /// A step failed and may be tried again, perhaps after a time that the vendor named.
    Retry(Reason, Option<Duration>),
    /// The register is away.
    Down(Reason),
    /// It is finished.
    Done,
    /// It stopped for a person.
    Dead(Reason),
}

/// A job without the runtime: its state goes through JSON between two steps, as in the store.
#[derive(Debug, Clone)]
pub struct Job {
    event: Event,
    state: String,
    /// Everything the worker has told so far.
    pub told: Vec<Event>,
    /// The register's name for the job.
    pub alias: Option<String>,
}

impl Job {
    /// A job not yet begun.
    #[must_use]
    pub fn new(event: Event) -> Self {
        Self { event, state: "null".to_owned(), told: Vec::new(), alias: None }
    }

    /// The saved state as JSON text.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.state
    }

    /// The event whose job it is.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// The same job goes on with the order as the shop has mended it.
    pub fn renew(&mut self, event: Event) {
        self.event = event;
    }

    /// A person has looked at the register and the effect is not there: see [`Worker::absent`].
    ///
    /// # Panics
    /// When the worker's state does not survive JSON.
    #[expect(clippy::expect_used, reason = "a test fails by panicking")]
    pub fn absent<W: Worker>(&mut self) {
        let state: Option<W::State> = serde_json::from_str(&self.state).expect("a readable state");
        let state = W::absent(state.unwrap_or_default());
        self.state = serde_json::to_string(&state).expect("a writable state");
    }

    /// A person has found the effect at the register: see [`Worker::found`].
    ///
    /// # Panics
    /// When the worker's state does not survive JSON.
    #[expect(clippy::expect_used, reason = "a test fails by panicking")]
    pub fn found<W: Worker>(&mut self) {
        let state: Option<W::State> = serde_json::from_str(&self.state).expect("a readable state");
        let state = W::found(state.unwrap_or_default()).parts().state;
        self.state = serde_json::to_string(&state).expect("a writable state");
    }

    /// Runs the job to its end, while `pass` lets the time go by that it waits for; answers how each stretch ended.
    ///
    /// The way is shorter where `enough` is reached, and where the worker's policy knows no further attempt.
    ///
    /// # Panics
    /// When the job has no end.
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    pub async fn carry<W: Worker>(
        &mut self,
        worker: &W,
        mut pass: impl AsyncFnMut(Duration),
        enough: impl Fn(&Self) -> bool,
    ) -> Vec<End> {
        let (mut way, mut attempts) = (Vec::new(), 0);
        for _ in 0..STRETCHES {
            let end = self.run(worker).await;
            way.push(end.clone());
            let pause = match end {
                _ if enough(self) => return way,
                End::Done | End::Dead(_) => return way,
                End::Wait(pause) => {
                    attempts = 0;
                    pause
                }
                End::Retry(_, after) => {
                    attempts += 1;
                    let Some(pause) = W::RETRY.pause(attempts) else { return way };
                    after.unwrap_or(pause)
                }
                End::Down(_) => AWAY,
            };
            pass(pause).await;
        }
        panic!("the job has no end: {way:?}");
    }

    /// Steps until the job waits, fails or ends: what the runtime does with one message.
    ///
    /// # Panics
    /// When the worker goes on for a hundred steps, or its state does not survive JSON.
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    pub async fn run<W: Worker>(&mut self, worker: &W) -> End {
        for _ in 0..100 {
            if let Some(end) = self.step(worker).await {
                return end;
            }
        }
        panic!("the worker goes on and on");
    }

    /// One step; `None` when the next one follows at once. A test that stops here has killed the
    /// worker between two steps.
    ///
    /// # Panics
    /// When the worker's state does not survive JSON.
    #[expect(clippy::expect_used, reason = "a test fails by panicking")]
    pub async fn step<W: Worker>(&mut self, worker: &W) -> Option<End> {
        let state: Option<W::State> = serde_json::from_str(&self.state).expect("a readable state");
        match worker.step(&self.event, state.unwrap_or_default()).await {
            Ok(step) => {
                let parts = step.parts();
                self.state = serde_json::to_string(&parts.state).expect("a writable state");
                self.told.extend(parts.emit);
                self.alias = parts.alias.or(self.alias.take());
                match parts.next {
                    Next::Again => None,
                    Next::Wait(wait) => Some(End::Wait(wait)),
                    Next::Done => Some(End::Done),
                    Next::Stop(reason) => Some(End::Dead(reason)),
                }
            }
            Err(Failure::Retry(reason, after)) => Some(End::Retry(reason, after)),
            Err(Failure::Later(_, after)) => Some(End::Wait(after)),
            Err(Failure::Down(reason)) => Some(End::Down(reason)),
            Err(Failure::Dead(reason)) => Some(End::Dead(reason)),
        }
    }
}
