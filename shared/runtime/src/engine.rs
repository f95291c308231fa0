//! One message: taken up, stepped, saved, said, acknowledged. No broker and no vendor in here.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use events::Fact;
use futures_util::FutureExt;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    breaker::Breaker,
    bus::{Handler, Incoming, Verdict},
    crash::CrashPoint,
    decide::{Decision, Rules, decide},
    desk::Looked,
    mail::Mail,
    metrics::Metrics,
    outbound::{Abandoned, Outbound},
    pause::pause,
    reasons, renew,
    retry::RetryPolicy,
    store::{Job, Opened, Phase, Save, Saved, Store, StoreError},
    telemetry,
    words::Word,
    worker::{Failure, Next, Step, Worker},
};

/// How often in a row a job may be taken up without a save before it counts as what kills us.
const CRASH_LOOP: u32 = 20;
/// A worker that goes on and on without waiting is broken.
const STEPS: u32 = 100;
/// Between two attempts to reach the store.
const BREATH: Duration = Duration::from_millis(500);

/// Carries the messages of one worker.
pub(crate) struct Engine<W> {
    pub worker: Arc<W>,
    pub store: Store,
    pub outbound: Outbound,
    pub breaker: Arc<Breaker>,
    pub retry: RetryPolicy,
    /// The longest that one step may take: less than the lease.
    pub step_limit: Duration,
    pub metrics: Metrics,
    pub crash: CrashPoint,
}

impl<W: Worker> Handler for Engine<W> {
    async fn handle(self: Arc<Self>, incoming: Incoming, session: CancellationToken) -> Verdict {
        let span = telemetry::process_span(W::NAME, incoming.trace.as_deref());
        match self.process(incoming, &session).instrument(span).await {
            Ok(()) => Verdict::Ack,
            Err(Abandoned) => Verdict::Keep,
        }
    }
}

impl<W: Worker> Engine<W> {
    async fn process(
        &self,
        incoming: Incoming,
        session: &CancellationToken,
    ) -> Result<(), Abandoned> {
        let mail = match Mail::read(incoming) {
            Ok(mail) => mail,
            Err(unreadable) => {
                self.metrics.dead.with_label_values(&[W::NAME, "internal"]).inc();
                tracing::error!(error = %unreadable.error, "a message is no event of ours");
                return self.outbound.unreadable(&unreadable, session).await;
            }
        };
        telemetry::name_event(&mail.event);
        if let Some(death) = mail.given_up {
            let id = mail.event.id();
            return self.until_answered(session, || self.store.give_up(id, death)).await;
        }
        if matches!(mail.event.fact, Fact::OrderChanged(_)) {
            self.changed(&mail.event, session).await?;
            if !renew::wants_changes(W::TOPICS) {
                return Ok(());
            }
        }
        if let Some(wait) = self.breaker.closed_for() {
            return self.outbound.say(&mail, &[], Some(wait), session).await;
        }
        let id = mail.event.id();
        match self.until_answered(session, || self.store.open(mail.opening())).await? {
            Opened::Ours(job) => self.work(&mail, job, session).await,
            Opened::Busy(wait) => self.outbound.say(&mail, &[], Some(wait), session).await,
            Opened::Early { fence, wait, outbox, told: false } => {
                self.outbound.say(&mail, &words(&outbox)?, Some(wait), session).await?;
                self.settle(id, fence).await;
                Ok(())
            }
            Opened::Settled { fence, outbox, told: false } => {
                self.outbound.say(&mail, &words(&outbox)?, None, session).await?;
                self.renew_own(&mail, session).await?;
                self.settle(id, fence).await;
                Ok(())
            }
            // Known already; the broker or the sweeper brings back what is still to be done.
            Opened::Early { told: true, .. } | Opened::Settled { told: true, .. } => {
                self.metrics.duplicates.with_label_values(&[W::NAME]).inc();
                Ok(())
            }
        }
    }

