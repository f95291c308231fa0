//! Sending what is written down, and what follows from the answer.

use runtime::{Failure, Step, Worker as _};

use super::{Job, emit, turn::AT_ONCE};
use crate::{
    Fiscal,
    marks::Doubt,
    registers::{Accepted, Error, Register, Request, What},
    state::{Doubted, Held, New, Sending, Sent, State},
    words,
};

/// Attempts without a connection after which a job does not go on at once.
const HASTY_TRIES: u32 = 3;
impl Fiscal {
    /// Sends what is written down; asks first where it may have been sent before.
    pub(super) async fn send(
        &self,
        job: Job<'_>,
        sending: Sending,
    ) -> Result<Step<State>, Failure> {
        let register = self.register(job, sending.register)?;
        let doubt = self.marks.take(sending.mark);
        if doubt == Doubt::Sent {
            let mut id = self.hinted(job, register, &sending).await?;
            if id.is_none() {
                id = register.find(job.subject, &sending.request.name).await?;
            }
            if let Some(id) = id {
                return Ok(self.accepted(job, register, sending, id));
            }
        }
        // Also where this process has sent nothing: it may have been stopped for an hour, and
        // another have sent meanwhile what the register no longer knows again.
        if self.is_too_late(register, &sending) {
            let name = &sending.request.name;
            return Err(words::outcome_unknown(job.subject, register.title(), name));
        }
        match register.register(job.subject, &sending.request).await {
            Ok(id) => Ok(self.accepted(job, register, sending, id)),
            Err(error) => {
                let waits = register.is_paced() && self.give_way(job, &sending, &error).await;
                if waits && doubt == Doubt::None {
                    // It waits for its turn, like all receipts of this account.
                    let Sending { revision, tries, looked, doubted, .. } = sending;
                    let new = New { tries, looked, doubted, ..New::revision(revision) };
                    return Ok(Step::wait(State::New(new), AT_ONCE));
                }
                self.not_accepted(job, &sending, doubt, error)
            }
        }
    }

    /// The register's id of what may have been sent, if a notification told it and the register
    /// confirms that it is ours.
    async fn hinted(
        &self,
        job: Job<'_>,
        register: &dyn Register,
        sending: &Sending,
    ) -> Result<Option<String>, Failure> {
        let name = &sending.request.name;
        let hint = self.outside.hints.get(name).await;
        let Some(id) = hint.map_err(|error| words::hints_away(job.subject, &error))? else {
            return Ok(None);
        };
        match register.bears(job.subject, &id, name).await {
            Ok(true) => Ok(Some(id)),
            Ok(false) => {
                tracing::warn!("a notification named a receipt that is not this order's");
                Ok(None)
            }
            // The notification is signed: as long as it is not refuted, nothing is sent again.
            Err(_) if self.is_too_late(register, sending) => {
                Err(words::outcome_unknown(job.subject, register.title(), name))
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn accepted(
        &self,
        job: Job<'_>,
        register: &dyn Register,
        sending: Sending,
        id: String,
    ) -> Step<State> {
        let Sending { revision, looked, doubted, request, .. } = sending;
        let Request { name, path, .. } = request;
        let sent = Sent {
            revision,
            looked,
            doubted,
            register: sending.register,
            accepted: Accepted { name, id, path },
            looks: 0,
            missing: 0,
            overdue: false,
        };
        self.is_with(job, register, sent)
    }

    /// The register has it: it is looked at until it is issued.
    fn is_with(&self, job: Job<'_>, register: &dyn Register, sent: Sent) -> Step<State> {
        let working = words::working(job.about(register, sent.revision), self.now());
        emit(Step::wait(State::Sent(sent), self.config.cloudkassir_poll), working)
    }

    /// The register, and its id, of what a person did not find, if it is there after all.
    pub(super) async fn turned_up<'a>(
        &self,
        job: Job<'a>,
        doubted: &Doubted,
    ) -> Result<Option<(&'a dyn Register, String)>, Failure> {
        let name = &doubted.name;
        let hint = self.outside.hints.get(name).await;
        let hint = hint.map_err(|error| words::hints_away(job.subject, &error))?;
        let register = match job.desk.named(doubted.register) {
            Some(register) => register,
            None if hint.is_none() => return Ok(None),
            None => return Err(words::register_unknown(job.subject, doubted.register)),
        };
        if let Some(id) = hint {
            match register.bears(job.subject, &id, name).await {
                Ok(true) => return Ok(Some((register, id))),
                // The register does not know it either: the person's word stands.
                Ok(false) | Err(Error { what: What::NotFound, .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(register.find(job.subject, name).await?.map(|id| (register, id)))
    }

    /// Goes on from what is there after all; the revision that was to be sent stays the next one.
    pub(super) fn go_on(
        &self,
        job: Job<'_>,
        register: &dyn Register,
        new: &New,
        doubted: &Doubted,
        id: String,
    ) -> Step<State> {
        let Doubted { name, path, .. } = doubted.clone();
        let alias = register.alias(&name);
        let others = new.doubted.iter().filter(|other| *other != doubted);
        let sent = Sent {
            revision: new.revision.saturating_sub(1),
            looked: new.looked,
            doubted: others.cloned().collect(),
            register: doubted.register,
            accepted: Accepted { name, id, path },
            looks: 0,
            missing: 0,
            overdue: new.overdue,
        };
        self.is_with(job, register, sent).known_as(alias)
    }

    /// What follows from a request that was not accepted.
    ///
    /// A refusal holds for this sending only: keys, settings and the account's condition change
    /// between two sendings of the same bytes. So nothing that was not carried out leaves anything
    /// behind, unless something was sent before; and a refusal then settles this revision. The rest
    /// stays in doubt, under the same key: what lasts is for a person.
    fn not_accepted(
        &self,
        job: Job<'_>,
        sending: &Sending,
        doubt: Doubt,
        error: Error,
    ) -> Result<Step<State>, Failure> {
        let sure = doubt == Doubt::None;
        let revision = match &error.what {
            What::Refused { .. } if sure => sending.revision.saturating_add(1),
            What::Refused { passing: false, .. } => {
                let name = &sending.request.name;
                return Err(words::refused_in_doubt(job.subject, &error, name));
            }
            what if sure && what.had_no_effect() => sending.revision,
            _ => return Err(error.into()),
        };
        let tries = sending.tries.saturating_add(1);
        let (looked, doubted) = (sending.looked, sending.doubted.clone());
        let fresh = New { looked, doubted, ..New::revision(revision) };
        let new = |held| State::New(New { tries, held, ..fresh.clone() });
        let pause = Self::RETRY.pause(tries).unwrap_or(Self::RETRY.longest);
        Ok(match error.into() {
            Failure::Retry(reason, after) => {
                let until = self.now() + after.unwrap_or(pause);
                Step::again(new(Some(Held { reason, until })))
            }
            Failure::Later(_, after) => Step::wait(new(None), after),
            // The next step pings and tells that the register is away.
            Failure::Down(_) if tries <= HASTY_TRIES => Step::again(new(None)),
            Failure::Down(_) => Step::wait(new(None), pause),
            Failure::Dead(reason) => Step::stop(State::New(fresh), reason),
        })
    }
}
