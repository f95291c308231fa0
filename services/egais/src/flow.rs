//! The steps of an order's alcohol: documents are made, sent, answered; and back again.

mod back;
mod out;
mod papers;

use std::time::Duration;

use events::{Event, Fact, Order, OrderRef};
use runtime::{Failure, Reason, Step};
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};
use uuid::Uuid;

use crate::{
    Egais,
    config::Shop,
    plan,
    state::{New, State},
    store, words,
};

/// Between two looks for an earlier fact of the order, at first and at last.
const EARLIER: Duration = Duration::from_secs(30);
/// See [`EARLIER`].
const EARLIER_SELDOM: Duration = Duration::from_secs(30 * 60);
/// How long a job waits for one.
const EARLIER_LONGEST: time::Duration = time::Duration::hours(48);

/// A part of a return that a person does.
const BY_HAND: &str = "by hand";

/// What a step comes to.
type Next = Result<Step<State>, Failure>;

/// What a job is about.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) event: &'a Event,
    pub(crate) order: &'a OrderRef,
    pub(crate) snapshot: &'a Order,
    pub(crate) shop: &'a Shop,
}

impl Job<'_> {
    pub(crate) fn cause(&self) -> Uuid {
        self.event.id()
    }

    /// Whether goods leave; else they come back.
    pub(crate) fn is_out(&self) -> bool {
        matches!(self.event.fact, Fact::OrderShipped(_))
    }

    fn book(&self) -> String {
        store::book(self.order)
    }

    /// How the names of this job's documents begin.
    fn own(&self) -> plan::Own {
        plan::own(self.order, &self.what())
    }

    fn store(&self, error: &sqlx::Error) -> Failure {
        words::store_away(self.order, error)
    }

    fn fault(&self, fault: &plan::Fault) -> Failure {
        words::fault(self.order, fault)
    }

    /// What happened, in a word that stands in names: `s9.1` for the first time that shipment 9 left.
    fn what(&self) -> String {
        match &self.event.fact {
            Fact::OrderShipped(fact) => format!("s{}.{}", fact.shipment, fact.occurrence),
            Fact::OrderReturned(fact) => format!("r{}", fact.occurrence),
            Fact::OrderCancelled(fact) => format!("c{}", fact.occurrence),
            _ => "x".to_owned(),
        }
    }

    /// When it happened, by Moscow's clock, which EGAIS's documents are written by.
    fn moment(&self) -> PrimitiveDateTime {
        let at = match &self.event.fact {
            Fact::OrderShipped(fact) => {
                fact.order.shipment(fact.shipment).and_then(|shipment| shipment.deducted_at)
            }
            _ => None,
        };
        let at = moscow(at.unwrap_or_else(|| self.event.time()));
        PrimitiveDateTime::new(at.date(), at.time())
    }

    fn note(&self) -> String {
        format!("Заказ {}", self.order.number)
    }
}

fn moscow(at: OffsetDateTime) -> OffsetDateTime {
    at.to_offset(UtcOffset::from_hms(3, 0, 0).unwrap_or(UtcOffset::UTC))
}

/// Nothing follows.
fn nothing(why: &str) -> Step<State> {
    Step::done(State::Nothing { why: why.to_owned() })
}

impl Egais {
    pub(crate) async fn go(&self, event: &Event, state: State) -> Next {
        let (Some(order), Some(snapshot)) = (event.order(), event.fact.snapshot()) else {
            return Err(words::fact_unexpected(event));
        };
        // A shop without alcohol is none of this service's.
        let Some(shop) = self.settings.shops.get(&order.shop) else {
            return Ok(nothing("no shop of this service"));
        };
        let job = Job { event, order, snapshot, shop };
        match state {
            State::New(new) => self.begin(job, new).await,
            State::Papers { revision, papers, done, credited, by_hand } => {
                let new = New { revision, done, credited, waits_since: None };
                // What was saved is noted in the books as often as it takes: a second time changes nothing.
                if !by_hand.is_empty() {
                    self.note_by_hand(job, &by_hand).await?;
                }
                self.advance(job, new, papers).await
            }
            State::Done | State::Nothing { .. } => Ok(Step::done(state)),
        }
    }

    async fn begin(&self, job: Job<'_>, new: New) -> Next {
        match &job.event.fact {
            Fact::OrderShipped(fact) => self.leave(job, new, fact.shipment).await,
            Fact::OrderReturned(fact) => {
                let back = plan::returning(job.snapshot, &fact.lines).map_err(|f| job.fault(&f))?;
                self.come_back(job, new, Some(back)).await
            }
            Fact::OrderCancelled(_) => self.come_back(job, new, None).await,
            _ => Err(words::fact_unexpected(job.event)),
        }
    }

    /// Waits for an earlier fact of the order; then stops with `reason`.
    fn wait_earlier(&self, new: New, reason: Reason) -> Step<State> {
        let since = new.waits_since.unwrap_or_else(|| self.now());
        if self.now() - since > EARLIER_LONGEST {
            return Step::stop(State::New(New { waits_since: None, ..new }), reason);
        }
        // The longer it has waited, the less it looks.
        let waited = (self.now() - since).unsigned_abs();
        let pause = (waited / 4).clamp(EARLIER, EARLIER_SELDOM);
        Step::wait(State::New(New { waits_since: Some(since), ..new }), pause)
    }
}
