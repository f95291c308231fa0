//! The steps of an order: which operations follow from a fact, and what their outcomes mean.
//!
//! Operations are planned, saved, and only then carried out: after a crash the same ones go out
//! again, under the same names, whatever the settings say by then.

use std::{collections::VecDeque, time::Duration};

use events::{Event, Fact, OrderRef, Phone};
use runtime::{Failure, Step};
use serde::{Deserialize, Serialize};

use crate::{
    Loyalty,
    config::{Away, Master},
    ledger::{Answer, Kind, Known, Outcome, Request, Waits},
    plan::{self, Plan},
    words,
};

/// How long a return waits for the accrual that it may have overtaken, and how often it looks.
const LOOK: Duration = Duration::from_secs(30);
/// See [`LOOK`].
pub(crate) const LOOKS: u32 = 10;

/// What is known of a job.
#[derive(Debug, Default, Serialize, Deserialize)]
pub enum State {
    /// Nothing done yet.
    #[default]
    New,
    /// It waits for an earlier fact of the order; looked for so often.
    Looking(u32),
    /// A person has looked; the next attempt has names of its own.
    Again(u32),
    /// Decided upon and written down.
    Planned {
        /// The operations, in order.
        ask: Vec<Request>,
        /// Which attempt.
        revision: u32,
    },
    /// Carried out here; 1C is to be told.
    Telling {
        /// The operations that moved points.
        ask: Vec<Request>,
        /// Which attempt.
        revision: u32,
    },
    /// Done.
    Done,
}

type Next = Result<Step<State>, Failure>;

impl Loyalty {
    pub(crate) async fn go(&self, event: &Event, state: State) -> Next {
        let (Some(order), Some(_)) = (event.order(), event.fact.snapshot()) else {
            return Err(words::fact_unexpected(event));
        };
        match state {
            State::New => self.plan(event, order, 0, 0).await,
            State::Looking(looks) => self.plan(event, order, 0, looks).await,
            State::Again(revision) => self.plan(event, order, revision, LOOKS).await,
            State::Planned { ask, revision } => self.carry_out(event, order, ask, revision).await,
            State::Telling { ask, revision } => self.tell_onec(event, order, ask, revision).await,
            State::Done => Ok(Step::done(State::Done)),
        }
    }

    async fn plan(&self, event: &Event, order: &OrderRef, revision: u32, looks: u32) -> Next {
        let Some(shop) = self.shops.get(&order.shop) else { return Ok(Step::done(State::Done)) };
        let planner = plan::Planner { bank: &self.bank, program: &self.program, shop, revision };
        let plan = match &event.fact {
            Fact::OrderCreated(fact) => planner.created(&fact.order).await,
            Fact::OrderPaid(fact) => planner.paid(&fact.order).await,
            Fact::OrderCompleted(fact) => {
                planner.completed(&fact.order, fact.occurrence, event.time()).await
            }
            Fact::OrderCancelled(fact) => planner.cancelled(&fact.order, fact.occurrence).await,
            Fact::OrderReturned(fact) => planner.returned(fact, looks < LOOKS).await,
            _ => return Err(words::fact_unexpected(event)),
        };
        Ok(match plan? {
            Plan::Nothing => Step::done(State::Done),
            Plan::Wait => Step::wait(State::Looking(looks + 1), LOOK),
            Plan::Stop(reason) => Step::stop(State::Again(revision + 1), reason),
            Plan::Ask(ask) => Step::again(State::Planned { ask, revision }),
        })
    }

