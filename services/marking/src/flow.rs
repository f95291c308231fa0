//! The steps of an order's codes: set aside, taken, asked about, withdrawn, looked at; and back again.

mod back;
mod out;
mod papers;
mod receipt;

use std::time::Duration;

use events::{Event, Fact, Order, OrderRef, Phase, Text};
use runtime::{Failure, Reason, Step};
use time::{Date, OffsetDateTime, UtcOffset};
use uuid::Uuid;

use self::{papers::Sheaf, receipt::Look};
use crate::{
    Marking,
    config::{Alcohol, ReserveOn, Shop},
    gismt::{Error, documents::DocumentType},
    plan,
    state::{New, State},
    store::{Reserve, Reserved, Short},
    words,
};

/// Between two looks for an earlier fact of the order.
const EARLIER: Duration = Duration::from_secs(30);
/// How long a job waits for one: less than it may stay open, so that the reason can be told.
const EARLIER_LONGEST: time::Duration = time::Duration::hours(20);

/// What a step comes to.
type Next = Result<Step<State>, Failure>;

/// What a job is about.
#[derive(Clone, Copy)]
struct Job<'a> {
    event: &'a Event,
    order: &'a OrderRef,
    snapshot: &'a Order,
    shop: &'a Shop,
}

impl Job<'_> {
    fn cause(&self) -> Uuid {
        self.event.id()
    }

    /// Whether goods leave; else they come back.
    fn is_out(&self) -> bool {
        matches!(self.event.fact, Fact::OrderShipped(_))
    }

    /// An error of the register, about this order.
    fn failure(&self, error: Error) -> Failure {
        error.of(&self.order.number).into()
    }

    fn store(&self, error: &sqlx::Error) -> Failure {
        words::store_away(self.order, error)
    }

    /// The name of a document: what happened, which, and which attempt.
    fn paper(&self, kind: DocumentType, what: &str, revision: u32) -> Uuid {
        let name = format!("{} {} {what} {revision}", self.cause(), kind.word());
        Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
    }
}

/// The day in the participant's calendar: GIS MT keeps Moscow's.
fn day(at: OffsetDateTime) -> Date {
    let moscow = UtcOffset::from_hms(3, 0, 0).unwrap_or(UtcOffset::UTC);
    at.to_offset(moscow).date()
}

/// Nothing follows.
fn nothing(why: &str) -> Step<State> {
    Step::done(State::Nothing { why: why.to_owned() })
}

impl Marking {
    pub(crate) async fn go(&self, event: &Event, state: State) -> Next {
        if let Fact::StatusChanged(status) = &event.fact {
            return self.heard(event, status).await;
        }
        let (Some(order), Some(snapshot)) = (event.order(), event.fact.snapshot()) else {
            return Err(words::fact_unexpected(event));
        };
        let Some(shop) = self.shops.get(&order.shop) else {
            let is_marked = plan::marked(snapshot, &Alcohol::default()).next().is_some();
            return if is_marked {
                Err(words::shop_unknown(order))
            } else {
                Ok(nothing("no marked goods"))
            };
        };
        let job = Job { event, order, snapshot, shop };
        match state {
            State::New(new) => self.begin(job, new).await,
            State::Taken { revision, held } if job.is_out() => {
                self.ask_out(job, revision, held).await
            }
            State::Taken { revision, held } => self.ask_back(job, revision, held).await,
            State::Papers { revision, papers, late } => {
                self.advance(job, Sheaf { revision, papers, late }).await
            }
            State::Receipt { revision, held, looks, rest, since, told, late } => {
                let look = Look { revision, held, looks, rest, since, told, late };
                self.look_for_receipt(job, look).await
            }
            State::Done | State::Nothing { .. } => Ok(Step::done(state)),
        }
    }

