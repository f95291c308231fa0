//! The steps of a receipt.

use std::time::Duration;

use events::{Event, OrderRef};
use runtime::{Class, Failure, Reason, Step, Worker as _};
use time::OffsetDateTime;

use crate::{
    Fiscal,
    desk::Desk,
    key,
    marks::Doubt,
    plan::{Plan, plan},
    receipt::Receipt,
    registers::{Accepted, Error, Naming, Path, Register, RegisterName, Request, Standing, What},
    state::{Done, Held, New, Sending, Sent, State},
    store::Asked,
    words::{self, About},
};

/// Looks in a row that may miss an accepted receipt.
const MISSING_LOOKS: u32 = 10;
/// Attempts without a connection after which a job does not go on at once.
const HASTY_TRIES: u32 = 3;
/// Between two looks for an earlier receipt of the order.
const EARLIER: Duration = Duration::from_secs(15);
/// How long a job waits for one: less than it may stay open, so that the reason can be told.
const EARLIER_LONGEST: Duration = Duration::from_secs(20 * 3600);

/// How long a register that asked for patience is taken for a slow one.
const SLOW: Duration = Duration::from_secs(60);
/// When to ask again where a register does not say when.
const AT_ONCE: Duration = Duration::from_secs(1);

/// What a job is about.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) event: &'a Event,
    pub(crate) order: &'a OrderRef,
    pub(crate) desk: &'a Desk,
}

impl<'a> Job<'a> {
    /// Who asks for a turn at this register.
    fn asked(self, register: RegisterName) -> Asked {
        let account = format!("{} {register:?}", self.order.shop);
        Asked { account, cause: self.event.id(), happened_at: self.event.time() }
    }

    fn about(self, register: &'a dyn Register, revision: u32) -> About<'a> {
        About { cause: self.event, order: self.order, register: register.title(), revision }
    }
}

impl Fiscal {
    pub(crate) async fn go(&self, event: &Event, state: State) -> Result<Step<State>, Failure> {
        let Some(order) = event.order().filter(|_| key::invoice_id(&event.fact, 1).is_some())
        else {
            return Err(words::fact_unexpected(event));
        };
        let Some(desk) = self.shops.get(&order.shop) else {
            return Err(words::shop_unknown(order));
        };
        let job = Job { event, order, desk };
        let step = match state {
            State::New(new) => self.begin(job, new).await,
            State::Sending(sending) => self.send(job, sending).await,
            State::Sent(sent) => self.look(job, sent).await,
            State::Done(_) | State::Nothing { .. } => Ok(Step::done(state)),
        };
        step.map_err(|failure| match failure {
            // One register's absence does not keep the other registers' receipts waiting.
            Failure::Down(reason) if self.has_registers => Failure::Retry(reason, None),
            failure => failure,
        })
    }

    /// Plans the receipt, enters it into the order's ledger and writes it down.
    async fn begin(&self, job: Job<'_>, new: New) -> Result<Step<State>, Failure> {
        let now = self.now();
        if let Some(held) = new.held.clone().filter(|held| now < held.until) {
            return Err(Failure::Retry(held.reason, Some(until(held.until, now))));
        }
        let planned = self.planned(job).await?;
        let deed = match planned {
            Plan::Issue(deed) => deed,
            Plan::Note(_) => return Ok(nothing("noted for a later receipt")),
            Plan::Nothing(why) => return Ok(nothing(why)),
            Plan::Wait(what) => return Ok(Self::wait(job, new, now, what)),
        };
        let Some(receipt) = deed.receipt() else { return Ok(nothing("noted")) };
        let Some(register) = job.desk.register(job.order, now).await? else {
            return Err(words::shop_unknown(job.order));
        };
        if let Some(wait) = self.turn(job, register.name(), now).await? {
            return Ok(Step::wait(State::New(new), wait));
        }
        self.write_down(job, register, &new, receipt)
    }

    /// How long to wait for a turn at a register that takes one receipt at a time.
    async fn turn(
        &self,
        job: Job<'_>,
        register: RegisterName,
        now: OffsetDateTime,
    ) -> Result<Option<Duration>, Failure> {
        let pace = job.desk.pace(register, now);
        if pace.is_zero() {
            return Ok(None);
        }
        let turn = self.outside.turns.take(&job.asked(register), now, pace).await;
        let wait = turn.map_err(|error| words::hints_away(job.order, &error))?;
        if wait.is_some() {
            job.desk.slow_down(now + SLOW);
        }
        Ok(wait)
    }

