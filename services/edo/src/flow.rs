//! The steps of an order's document: details and buyer, bytes, signature, sending, the buyer's answer.

mod cloud;
mod partner;
mod send;
mod watch;
mod write;

pub(crate) use watch::Decision;

use std::{collections::BTreeMap, time::Duration};

use events::{Event, Fact, Order, OrderRef, Phase, Text};
use runtime::{Failure, Step};
use uuid::Uuid;

use self::{cloud::Asked, send::Marked};
use crate::{
    Edo,
    config::{BuyerProperties, Shop},
    diadoc::{Error, Posted, Revocation},
    plan::{self, About},
    state::{Attempt, State},
    store::{Standing, TakenBack},
    words,
};

/// What a step comes to.
type Next = Result<Step<State>, Failure>;

/// What a job is about.
#[derive(Clone, Copy)]
struct Job<'a> {
    event: &'a Event,
    order: &'a OrderRef,
    snapshot: &'a Order,
    shop: &'a Shop,
    about: About,
}

impl Job<'_> {
    /// An error of Diadoc, about this order.
    fn failure(&self, error: Error) -> Failure {
        error.of(&self.order.number).into()
    }

    fn store(&self, error: &sqlx::Error) -> Failure {
        words::store_away(self.order, error)
    }

    fn tells(&self, attempt: &Attempt) -> words::About<'_> {
        words::About { cause: self.event.id(), order: self.order, revision: attempt.revision }
    }

    /// Our name for the document of an attempt: what happened, and which attempt.
    fn document(&self, attempt: &Attempt) -> Uuid {
        let name = format!("{} {}", self.event.id(), attempt.revision);
        Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
    }
}

/// Nothing follows.
fn nothing(why: &str) -> Step<State> {
    Step::done(State::Nothing { why: why.to_owned() })
}

impl Edo {
    pub(crate) async fn go(&self, event: &Event, state: State) -> Next {
        let (Some(order), Some(snapshot)) = (event.order(), event.fact.snapshot()) else {
            return Err(words::fact_unexpected(event));
        };
        if matches!(state, State::Done | State::Nothing { .. }) {
            return Ok(Step::done(state));
        }
        let shop = self.shops.get(&order.shop);
        // What was sent is corrected, whoever is said to buy by now.
        if shop.is_some() && plan::takes_back(event) {
            return self.taken_back(event, order, state).await;
        }
        let names = shop.map_or_else(BuyerProperties::default, |shop| shop.rules.buyer.clone());
        if matches!(state, State::New(_)) && plan::is_person(snapshot, &names) {
            return Ok(nothing("a person buys: no INN"));
        }
        let Some(shop) = shop else { return Err(words::shop_unknown(order)) };
        let about = match plan::about(&event.fact, shop.rules.on) {
            Some(about) => about,
            None if matches!(event.fact, Fact::OrderShipped(_) | Fact::OrderPaid(_)) => {
                return Ok(nothing("documents are made of another fact"));
            }
            None => return Err(words::fact_unexpected(event)),
        };
        let job = Job { event, order, snapshot, shop, about };
        match state {
            State::New(attempt) => self.write(job, attempt, 0).await,
            State::Invited { attempt, looks } => self.write(job, attempt, looks).await,
            State::Written { attempt, document } => self.sign(job, attempt, document).await,
            State::Signing { attempt, document, task, looks } => {
                self.signing(job, attempt, document, Asked { task, looks }).await
            }
            State::Sending { attempt, document, looks, since } => {
                self.send(job, attempt, document, Marked { since, looks }).await
            }
            State::Found { attempt, document } => self.found(job, attempt, document).await,
            State::Sent(sent) => self.watch(job, sent).await,
            State::TakenBack { .. } => Err(words::fact_unexpected(event)),
            over @ (State::Done | State::Nothing { .. }) => Ok(Step::done(over)),
        }
    }

    /// Goods came back, or the order was cancelled: what was sent is corrected by a person, and what was not sent yet
    /// stays here.
    async fn taken_back(&self, event: &Event, order: &OrderRef, state: State) -> Next {
        let what = match event.fact {
            Fact::OrderCancelled(_) => TakenBack::Cancelled,
            _ => TakenBack::Returned,
        };
        let standing = self.store.take_back(order, what, event.time()).await;
        match standing.map_err(|error| words::store_away(order, &error))? {
            Standing::Nothing => Ok(nothing("no document was sent")),
            Standing::OnItsWay => Ok(Step::wait(state, self.config.edo_look_first)),
            Standing::Document(upd, posted) => self.correcting(order, state, &upd, posted).await,
        }
    }

    /// A sent document of which goods came back, until a person has corrected or revoked it at Diadoc.
    async fn correcting(
        &self,
        order: &OrderRef,
        state: State,
        upd: &str,
        posted: Option<Posted>,
    ) -> Next {
        let (mut is_corrected, mut is_revoked) = (false, false);
        if let Some(posted) = posted {
            let document = match self.diadoc.document(&posted).await {
                Ok(document) => document,
                Err(error) => return Err(error.of(&order.number).into()),
            };
            is_corrected = document.is_corrected;
            is_revoked = document.revocation == Revocation::Done;
        }
        match state {
            _ if is_revoked => Ok(nothing("the document is revoked")),
            State::TakenBack { was_corrected: false } if is_corrected => {
                Ok(nothing("a person has corrected the document"))
            }
            State::TakenBack { .. } => Ok(Step::stop(state, words::correct_by_hand(order, upd))),
            _ => {
                let next = State::TakenBack { was_corrected: is_corrected };
                Ok(Step::stop(next, words::correct_by_hand(order, upd)))
            }
        }
    }

    /// What becomes of a document that has not left when its order takes the goods back.
    fn stays(&self, job: Job<'_>, attempt: Attempt, taken: TakenBack) -> Next {
        match taken {
            TakenBack::Cancelled => Ok(nothing("the order was cancelled before the document left")),
            TakenBack::Returned => {
                Ok(Step::stop(State::New(attempt), words::returned_before(job.order)))
            }
        }
    }

    fn told(&self, job: Job<'_>, attempt: &Attempt, what: (Phase, &str), text: Text) -> Event {
        job.tells(attempt).status(what, text, BTreeMap::new(), self.now())
    }

    /// The pause before the next look, after so many.
    fn pause(&self, looks: u32) -> Duration {
        let factor = 2_u32.saturating_pow(looks.min(20));
        self.config.edo_look_first.saturating_mul(factor).min(self.config.edo_look)
    }
}
