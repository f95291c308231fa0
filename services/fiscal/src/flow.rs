//! The steps of a receipt: planned and written down here, then sent, then looked at.

mod look;
mod send;
mod turn;

use std::time::Duration;

use events::{Event, Fact};
use runtime::{Class, Failure, Reason, Step};
use time::OffsetDateTime;

use crate::{
    Fiscal,
    asked::Asked,
    desk::Desk,
    key,
    ledger::Entry,
    plan::{Plan, left_to_the_shop, plan},
    receipt::Receipt,
    registers::{Naming, Path, Register, RegisterName, Request},
    state::{New, Sending, State},
    store::Turn,
    subject::Subject,
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
    pub(crate) subject: &'a Subject,
    pub(crate) desk: &'a Desk,
}

impl<'a> Job<'a> {
    /// Who asks for a turn at this register.
    fn asked(self, register: RegisterName) -> Turn {
        let account = format!("{} {register:?}", self.subject.shop);
        Turn { account, cause: self.event.id(), happened_at: self.event.time() }
    }

    fn about(self, register: &'a dyn Register, revision: u32) -> About<'a> {
        About { cause: self.event, subject: self.subject, register: register.title(), revision }
    }
}

impl Fiscal {
    pub(crate) async fn go(&self, event: &Event, state: State) -> Result<Step<State>, Failure> {
        let known = key::invoice_id(&event.fact, 1).is_some();
        let Some(subject) = Subject::of(event).filter(|_| known) else {
            return Err(words::fact_unexpected(event));
        };
        let Some(desk) = self.shops.get(&subject.shop) else {
            return Err(words::shop_unknown(&subject));
        };
        let job = Job { event, subject: &subject, desk };
        let written = state.is_written();
        let step = match state {
            State::New(_) | State::Sending(_) if !self.is_wanted(job).await? => {
                Ok(nothing("it was asked for anew"))
            }
            State::New(new) => self.begin(job, new).await,
            State::Sending(sending) => self.send(job, sending).await,
            State::Sent(sent) => self.look(job, sent).await,
            State::Found => self.found(job).await,
            State::Done(_) | State::Nothing { .. } => Ok(Step::done(state)),
        };
        let step = step.map_err(|failure| match failure {
            // One register's absence does not keep the other registers' receipts waiting.
            Failure::Down(reason) if self.has_registers => Failure::Retry(reason, None),
            failure => failure,
        });
        self.note(event, &subject, written, step).await
    }

    /// A person has found the receipt: what waits for it goes on.
    async fn found(&self, job: Job<'_>) -> Result<Step<State>, Failure> {
        let settled = self.outside.ledgers.settle(job.event.id()).await;
        settled.map_err(|error| words::hints_away(job.subject, &error))?;
        let told = words::found(job.event, job.subject, self.now());
        Ok(emit(Step::done(State::Found), told))
    }

    /// Whether no later request has taken the place of an asked one.
    async fn is_wanted(&self, job: Job<'_>) -> Result<bool, Failure> {
        if !matches!(job.event.fact, Fact::ReceiptAsked(_)) {
            return Ok(true);
        }
        let begun = self.outside.requests.begin(job.event.id()).await;
        begun.map_err(|error| words::hints_away(job.subject, &error))
    }

    /// Plans the receipt, enters it into the order's ledger and writes it down.
    async fn begin(&self, job: Job<'_>, new: New) -> Result<Step<State>, Failure> {
        for doubted in &new.doubted {
            if let Some((register, id)) = self.turned_up(job, doubted).await? {
                return Ok(self.go_on(job, register, &new, doubted, id));
            }
        }
        let now = self.now();
        if let Some(held) = new.held.clone().filter(|held| now < held.until) {
            return Err(Failure::Retry(held.reason, Some(until(held.until, now))));
        }
        let planned = self.planned(job, new.looked).await?;
        let deed = match planned {
            Plan::Issue(deed) => deed,
            Plan::Note(_) => return Ok(nothing("noted for a later receipt")),
            Plan::Nothing(why) => return Ok(nothing(why)),
            Plan::Wait(what) => return Ok(self.wait(job, new, now, what)),
        };
        let Some(receipt) = deed.receipt() else { return Ok(nothing("noted")) };
        let Some(register) = job.desk.register(job.subject, now).await? else {
            return Err(words::shop_unknown(job.subject));
        };
        if let Some(wait) = self.turn(job, register.name(), now).await? {
            return Ok(self.pause(job, new, wait, now));
        }
        self.write_down(job, register, &new, receipt)
    }