    /// A register that asks for patience gets it from the whole account, and this receipt keeps
    /// its place. Whether that is all that the register said.
    async fn give_way(&self, job: Job<'_>, sending: &Sending, error: &Error) -> bool {
        let What::RateLimited { after } = &error.what else { return false };
        let now = self.now();
        job.desk.slow_down(now + SLOW + after.unwrap_or_default());
        let until = now + after.unwrap_or(AT_ONCE);
        if let Err(error) = self.outside.turns.hold(&job.asked(sending.register), until).await {
            tracing::debug!(%error, "the place in the queue is not kept");
        }
        after.is_none()
    }

    /// What follows from the fact, entered into the order's ledger.
    async fn planned(&self, job: Job<'_>) -> Result<Plan, Failure> {
        let rules = &job.desk.rules;
        let ledgers = &self.outside.ledgers;
        let planned = ledgers.enter(job.event, job.order, |all| plan(job.event, all, rules)).await;
        planned.map_err(|error| words::ledger_away(job.order, &error))?.map_err(|refusal| {
            let text = refusal.text(job.order);
            Failure::Dead(Reason::new(Class::Invalid, refusal.code(), text.ru, text.en))
        })
    }

    /// Waits for an earlier receipt of the order, for most of a day.
    fn wait(job: Job<'_>, new: New, now: OffsetDateTime, what: &str) -> Step<State> {
        let since = new.waits_since.unwrap_or(now);
        if now - since > EARLIER_LONGEST {
            let fresh = New { waits_since: None, ..new };
            return Step::stop(State::New(fresh), words::waited_too_long(job.order, what));
        }
        Step::wait(State::New(New { waits_since: Some(since), ..new }), EARLIER)
    }

    fn write_down(
        &self,
        job: Job<'_>,
        register: &dyn Register,
        new: &New,
        receipt: &Receipt,
    ) -> Result<Step<State>, Failure> {
        let Some(name) = key::invoice_id(&job.event.fact, new.revision) else {
            return Err(words::fact_unexpected(job.event));
        };
        let buyer = job.event.fact.snapshot().and_then(|order| order.buyer.id);
        let naming = Naming { name: &name, buyer, at: job.event.time() };
        let body = register
            .write(receipt, &naming)
            .map_err(|unwritable| words::unwritable(job.order, register.title(), &unwritable))?;
        let sending = Sending {
            revision: new.revision,
            tries: new.tries,
            register: register.name(),
            request: Request { name: name.clone(), path: Path::of(receipt), body },
            first_sent: self.now(),
            mark: self.marks.set(),
        };
        Ok(Step::again(State::Sending(sending)).known_as(register.alias(&name)))
    }

