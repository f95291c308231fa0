//! The steps of a receipt: planned and written down here, then sent, then looked at.

mod look;
mod send;
mod turn;

use std::time::Duration;

use events::{Event, OrderRef};
use runtime::{Class, Failure, Reason, Step};
use time::OffsetDateTime;

use crate::{
    Fiscal,
    desk::Desk,
    key,
    plan::{Plan, plan},
    receipt::Receipt,
    registers::{Naming, Path, Register, RegisterName, Request},
    state::{New, Sending, State},
    store::Asked,
    words::{self, About},
};

/// Between two looks for an earlier receipt of the order.
const EARLIER: Duration = Duration::from_secs(15);
/// How long a job waits for one: less than it may stay open, so that the reason can be told.
const EARLIER_LONGEST: Duration = Duration::from_secs(20 * 3600);

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

    /// The register to which a receipt was handed over: it stays with it.
    fn register<'a>(&self, job: Job<'a>, name: RegisterName) -> Result<&'a dyn Register, Failure> {
        job.desk.named(name).ok_or_else(|| words::register_unknown(job.order, name))
    }

    /// Whether the register may have forgotten a request of this age.
    fn is_too_late(&self, register: &dyn Register, sending: &Sending) -> bool {
        register.resend_within().is_some_and(|within| self.now() - sending.first_sent > within)
    }
}

fn nothing(why: &str) -> Step<State> {
    Step::done(State::Nothing { why: why.to_owned() })
}

fn until(then: OffsetDateTime, now: OffsetDateTime) -> Duration {
    Duration::try_from(then - now).unwrap_or_default()
}
