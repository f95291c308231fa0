//! What a service is: one function from an event and a saved state to the next state.

use std::{future::Future, time::Duration};

use events::{Event, Text};
use serde::{Serialize, de::DeserializeOwned};

use crate::{evidence::masked, kit::Kit, retry::RetryPolicy, settings::StartError};

/// A service that touches one foreign system.
///
/// The return type of [`step`](Worker::step) is the retry policy: `Ok` says when to go on, `Err`
/// whether it is worth trying again. Everything else — queues, leases, retries, dead letters,
/// outbox, metrics, traces, shutdown — is the runtime's.
pub trait Worker: Sized + Send + Sync + 'static {
    /// Names the queue `parom.<NAME>`, the job rows, the metric label and the Deployment.
    const NAME: &'static str;
    /// Routing keys of the events that this worker takes, such as `order.paid` or `status.#`.
    const TOPICS: &'static [&'static str];
    /// The service that this worker belongs to: its PostgreSQL schema, its name on status events.
    const SERVICE: &'static str = Self::NAME;
    /// How failed steps are tried again, unless the settings say otherwise.
    const RETRY: RetryPolicy = RetryPolicy::DEFAULT;
    /// How long a job may stay open before it is dead with that reason.
    const GIVE_UP: Duration = Duration::from_secs(24 * 3600);
    /// How many jobs one replica works on at once, unless the settings say otherwise: no more than
    /// its register can take within a lease, for what is taken and has to stand in line is late.
    const AT_ONCE: u16 = 256;
    /// Tables of its own beside the jobs, if any.
    const MIGRATIONS: Option<&'static sqlx::migrate::Migrator> = None;

    /// Flags and environment; the doc comments are the `--help`.
    type Config: clap::Args + Send;
    /// What is known about a job between two steps. `Default` is a job not yet begun.
    type State: Serialize + DeserializeOwned + Default + Send;

    /// Makes the worker from its settings.
    ///
    /// # Errors
    /// [`StartError`] stops the start with its message: a setting is missing or wrong.
    fn build(
        config: Self::Config,
        kit: Kit,
    ) -> impl Future<Output = Result<Self, StartError>> + Send;

    /// Goes one step on with the job of `event`, from `state`.
    ///
    /// Called again after each [`Next::Again`], after each wait, after each failure that may
    /// pass, after a crash (with the state that was last saved) and after an admin's replay.
    ///
    /// # Errors
    /// [`Failure`] says whether it is worth trying again.
    fn step(
        &self,
        event: &Event,
        state: Self::State,
    ) -> impl Future<Output = Result<Step<Self::State>, Failure>> + Send;

    /// The state to go on from when a person has looked at the register and found no trace of the
    /// effect: from there it is sent anew, as another attempt. A worker that stops as *unknown*
    /// says here how; by default the state stays, and a replay asks the register itself.
    #[must_use]
    fn absent(state: Self::State) -> Self::State {
        state
    }

    /// How the job ends when a person has found the effect at the register. By default it is done;
    /// a worker that has books of its own goes on once more to enter it.
    fn found(state: Self::State) -> Step<Self::State> {
        Step::done(state)
    }

    /// Further HTTP routes of this service, such as a vendor's callback.
    fn routes(self: std::sync::Arc<Self>) -> axum::Router {
        axum::Router::new()
    }

    /// Work beside the queue, such as a poll; it ends when `kit.shutdown()` is cancelled.
    fn background(self: std::sync::Arc<Self>) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// Where a job goes from here.
#[derive(Debug)]
#[must_use]
pub struct Step<S> {
    pub(crate) state: S,
    pub(crate) next: Next,
    pub(crate) emit: Vec<Event>,
    pub(crate) alias: Option<String>,
}

/// When a job goes on.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Now.
    Again,
    /// After this time.
    Wait(Duration),
    /// Never: it is finished.
    Done,
    /// When a person has looked and replays it.
    Stop(Reason),
}

/// A step taken apart.
#[derive(Debug)]
pub struct Parts<S> {
    /// The state to go on from.
    pub state: S,
    /// When.
    pub next: Next,
    /// What is told.
    pub emit: Vec<Event>,
    /// The register's name for the job.
    pub alias: Option<String>,
}

impl<S> Step<S> {
    /// Save `state` and go on now: the write-ahead mark before a call that must not happen twice.
    pub fn again(state: S) -> Self {
        Self::new(state, Next::Again)
    }