    /// Sends what is written down; asks first where it may have been sent before.
    async fn send(&self, job: Job<'_>, sending: Sending) -> Result<Step<State>, Failure> {
        let register = self.register(job, sending.register)?;
        let doubt = self.marks.take(sending.mark);
        if doubt == Doubt::Sent
            && let Some(id) = self.hinted(job, register, &sending).await?
        {
            return Ok(self.accepted(job, register, sending, id));
        }
        // Also where this process has sent nothing: it may have been stopped for an hour, and
        // another have sent meanwhile what the register no longer knows again.
        if self.is_too_late(register, &sending) {
            let name = &sending.request.name;
            return Err(words::outcome_unknown(job.order, register.title(), name));
        }
        match register.register(job.order, &sending.request).await {
            Ok(id) => Ok(self.accepted(job, register, sending, id)),
            Err(error) => {
                let waits = register.is_paced() && self.give_way(job, &sending, &error).await;
                if waits && doubt == Doubt::None {
                    // It waits for its turn, like all receipts of this account.
                    let new = New { tries: sending.tries, ..New::revision(sending.revision) };
                    return Ok(Step::wait(State::New(new), AT_ONCE));
                }
                self.not_accepted(&sending, doubt, error)
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
        let Some(id) = hint.map_err(|error| words::hints_away(job.order, &error))? else {
            return Ok(None);
        };
        match register.bears(job.order, &id, name).await {
            Ok(true) => Ok(Some(id)),
            Ok(false) => {
                tracing::warn!("a notification named a receipt that is not this order's");
                Ok(None)
            }
            // The notification is signed: as long as it is not refuted, nothing is sent again.
            Err(_) if self.is_too_late(register, sending) => {
                Err(words::outcome_unknown(job.order, register.title(), name))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn accepted(
        &self,
        job: Job<'_>,
        register: &dyn Register,
        sending: Sending,
        id: String,
    ) -> Step<State> {
        let Sending { revision, request: Request { name, path, .. }, .. } = sending;
        let working = words::working(job.about(register, revision), self.now());
        let accepted = Accepted { name, id, path };
        let register = sending.register;
        let sent = Sent { revision, register, accepted, looks: 0, missing: 0, overdue: false };
        Step::wait(State::Sent(sent), self.config.cloudkassir_poll).emit(working)
    }

    /// What follows from a request that was not accepted.
    ///
    /// A refusal of what the receipt says holds for every sending of the same bytes: this revision
    /// is settled. A refusal for the register's own condition holds for this sending only, as does
    /// everything else that was certainly not carried out: it leaves nothing behind unless
    /// something was sent before. The rest stays in doubt, under the same key.
    fn not_accepted(
        &self,
        sending: &Sending,
        doubt: Doubt,
        error: Error,
    ) -> Result<Step<State>, Failure> {
        let sure = doubt == Doubt::None;
        let revision = match &error.what {
            what @ What::Refused { .. } if sure || !what.is_passing() => {
                sending.revision.saturating_add(1)
            }
            what if sure && what.had_no_effect() => sending.revision,
            _ => return Err(error.into()),
        };
        let tries = sending.tries.saturating_add(1);
        let new = |held| State::New(New { tries, held, ..New::revision(revision) });
        let pause = Self::RETRY.pause(tries).unwrap_or(Self::RETRY.longest);
        Ok(match error.into() {
            Failure::Retry(reason, after) => {
                let until = self.now() + after.unwrap_or(pause);
                Step::again(new(Some(Held { reason, until })))
            }
            // The next step pings and tells that the register is away.
            Failure::Down(_) if tries <= HASTY_TRIES => Step::again(new(None)),
            Failure::Down(_) => Step::wait(new(None), pause),
            Failure::Dead(reason) => Step::stop(State::New(New::revision(revision)), reason),
        })
    }

    /// Looks how an accepted receipt stands.
    async fn look(&self, job: Job<'_>, sent: Sent) -> Result<Step<State>, Failure> {
        let register = self.register(job, sent.register)?;
        match register.look(job.order, &sent.accepted).await? {
            Standing::Queued => Ok(self.still_queued(job, register, sent)),
            Standing::Issued(fiscal) => {
                let settled = self.outside.ledgers.settle(job.event.id()).await;
                settled.map_err(|error| words::hints_away(job.order, &error))?;
                let about = job.about(register, sent.revision);
                let done = words::done(about, sent.accepted.path, &fiscal, self.now());
                let Sent { register, accepted, .. } = sent;
                let fiscal = *fiscal;
                Ok(Step::done(State::Done(Done { register, accepted, fiscal })).emit(done))
            }
            Standing::Failed(message) => {
                let next = New::revision(sent.revision.saturating_add(1));
                let reason = words::receipt_failed(job.order, register.title(), &message);
                Ok(Step::stop(State::New(next), reason))
            }
            Standing::Expired => {
                Ok(Step::again(State::New(New::revision(sent.revision.saturating_add(1)))))
            }
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
        if news { step.emit(words::overdue(about, now)) } else { step }
    }

    /// A replay looks again.
    fn lost(job: Job<'_>, register: &dyn Register, sent: Sent) -> Step<State> {
        let reason = words::receipt_lost(job.order, register.title(), &sent.accepted.id);
        Step::stop(State::Sent(Sent { missing: 0, ..sent }), reason)
    }

    /// The register to which a receipt was handed over: it stays with it.
    fn register<'a>(&self, job: Job<'a>, name: RegisterName) -> Result<&'a dyn Register, Failure> {
        job.desk.named(name).ok_or_else(|| words::register_unknown(job.order, name))
    }

    /// Whether the register may have forgotten a request of this age.
    fn is_too_late(&self, register: &dyn Register, sending: &Sending) -> bool {
        register.resend_within().is_some_and(|within| self.now() - sending.first_sent > within)
    }

    fn poll_pause(&self, looks: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(looks.min(16).saturating_add(1));
        let pause = self.config.cloudkassir_poll.saturating_mul(doubled);
        pause.min(self.config.cloudkassir_poll_longest)
    }
}

fn nothing(why: &str) -> Step<State> {
    Step::done(State::Nothing { why: why.to_owned() })
}

fn until(then: OffsetDateTime, now: OffsetDateTime) -> Duration {
    Duration::try_from(then - now).unwrap_or_default()
}