    async fn begin(&self, job: Job<'_>, new: New) -> Next {
        match &job.event.fact {
            Fact::OrderCreated(_) if job.shop.reserve_on == ReserveOn::Created => {
                self.reserve(job).await
            }
            // What was short at first may be there by now.
            Fact::OrderPaid(_) => self.reserve(job).await,
            Fact::OrderChanged(_)
                if job.shop.reserve_on == ReserveOn::Created || plan::is_paid(job.snapshot) =>
            {
                self.reserve(job).await
            }
            Fact::OrderCreated(_) | Fact::OrderChanged(_) => {
                Ok(nothing("codes are set aside when the order is paid"))
            }
            Fact::OrderShipped(fact) => self.leave(job, new, fact.shipment).await,
            Fact::OrderCancelled(_) => self.cancel(job, new).await,
            Fact::OrderReturned(fact) => self.come_back(job, new, &fact.lines).await,
            _ => Err(words::fact_unexpected(job.event)),
        }
    }

    /// Sets codes aside.
    async fn reserve(&self, job: Job<'_>) -> Next {
        if job.snapshot.canceled {
            return Ok(nothing("the order is cancelled"));
        }
        let wanted =
            plan::wanted(job.snapshot, job.shop).map_err(|f| words::fault(job.order, &f))?;
        let is_change = matches!(job.event.fact, Fact::OrderChanged(_));
        // Its last marked line may have been taken out just now.
        let had = self.store.has_lines(job.order).await.map_err(|error| job.store(&error))?;
        if wanted.is_empty() && !(is_change && had) {
            return Ok(nothing("no marked goods"));
        }
        let ask =
            Reserve { snapshot: job.snapshot, wanted: &wanted, cause: job.cause(), leaving: &[] };
        let reserved = self.store.reserve(ask).await.map_err(|error| job.store(&error))?;
        let Some(Reserved { short, changed }) = reserved else {
            return Ok(nothing("the order is cancelled"));
        };
        if is_change && short.is_empty() && !changed {
            return Ok(nothing("its codes stay as they are"));
        }
        let (code, text) = self.set_aside(job, &short, wanted.iter().map(|line| line.count).sum());
        let event = words::status(job.event, job.order, (Phase::Working, code), text, self.now());
        Ok(Step::done(State::Done).emit(event))
    }

    fn set_aside(&self, job: Job<'_>, short: &[Short], count: i64) -> (&'static str, Text) {
        match short {
            [] => ("codes_reserved", words::reserved(job.order, count)),
            short if short.iter().all(|one| matches!(one, Short::Surplus { .. })) => {
                ("codes_surplus", words::surplus(job.order, short))
            }
            short => ("codes_short", words::short(job.order, short)),
        }
    }

    /// Another service has told something of the order: that a sale is receipted is worth knowing.
    async fn heard(&self, event: &Event, status: &events::Status) -> Next {
        // Only a sale's receipt says this property; see the service fiscal.
        let number = status.properties.get("CLOUDKASSIR_FD");
        let (Some(number), true) = (number, status.phase == Phase::Done) else {
            return Ok(nothing("no receipt of a sale"));
        };
        if !self.shops.contains_key(&status.order.shop) {
            return Ok(nothing("no shop of ours"));
        }
        let noted = self.store.receipted(&status.order, number, event.time()).await;
        noted.map_err(|error| words::store_away(&status.order, &error))?;
        Ok(Step::done(State::Done))
    }

    /// Waits for an earlier fact of the order, for most of a day; then stops with `reason`.
    fn wait_earlier(&self, new: &New, reason: Reason) -> Step<State> {
        let since = new.waits_since.unwrap_or_else(|| self.now());
        if self.now() - since > EARLIER_LONGEST {
            return Step::stop(State::New(New::revision(new.revision)), reason);
        }
        Step::wait(State::New(New { waits_since: Some(since), ..new.clone() }), EARLIER)
    }

    /// Whether the law's time to withdraw what left with this shipment is over.
    fn is_late(&self, job: Job<'_>) -> bool {
        job.is_out() && self.now() - job.event.time() > job.shop.withdraw_within
    }

    /// The shop hears that the law's time is over.
    fn late_status(&self, job: Job<'_>) -> Event {
        let text = words::withdrawal_late(job.order);
        words::status(job.event, job.order, (Phase::Retrying, "withdrawal_late"), text, self.now())
    }

    /// The pause before the next look, after so many.
    fn pause(&self, looks: u32) -> Duration {
        let factor = 2_u32.saturating_pow(looks.min(20));
        self.config.marking_poll.saturating_mul(factor).min(self.config.marking_poll_longest)
    }
}