    /// Save `state` and look again after `delay`. Attempts are counted anew, the deadline stays.
    pub fn wait(state: S, delay: Duration) -> Self {
        Self::new(state, Next::Wait(delay))
    }

    /// The job is finished.
    pub fn done(state: S) -> Self {
        Self::new(state, Next::Done)
    }

    /// The job stops as a dead letter for a person, and a replay goes on from `state`.
    ///
    /// For the refusal that settles one attempt for good: `state` is then the next revision.
    /// Where the replay is to go on from where it stood, return [`Failure::Dead`] instead.
    pub fn stop(state: S, reason: Reason) -> Self {
        Self::new(state, Next::Stop(reason))
    }

    /// Whether it is the job's last.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.next == Next::Done
    }

    /// Also tell `event`: it is saved with the state and published before the message is
    /// acknowledged.
    ///
    /// [`Phase::Done`](events::Phase::Done) is a job's last word: of a step that is not the last one it is told as
    /// [`Phase::Working`](events::Phase::Working).
    pub fn emit(mut self, event: Event) -> Self {
        self.emit.push(event);
        self
    }

    /// Remember the register's own name for this job, so that a callback can find it
    /// (see [`Kit::nudge`](crate::Kit::nudge)).
    pub fn known_as(mut self, alias: impl Into<String>) -> Self {
        self.alias = Some(alias.into());
        self
    }

    /// What this step came to, for the tests of a worker.
    #[must_use]
    pub fn parts(self) -> Parts<S> {
        Parts { state: self.state, next: self.next, emit: self.emit, alias: self.alias }
    }

    fn new(state: S, next: Next) -> Self {
        Self { state, next, emit: Vec::new(), alias: None }
    }
}

/// Why a step did not succeed, and what that means.
#[derive(Debug, Clone)]
#[must_use]
pub enum Failure {
    /// It may pass: try again by the retry policy, or after the time that the vendor asks for.
    Retry(Reason, Option<Duration>),
    /// Our own limit gives no turn yet: nothing was asked of the register, and the same is tried after this time. No
    /// attempt is burnt and nobody is told; the reason is for the deadline alone.
    Later(Box<Reason>, Duration),
    /// A person must look. A replay goes on from the state before this step.
    Dead(Reason),
    /// The whole register is away: stop taking messages, probe, go on. No attempt is burnt.
    Down(Reason),
}

impl Failure {
    /// Why.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        match self {
            Self::Retry(reason, _) | Self::Dead(reason) | Self::Down(reason) => reason,
            Self::Later(reason, _) => reason,
        }
    }

    /// The same, with a beginning of its own before its sentences: what it is about, by whoever knows it.
    pub fn about(self, ru: &str, en: &str) -> Self {
        let named = |reason: Reason| {
            let Reason { class, code, text, evidence } = reason;
            let text = Text::new(format!("{ru}. {}", text.ru), format!("{en}. {}", text.en));
            Reason { class, code, text, evidence }
        };
        match self {
            Self::Retry(reason, after) => Self::Retry(named(reason), after),
            Self::Later(reason, after) => Self::Later(Box::new(named(*reason)), after),
            Self::Dead(reason) => Self::Dead(named(reason)),
            Self::Down(reason) => Self::Down(named(reason)),
        }
    }
}

/// A reason for people and machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Reason {
    /// Whether the effect may have happened.
    pub class: Class,
    /// A stable machine word such as `vat_unknown`: dead letters are grouped by it.
    pub code: String,
    /// A whole sentence that names what to do.
    pub text: Text,
    /// What the vendor answered, bounded and without secrets or personal data.
    pub evidence: Option<String>,
}

/// The kinds of reasons that a person on duty must tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The order or our configuration is wrong: mend it, then replay.
    Invalid,
    /// The register said no.
    Refused,
    /// The register or the way to it failed for too long.
    Unavailable,
    /// Nobody can tell whether the effect happened: settle it by hand, never blindly again.
    Unknown,
    /// Our own code failed: a panic, a message that cannot be read, a crash loop.
    Internal,
}

impl Reason {
    /// A reason without evidence.
    #[must_use]
    pub fn new(
        class: Class,
        code: impl Into<String>,
        ru: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self { class, code: code.into(), text: Text::new(ru, en), evidence: None }
    }

    /// With what the vendor answered, cut to 2 000 characters.
    #[must_use]
    pub fn evidence(mut self, evidence: &str) -> Self {
        self.evidence = Some(masked(evidence));
        self
    }
}