    async fn carry_out(
        &self,
        event: &Event,
        order: &OrderRef,
        ask: Vec<Request>,
        revision: u32,
    ) -> Next {
        let now = self.bank.store().now();
        let mut told = Vec::new();
        let mut moved = Vec::new();
        let mut ask = VecDeque::from(ask);
        while let Some(request) = ask.pop_front() {
            let answered = self.bank.apply(request.clone()).await;
            let answered = answered.map_err(|_| words::store_away(order))?;
            match answered.answer {
                Answer::Decided(known) | Answer::Repeated(known) if known.outcome.is_done() => {
                    told.push(words::moved(event, order, request.what.kind(), known.applied, now));
                    moved.push(request);
                }
                Answer::Decided(known) | Answer::Repeated(known) => {
                    let asked = request.what.amount().unwrap_or(0);
                    match after_refusal(&request, &known) {
                        Refusal::Harmless => {}
                        Refusal::Stop => {
                            let reason = words::points_insufficient(order, asked);
                            return Ok(Step::stop(State::Again(revision + 1), reason));
                        }
                        Refusal::Instead(other) => ask.push_front(*other),
                        Refusal::Wrong => {
                            return Err(words::refused(order, known.outcome.as_str()));
                        }
                    }
                }
                // A release that was quicker than its hold.
                Answer::Parked(Waits::Reference) => {}
                Answer::Parked(Waits::Customer | Waits::Decision) => {
                    told.push(words::parked(event, order, now));
                }
                Answer::Conflict { .. } => {
                    return Err(words::refused(order, "conflict_payload_mismatch"));
                }
            }
        }
        let step = if self.program.master == Master::OneC && !moved.is_empty() {
            Step::again(State::Telling { ask: moved, revision })
        } else {
            Step::done(State::Done)
        };
        Ok(told.into_iter().fold(step, Step::emit))
    }

    /// Writes through to 1C, which is the master. It knows a repeat by the operation's id.
    async fn tell_onec(
        &self,
        event: &Event,
        order: &OrderRef,
        ask: Vec<Request>,
        revision: u32,
    ) -> Next {
        let Some(onec) = &self.onec else { return Ok(Step::done(State::Done)) };
        let buyer = event.fact.snapshot().and_then(|order| order.buyer.phone.as_deref());
        let buyer: Option<Phone> = buyer.and_then(|phone| phone.parse().ok());
        for request in &ask {
            let spends = matches!(request.what.kind(), Kind::Hold | Kind::Debit);
            let Err(error) = onec.tell(request, request.phone.or(buyer)).await else { continue };
            let refuses = self.program.when_1c_is_away == Away::Refuse && error.is_not_sent();
            if spends && (error.is_refusal() || refuses) {
                self.undo(order, request).await?;
                let asked = request.what.amount().unwrap_or(0);
                let reason = match error.is_refusal() {
                    true => words::points_insufficient(order, asked),
                    false => words::onec_away(order),
                };
                return Ok(Step::stop(State::Again(revision + 1), reason));
            }
            return Err(error.failure(order));
        }
        Ok(Step::done(State::Done))
    }

    /// Takes back here what 1C did not take there.
    async fn undo(&self, order: &OrderRef, request: &Request) -> Result<(), Failure> {
        let release = plan::undo(request);
        self.bank.apply(release).await.map(drop).map_err(|_| words::store_away(order))
    }
}

/// What follows from a refusal.
enum Refusal {
    /// Nothing is left to do.
    Harmless,
    /// A person must look; a replay tries anew.
    Stop,
    /// Something else does what was wanted.
    Instead(Box<Request>),
    /// It cannot be.
    Wrong,
}

fn after_refusal(request: &Request, known: &Known) -> Refusal {
    match (request.what.kind(), known.outcome) {
        (Kind::Hold | Kind::Debit, Outcome::InsufficientBalance) => Refusal::Stop,
        (Kind::Capture, Outcome::AlreadyCaptured) => Refusal::Harmless,
        // The hold timed out, or was never granted: the points are taken without it, if there.
        (Kind::Capture, Outcome::AlreadyReleased | Outcome::NothingToUndo) => {
            plan::spend_instead(request)
                .map_or(Refusal::Wrong, |debit| Refusal::Instead(Box::new(debit)))
        }
        (Kind::Release, Outcome::AlreadyCaptured) => plan::reverse_instead(request)
            .map_or(Refusal::Wrong, |reversal| Refusal::Instead(Box::new(reversal))),
        (
            Kind::Release | Kind::Reversal,
            Outcome::AlreadyReleased
            | Outcome::AlreadyReversed
            | Outcome::NothingToUndo
            | Outcome::ExceedsOriginal,
        ) => Refusal::Harmless,
        _ => Refusal::Wrong,
    }
}