    /// Step after step, until the job is done, dead or waits.
    async fn work(
        &self,
        mail: &Mail,
        mut job: Job,
        session: &CancellationToken,
    ) -> Result<(), Abandoned> {
        // A former owner died between its save and its words: they go first.
        if let Some(outbox) = job.unsaid.take() {
            self.outbound.say(mail, &words(&outbox)?, None, session).await?;
        }
        for steps in 0.. {
            self.crash.pass("before_step", job.id).await;
            let outcome = self.outcome(mail, &job, steps).await;
            self.crash.pass("after_step", job.id).await;
            let away = match &outcome {
                Err(Failure::Down(_)) => self.breaker.found_away(),
                _ => Duration::ZERO,
            };
            let now = OffsetDateTime::now_utc();
            let rules = Rules { retry: self.retry, away, now };
            let decision = decide::<W>(&mail.event, &job, outcome, rules);
            self.note(&decision, mail, now);
            let save = save(&job, &decision)?;
            if self.until_answered(session, || self.store.save(save.clone())).await? == Saved::Lost
            {
                // Another replica has taken it since, or PostgreSQL has forgotten in a crash that it was taken up: the
                // message looks again, and finds it busy, settled or free.
                tracing::warn!("the job is not this replica's any more");
                return self.outbound.say(mail, &[], Some(BREATH), session).await;
            }
            self.crash.pass("after_save", job.id).await;
            if !save.told {
                self.tell(mail, &save, &decision, session).await?;
            }
            if decision.phase != Phase::Held {
                self.crash.pass("before_ack", job.id).await;
                return Ok(());
            }
            let last_error = save.error.or(job.last_error);
            job = Job { state: save.state, attempts: 0, opens: 0, last_error, ..job };
        }
        Ok(())
    }

    /// Says what a save has to say, and notes that it is said.
    async fn tell(
        &self,
        mail: &Mail,
        save: &Save,
        decision: &Decision,
        session: &CancellationToken,
    ) -> Result<(), Abandoned> {
        let come_back = match decision.phase {
            Phase::Waiting(wait) => Some(wait),
            Phase::Held | Phase::Done | Phase::Dead => None,
        };
        self.outbound.say(mail, &decision.words, come_back, session).await?;
        self.crash.pass("after_publish", save.id).await;
        if save.mendable {
            self.renew_own(mail, session).await?;
        }
        match decision.phase {
            Phase::Done | Phase::Dead => self.settle_soon(save.id, save.fence).await,
            Phase::Held | Phase::Waiting(_) => self.settle(save.id, save.fence).await,
        }
        Ok(())
    }

    /// What came of the next step, or why there is none.
    async fn outcome(&self, mail: &Mail, job: &Job, steps: u32) -> Result<Step<W::State>, Failure> {
        if job.opens > CRASH_LOOP {
            return Err(Failure::Dead(reasons::crash_loop(&mail.event, job.opens)));
        }
        if steps >= STEPS {
            return Err(Failure::Dead(reasons::endless(&mail.event)));
        }
        match serde_json::from_str::<Option<W::State>>(&job.state) {
            Ok(state) => {
                let state = state.unwrap_or_default();
                // Only the replay itself: should we die before the save, the worker asks the register.
                match mail.looked().filter(|_| steps == 0 && job.revived) {
                    Some(Looked::Absent) => Ok(Step::again(W::absent(state))),
                    Some(Looked::Found) => Ok(W::found(state)),
                    None => self.step(mail, state).await,
                }
            }
            Err(error) => Err(Failure::Dead(reasons::unreadable_state(&mail.event, &error))),
        }
    }

