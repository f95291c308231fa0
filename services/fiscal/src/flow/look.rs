//! Looking at what a register has accepted.

use std::time::Duration;

use runtime::{Failure, Step};

use super::{Job, emit};
use crate::{
    Fiscal,
    registers::{Register, Standing},
    state::{Done, New, Sent, State},
    words,
};

/// Looks in a row that may miss an accepted receipt.
const MISSING_LOOKS: u32 = 10;

impl Fiscal {
    /// Looks how an accepted receipt stands.
    pub(super) async fn look(&self, job: Job<'_>, sent: Sent) -> Result<Step<State>, Failure> {
        let register = self.register(job, sent.register)?;
        let (looked, doubted) = (sent.looked, sent.doubted.clone());
        let next = New { looked, doubted, ..New::revision(sent.revision.saturating_add(1)) };
        match register.look(job.subject, &sent.accepted).await? {
            Standing::Queued => Ok(self.still_queued(job, register, sent)),
            Standing::Issued(fiscal) => {
                let settled = self.outside.ledgers.settle(job.event.id()).await;
                settled.map_err(|error| words::hints_away(job.subject, &error))?;
                let about = job.about(register, sent.revision);
                let done = words::done(about, sent.accepted.path, &fiscal, self.now());
                let Sent { register, accepted, .. } = sent;
                let (fiscal, issued) = ((*fiscal).clone(), fiscal);
                let step = Step::done(State::Done(Done { register, accepted, fiscal }));
                Ok(emit(emit(step, done), words::check_issued(job.event, &issued, self.now())))
            }
            Standing::Failed(message) => {
                let reason = words::receipt_failed(job.subject, register.title(), &message);
                Ok(Step::stop(State::New(next), reason))
            }
            Standing::Expired => Ok(Step::again(State::New(next))),
            Standing::NotFound if sent.missing < MISSING_LOOKS => {
                let pause = self.poll_pause(sent.missing);
                let missing = sent.missing.saturating_add(1);
                Ok(Step::wait(State::Sent(Sent { missing, ..sent }), pause))
            }
            Standing::NotFound | Standing::Foreign => Ok(Self::lost(job, register, sent)),
        }
    }

    /// It waits at the register; the shop learns it once when that takes too long.
    fn still_queued(&self, job: Job<'_>, register: &dyn Register, sent: Sent) -> Step<State> {
        let (now, pause) = (self.now(), self.poll_pause(sent.looks));
        let overdue = now - job.event.time() > self.config.fiscal_overdue_after;
        let news = overdue && !sent.overdue;
        let about = job.about(register, sent.revision);
        let looks = sent.looks.saturating_add(1);
        let step = Step::wait(State::Sent(Sent { looks, missing: 0, overdue, ..sent }), pause);
        if news { emit(step, words::overdue(about, now)) } else { step }
    }

    /// A replay looks again.
    fn lost(job: Job<'_>, register: &dyn Register, sent: Sent) -> Step<State> {
        let reason = words::receipt_lost(job.subject, register.title(), &sent.accepted.id);
        Step::stop(State::Sent(Sent { missing: 0, ..sent }), reason)
    }

    fn poll_pause(&self, looks: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(looks.min(16).saturating_add(1));
        let pause = self.config.cloudkassir_poll.saturating_mul(doubled);
        pause.min(self.config.cloudkassir_poll_longest)
    }
}
