//! What an order has done here is written through to 1C, where that is the master.
//!
//! A redemption that 1C does not take is taken back here. That is decided and written down first:
//! after a crash nothing is told to 1C that is being taken back.

use std::time::Duration;

use events::{Event, OrderRef};
use runtime::{Failure, Reason, Step};
use uuid::Uuid;

use crate::{
    Loyalty, ask,
    config::Away,
    flow::{Next, State},
    ledger::{Answer, Kind, Outcome, Request},
    onec::{self, Word},
    store::Untold,
    words,
};

/// The shortest pause before 1C is told again of a redemption that is bound to be refused.
const PAUSE: Duration = Duration::from_secs(5);

impl Loyalty {
    /// Tells 1C, which knows a repeat by the operation's id.
    ///
    /// Where it refuses one of them, the shop hears of those before it, which 1C knows: nothing
    /// tells of them later.
    pub(crate) async fn tell_onec(
        &self,
        event: &Event,
        order: &OrderRef,
        ask: &[Request],
        applied: &[i64],
        revision: u32,
    ) -> Next {
        let Some(onec) = &self.onec else { return Ok(Step::done(State::Done)) };
        let store = self.bank.store();
        let away = |_| words::store_away(order);
        for (place, request) in ask.iter().enumerate() {
            let recorded = store.recorded(request.id).await.map_err(away)?;
            let Err(error) = onec.tell(&Word::from(&recorded), recorded.phone).await else {
                store.told(&[request.id]).await.map_err(away)?;
                continue;
            };
            if self.is_to_be_refused(&recorded, &error) {
                let before = ask.get(..place).unwrap_or_default();
                let known = self.moved(event, order, before, applied);
                let ask = ask.iter().skip(place).cloned().collect();
                let refused = error.is_refusal();
                let nameless = matches!(error, onec::Error::NoPhone);
                let step = Step::again(State::Refusing { ask, revision, refused, nameless });
                return Ok(known.into_iter().fold(step, Step::emit));
            }
            if error.is_refusal() {
                // Balances are compared: 1C's counts.
                store.told(&[request.id]).await.map_err(away)?;
            }
            return Err(match (error.failure(order), self.patience(&recorded)) {
                (Failure::Retry(reason, None), Some(left)) => Failure::Retry(reason, Some(left)),
                (failure, _) => failure,
            });
        }
        Ok(Step::done(State::Done))
    }

    /// Whether a redemption is not waited for any longer. One that 1C has taken is taken back only
    /// when it says no after all.
    fn is_to_be_refused(&self, request: &Untold, error: &onec::Error) -> bool {
        let away = self.program.when_1c_is_away == Away::Refuse
            && (error.is_not_sent() || self.age(request) >= self.refuse_after);
        let in_vain = matches!(error, onec::Error::NoPhone) || away;
        spends(request) && (error.is_refusal() || !request.told && in_vain)
    }

    /// When 1C is told again of a redemption that is to be refused in time.
    fn patience(&self, request: &Untold) -> Option<Duration> {
        let bound =
            spends(request) && !request.told && self.program.when_1c_is_away == Away::Refuse;
        let age = self.age(request);
        bound.then(|| PAUSE.max(age / 2).min(self.refuse_after.saturating_sub(age)))
    }

    fn age(&self, request: &Untold) -> Duration {
        let age = self.bank.store().now() - request.at;
        Duration::try_from(age).unwrap_or_default()
    }

    /// Takes a redemption back here, and there what 1C may have noted of it. Answers `reason` for
    /// the points that were asked for.
    pub(crate) async fn refuse(
        &self,
        order: &OrderRef,
        ask: &[Request],
        refused: bool,
        reason: impl FnOnce(i64) -> Reason,
    ) -> Result<Option<Reason>, Failure> {
        let Some(redemption) = ask.first() else { return Ok(None) };
        let undoing = self.undo(order, redemption).await?;
        let operations = ask.iter().map(|request| request.id).filter(|id| *id != undoing);
        let mut operations: Vec<Uuid> = operations.collect();
        if refused {
            operations.push(undoing);
        }
        let withdrawn = self.bank.store().withdraw(&operations, &[undoing]).await;
        withdrawn.map_err(|_| words::store_away(order))?;
        Ok(Some(reason(redemption.what.amount().unwrap_or(0))))
    }

    /// Takes back here what 1C did not take there; answers by which operation.
    async fn undo(&self, order: &OrderRef, request: &Request) -> Result<Uuid, Failure> {
        let mut undoing = ask::undo(request);
        loop {
            let answered = self.bank.apply(undoing.clone()).await;
            let answered = answered.map_err(|_| words::store_away(order))?;
            match answered.answer {
                Answer::Decided(known) | Answer::Repeated(known) => match known.outcome {
                    // Paid already, in the same breath.
                    Outcome::AlreadyCaptured => undoing = ask::undo_spent(request),
                    _ => return Ok(known.id),
                },
                Answer::Parked(_) | Answer::Conflict { .. } => {
                    return Err(words::refused(order, answered.answer.word()));
                }
            }
        }
    }
}

fn spends(request: &Untold) -> bool {
    matches!(request.kind, Kind::Hold | Kind::Debit)
}