    /// One call of the worker, within its time; a panic is a dead job and not a dead process.
    async fn step(&self, mail: &Mail, state: W::State) -> Result<Step<W::State>, Failure> {
        let timer = self.metrics.step_seconds.with_label_values(&[W::NAME]).start_timer();
        let step = AssertUnwindSafe(self.worker.step(&mail.event, state)).catch_unwind();
        let outcome = match tokio::time::timeout(self.step_limit, step).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_panic)) => Err(Failure::Dead(reasons::panicked(&mail.event))),
            // The call may have gone out: the worker's write-ahead mark tells it to ask.
            Err(_) => Err(Failure::Retry(reasons::too_slow(&mail.event), None)),
        };
        timer.observe_duration();
        if shows_register(&outcome) {
            self.breaker.answered();
        }
        outcome
    }

    /// The order may have been changed while this job was on its way to die.
    async fn renew_own(&self, mail: &Mail, session: &CancellationToken) -> Result<(), Abandoned> {
        match mail.event.order() {
            Some(order) => self.renew(&renew::subject(order), session).await,
            None => Ok(()),
        }
    }

    /// Asks the store until it answers: no attempt is burnt while PostgreSQL is away.
    pub(crate) async fn until_answered<T, F>(
        &self,
        session: &CancellationToken,
        ask: impl Fn() -> F,
    ) -> Result<T, Abandoned>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        loop {
            match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) => tracing::warn!(%error, "the store is away"),
            }
            if !pause(BREATH, session).await {
                return Err(Abandoned);
            }
        }
    }

    /// Everything was said. Losing this note costs a repetition, so nothing waits for it twice.
    async fn settle(&self, id: Uuid, fence: Uuid) {
        if let Err(error) = self.store.settle(id, fence).await {
            tracing::debug!(%error, "what was said is said once more later");
        }
    }

    /// The same for a job that is not saved again: not even the acknowledgement waits.
    async fn settle_soon(&self, id: Uuid, fence: Uuid) {
        if let Err(error) = self.store.settle_soon(id, fence).await {
            tracing::debug!(%error, "what was said is said once more later");
        }
    }

    /// Metrics, and one log line for a failure.
    fn note(&self, decision: &Decision, mail: &Mail, now: OffsetDateTime) {
        let Decision { outcome, phase, reason, attempts, .. } = decision;
        self.metrics.steps.with_label_values(&[W::NAME, *outcome]).inc();
        match (phase, reason) {
            (Phase::Done, _) => {
                let critical = (now - mail.event.time()).as_seconds_f64();
                self.metrics.critical_seconds.with_label_values(&[W::NAME]).observe(critical);
            }
            (Phase::Dead, Some(reason)) => {
                let class = reasons::class_name(reason.class);
                self.metrics.dead.with_label_values(&[W::NAME, class]).inc();
                tracing::error!(class, reason.code, reason = %reason.text, "a job stopped for a person");
            }
            (Phase::Waiting(pause), Some(reason)) => {
                let retry = pause.as_secs();
                tracing::warn!(attempts, reason.code, reason = %reason.text, retry.s = retry, "a step failed");
            }
            _ => {}
        }
    }
}

/// Whether a step's outcome shows that the register is there. A mark written ahead of a call shows
/// nothing yet: the next step does. Nor does a call that was not made.
fn shows_register<S>(outcome: &Result<Step<S>, Failure>) -> bool {
    !matches!(
        outcome,
        Err(Failure::Down(_) | Failure::Later(..)) | Ok(Step { next: Next::Again, .. })
    )
}

/// What an outbox holds. One that cannot be read was written by a newer version, and is left for
/// that version to say.
fn words(outbox: &str) -> Result<Vec<Word>, Abandoned> {
    serde_json::from_str(outbox).map_err(|error| {
        tracing::error!(%error, "an outbox cannot be read; a newer version must say its words");
        Abandoned
    })
}

fn save(job: &Job, decision: &Decision) -> Result<Save, Abandoned> {
    let outbox = serde_json::to_string(&decision.words).map_err(|error| {
        tracing::error!(%error, "the outbox cannot be written");
        Abandoned
    })?;
    let died_of = decision.reason.as_ref().filter(|_| decision.phase == Phase::Dead);
    Ok(Save {
        mendable: died_of.is_some_and(|reason| renew::is_mendable(reason.class)),
        id: job.id,
        fence: job.fence,
        state: decision.state.clone().unwrap_or_else(|| job.state.clone()),
        phase: decision.phase,
        outbox,
        alias: decision.alias.clone(),
        attempts: decision.attempts,
        error: decision
            .reason
            .as_ref()
            .map(|reason| reason.text.en.clone())
            .or_else(|| decision.trouble.clone()),
        told: decision.words.is_empty() && !matches!(decision.phase, Phase::Waiting(_)),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Failure, Step, shows_register};
    use crate::worker::{Class, Reason};

    #[test]
    fn only_an_outcome_shows_that_the_register_is_there() {
        let why = || Reason::new(Class::Unavailable, "x", "Нет.", "No.");
        for (outcome, expected) in [
            (Ok(Step::again(0)), false),
            (Err(Failure::Down(why())), false),
            (Ok(Step::wait(0, Duration::ZERO)), true),
            (Ok(Step::done(0)), true),
            (Ok(Step::stop(0, why())), true),
            (Err(Failure::Later(Box::new(why()), Duration::ZERO)), false),
            (Err(Failure::Retry(why(), None)), true),
            (Err(Failure::Dead(why())), true),
        ] {
            assert_eq!(shows_register(&outcome), expected, "{outcome:?}");
        }
    }
}
