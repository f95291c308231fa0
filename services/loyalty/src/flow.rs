//! The steps of an order: which operations follow from a fact, and what their outcomes mean.
//!
//! Operations are planned, saved, and only then carried out: after a crash the same ones go out
//! again, under the same names, whatever the settings say by then.

use std::{collections::VecDeque, time::Duration};

use events::{Event, Fact, OrderRef};
use runtime::{Failure, Step};
use serde::{Deserialize, Serialize};

use crate::{
    Loyalty, ask,
    config::Master,
    known,
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
        /// How many each of them moved, in kopecks: told to the shop once 1C knows.
        #[serde(default)]
        applied: Vec<i64>,
        /// Which attempt.
        revision: u32,
    },
    /// 1C has refused, or has not answered in time, a redemption: it is taken back here, and
    /// withdrawn there where 1C may have got it.
    Refusing {
        /// The redemption, and what was to follow it.
        ask: Vec<Request>,
        /// Which attempt.
        revision: u32,
        /// Whether 1C has said no: then it has noted nothing.
        refused: bool,
        /// Whether 1C was not asked, for no phone is surely the buyer's.
        #[serde(default)]
        nameless: bool,
    },
    /// Done.
    Done,
}

pub(crate) type Next = Result<Step<State>, Failure>;

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
            State::Telling { ask, applied, revision } => {
                let step = self.tell_onec(event, order, &ask, &applied, revision).await?;
                let Some(told) = step.is_done().then(|| self.moved(event, order, &ask, &applied))
                else {
                    return Ok(step);
                };
                Ok(told.into_iter().fold(step, Step::emit))
            }
            State::Refusing { ask, revision, refused, nameless } => {
                let reason = |asked| match (refused, nameless) {
                    (true, _) => words::points_insufficient(order, asked),
                    (false, true) => words::phone_missing(order),
                    (false, false) => words::onec_away(order),
                };
                self.refuse(order, &ask, refused, reason).await.map(|reason| match reason {
                    Some(reason) => Step::stop(State::Again(revision + 1), reason),
                    None => Step::done(State::Done),
                })
            }
            State::Done => Ok(Step::done(State::Done)),
        }
    }

    async fn plan(&self, event: &Event, order: &OrderRef, revision: u32, looks: u32) -> Next {
        let Some(shop) = self.shops.get(&order.shop) else { return Ok(Step::done(State::Done)) };
        let planner = plan::Planner { bank: &self.bank, program: &self.program, shop, revision };
        let plan = match &event.fact {
            Fact::OrderCreated(fact) => planner.created(&fact.order).await,
            Fact::OrderPaid(fact) => planner.paid(fact, looks < LOOKS).await,
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
        let (mut moved, mut applied) = (Vec::new(), Vec::new());
        let mut ask = VecDeque::from(ask);
        while let Some(request) = ask.pop_front() {
            let answered = self.bank.apply(request.clone()).await;
            let answered = answered.map_err(|_| words::store_away(order))?;
            match answered.answer {
                Answer::Decided(known) | Answer::Repeated(known) if known.outcome.is_done() => {
                    // The cancellation was handled since this was planned, and did not see it.
                    if let Some(undoing) = ask::too_late(&request)
                        && self.is_over(event).await?
                    {
                        ask.push_front(undoing);
                    }
                    applied.push(known.applied);
                    // Of two facts that ask for the same, 1C hears one.
                    moved.push(Request { id: known.id, ..request });
                }
                Answer::Decided(known) | Answer::Repeated(known) => {
                    let asked = request.what.amount().unwrap_or(0);
                    match after_refusal(&request, &known) {
                        Refusal::Harmless => {}
                        Refusal::Stop => {
                            let reason = words::points_insufficient(order, asked);
                            return Ok(Step::stop(State::Again(revision + 1), reason));
                        }
                        Refusal::Instead(other) => {
                            if ask::too_late(&other).is_none() || !self.is_over(event).await? {
                                ask.push_front(*other);
                            }
                        }
                        Refusal::Wrong => {
                            return Err(words::refused(order, known.outcome.as_str()));
                        }
                    }
                }
                // A release that was quicker than its hold.
                Answer::Parked(Waits::Reference) => {}
                Answer::Parked(Waits::Customer | Waits::Decision) => {
                    told.push(words::parked(event, order, now));
                    if let Some(undoing) = ask::too_late(&request)
                        && self.is_over(event).await?
                    {
                        ask.push_front(undoing);
                    }
                }
                Answer::Conflict { .. } => {
                    return Err(words::refused(order, "conflict_payload_mismatch"));
                }
            }
        }
        // Where 1C is the master, it is not done before 1C knows.
        let step = if self.program.master == Master::OneC && !moved.is_empty() {
            Step::again(State::Telling { ask: moved, applied, revision })
        } else {
            told.extend(self.moved(event, order, &moved, &applied));
            Step::done(State::Done)
        };
        Ok(told.into_iter().fold(step, Step::emit))
    }

    async fn is_over(&self, event: &Event) -> Result<bool, Failure> {
        match event.fact.snapshot() {
            Some(order) => known::is_over(&self.bank, order).await,
            None => Ok(false),
        }
    }

    /// What the shop learns of operations that moved so many kopecks of points each.
    pub(crate) fn moved(
        &self,
        event: &Event,
        order: &OrderRef,
        operations: &[Request],
        applied: &[i64],
    ) -> Vec<Event> {
        let now = self.bank.store().now();
        let word = |(request, kopecks): (&Request, &i64)| {
            words::moved(event, order, request, *kopecks, now)
        };
        operations.iter().zip(applied).map(word).collect()
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
            ask::spend_instead(request)
                .map_or(Refusal::Wrong, |debit| Refusal::Instead(Box::new(debit)))
        }
        // What spent it is taken back for itself.
        (Kind::Release, Outcome::AlreadyCaptured) if ask::is_undoing(request) => Refusal::Harmless,
        (Kind::Release, Outcome::AlreadyCaptured) => ask::reverse_instead(request)
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