    /// What follows from the fact, entered into the order's ledger.
    async fn planned(&self, job: Job<'_>, looked: bool) -> Result<Plan, Failure> {
        let ledgers = &self.outside.ledgers;
        let planned = if let Fact::ReceiptAsked(asked) = &job.event.fact {
            let asked = Asked::read(&asked.body);
            let asked = asked.ok_or_else(|| words::fact_unexpected(job.event))?;
            ledgers.enter(job.event, job.subject, looked, |all| asked.plan(all)).await
        } else {
            let plan = |all: &[Entry]| match &job.desk.rules {
                Some(rules) => plan(job.event, all, rules),
                None => left_to_the_shop(job.event, all),
            };
            ledgers.enter(job.event, job.subject, looked, plan).await
        };
        planned.map_err(|error| words::ledger_away(job.subject, &error))?.map_err(|refusal| {
            let text = refusal.text(job.subject);
            let class = if refusal.is_doubt() { Class::Unknown } else { Class::Invalid };
            Failure::Dead(Reason::new(class, refusal.code(), text.ru, text.en))
        })
    }

    /// Waits for an earlier receipt of the order, for most of a day.
    fn wait(&self, job: Job<'_>, new: New, now: OffsetDateTime, what: &str) -> Step<State> {
        let since = new.waits_since.unwrap_or(now);
        if now - since > EARLIER_LONGEST {
            let fresh = New { waits_since: None, ..new };
            return Step::stop(State::New(fresh), words::waited_too_long(job.subject, what));
        }
        self.pause(job, New { waits_since: Some(since), ..new }, EARLIER, now)
    }

    /// Waits, and tells the shop once when that takes longer than a receipt may.
    fn pause(&self, job: Job<'_>, new: New, wait: Duration, now: OffsetDateTime) -> Step<State> {
        let overdue = now - job.event.time() > self.config.fiscal_overdue_after;
        let news = overdue && !new.overdue;
        let told = news.then(|| words::waits_long(job.event, job.subject, new.revision, now));
        emit(Step::wait(State::New(New { overdue, ..new }), wait), told.flatten())
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
            .map_err(|unwritable| words::unwritable(job.subject, register.title(), &unwritable))?;
        let sending = Sending {
            revision: new.revision,
            tries: new.tries,
            looked: new.looked,
            doubted: new.doubted.clone(),
            register: register.name(),
            request: Request { name: name.clone(), path: Path::of(receipt), body },
            first_sent: self.now(),
            mark: self.marks.set(),
        };
        Ok(Step::again(State::Sending(sending)).known_as(register.alias(&name)))
    }

    /// The register to which a receipt was handed over: it stays with it.
    fn register<'a>(&self, job: Job<'a>, name: RegisterName) -> Result<&'a dyn Register, Failure> {
        job.desk.named(name).ok_or_else(|| words::register_unknown(job.subject, name))
    }

    /// Whether the register may have forgotten a request of this age.
    fn is_too_late(&self, register: &dyn Register, sending: &Sending) -> bool {
        register.resend_within().is_some_and(|within| self.now() - sending.first_sent > within)
    }
}

/// The step with what it tells, if there is somebody to tell.
fn emit(step: Step<State>, event: Option<Event>) -> Step<State> {
    match event {
        Some(event) => step.emit(event),
        None => step,
    }
}

fn nothing(why: &str) -> Step<State> {
    Step::done(State::Nothing { why: why.to_owned() })
}

fn until(then: OffsetDateTime, now: OffsetDateTime) -> Duration {
    Duration::try_from(then - now).unwrap_or_default()
}
