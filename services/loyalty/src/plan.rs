//! Which operations follow from an order's fact.
//!
//! Their names are made of what happened: the order, the kind, and which time it is: completions,
//! cancellations and returns are counted by their facts, holds and what is spent by what was done
//! before (an order may have several payments, and is spent for once). So a fact told twice asks
//! for nothing new, and what was given back is taken anew when the order comes back.

use events::{Money, Order, PaymentFact, PaymentState, Phone, ReturnFact};
use runtime::{Failure, Reason};
use time::OffsetDateTime;

use crate::{
    bank::Bank,
    config::{Program, Shop},
    known::is_over,
    ledger::{CustomerId, Request, What},
    rules::{proportion, value},
    store::Done,
    words,
};

/// What is to be done.
pub(crate) enum Plan {
    /// Nothing.
    Nothing,
    /// An earlier fact of the order comes first: look again later.
    Wait,
    /// A person must look.
    Stop(Reason),
    /// These operations, in order.
    Ask(Vec<Request>),
}

type Planned = Result<Plan, Failure>;

/// Plans for one shop.
pub(crate) struct Planner<'a> {
    pub bank: &'a Bank,
    pub program: &'a Program,
    pub shop: &'a Shop,
    /// Which attempt: after 0 a person has replayed.
    pub revision: u32,
}

/// Whose points.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Who {
    pub customer: Option<CustomerId>,
    pub phone: Option<Phone>,
}

impl Who {
    /// Who is meant by the operation that is referred to.
    pub(crate) const OF_REFERENCE: Self = Self { customer: None, phone: None };
}

impl Planner<'_> {
    /// The order promises points: they are held.
    pub(crate) async fn created(&self, order: &Order) -> Planned {
        let points = self.points(order)?;
        if points == 0 || is_over(self.bank, order).await? {
            return Ok(Plan::Nothing);
        }
        if order.price == Money::ZERO {
            // Points are all that is paid: no payment will come.
            return self.spend(order, false).await;
        }
        if self.revision > 0 && self.is_promised(order).await? {
            return Ok(Plan::Nothing);
        }
        let asking = self.asking(order, self.user(order).await?);
        // The first hold has one name, whatever comes first; a replay is another attempt.
        let hold = match self.revision {
            0 => asking.hold(0, points, self.program.hold_for),
            _ => asking.hold(self.free(order, "hold").await?, points, self.program.hold_for),
        };
        Ok(Plan::Ask(vec![hold]))
    }

    /// Whether points are held or spent already: what a person replays may be long over.
    async fn is_promised(&self, order: &Order) -> Result<bool, Failure> {
        let done = self.found(order, &["hold", "capture", "spend"]).await?;
        let spent = |done: &Done| !self.asking(order, Who::OF_REFERENCE).is("hold", &done.key);
        Ok(done.iter().any(|done| done.open || spent(done) && done.stands()))
    }

    /// The money is here: held points are spent. Until all of it is, they stay held. A payment
    /// that comes again may overtake the cancellation before it, so it waits a while for that.
    pub(crate) async fn paid(&self, fact: &PaymentFact, patient: bool) -> Planned {
        self.spend(&fact.order, patient && fact.occurrence > 1).await
    }

    async fn spend(&self, order: &Order, patient: bool) -> Planned {
        let points = self.points(order)?;
        let here = paid(order) >= order.price.kopecks();
        if points == 0 || !here || is_over(self.bank, order).await? {
            return Ok(Plan::Nothing);
        }
        let who = self.user(order).await?;
        let spent = self.found(order, &["capture", "spend"]).await?;
        if spent.iter().any(Done::stands) {
            return Ok(if patient { Plan::Wait } else { Plan::Nothing });
        }
        self.goods(order).await?;
        let holds = self.found(order, &["hold"]).await?;
        let mut ask = Vec::new();
        let asking = self.asking(order, who);
        let of = match holds.into_iter().rev().find(|hold| hold.open) {
            Some(hold) if points > hold.applied => {
                return Ok(Plan::Stop(words::points_changed(&order.key, points, hold.applied)));
            }
            Some(hold) => hold.key,
            // Payment was quicker than the order, the hold was refused or has ended, or what was
            // spent was given back since.
            None => {
                let number = self.free(order, "hold").await?;
                let hold = asking.hold(number, points, self.program.hold_for);
                let key = hold.key.clone();
                ask.push(hold);
                key
            }
        };
        let what = What::Capture { of, amount: Some(points) };
        ask.push(asking.request("capture", self.free(order, "capture").await?, what));
        Ok(Plan::Ask(ask))
    }

    /// The buyer has the goods: points are earned on the money paid, and pending until the time
    /// for returns is over. Of an order that was cancelled and came back with its payment, the
    /// points are spent at the latest now; so are those of one whose goods all went back and left again.
    pub(crate) async fn completed(
        &self,
        order: &Order,
        occurrence: u32,
        at: OffsetDateTime,
    ) -> Planned {
        if is_over(self.bank, order).await? {
            return Ok(Plan::Nothing);
        }
        let mut ask = self.earn(order, occurrence, at).await?;
        if order.buyer.id.is_some() && self.was_cancelled(order).await? {
            match self.spend(order, false).await? {
                Plan::Ask(spending) => ask.extend(spending),
                Plan::Stop(reason) => return Ok(Plan::Stop(reason)),
                Plan::Nothing | Plan::Wait => {}
            }
        }
        Ok(if ask.is_empty() { Plan::Nothing } else { Plan::Ask(ask) })
    }

    async fn earn(
        &self,
        order: &Order,
        occurrence: u32,
        at: OffsetDateTime,
    ) -> Result<Vec<Request>, Failure> {
        let Some(who) = self.who(order).await? else { return Ok(Vec::new()) };
        let mut money = order.clone();
        money.price = order.price.min(Money::from_kopecks(paid(order)));
        let earned = self.shop.accrual.earned(&money).map_err(|_| words::sums_wrong(&order.key))?;
        if earned == 0 {
            return Ok(Vec::new());
        }
        self.goods(order).await?;
        let matures_at = at + self.program.return_window;
        let what = What::Accrual {
            amount: earned,
            matures_at: Some(matures_at),
            expires_at: self.program.expires_after.map(|life| matures_at + life),
        };
        // Completed once more without having been cancelled: it has earned already, or will when
        // its guest is known.
        let accrual = self.asking(order, who).request("accrual", occurrence, what);
        let earlier = self.found(order, &["accrual"]).await?;
        let again = earlier.iter().any(|done| done.key != accrual.key && done.stands());
        Ok(if again { Vec::new() } else { vec![accrual] })
    }

    async fn was_cancelled(&self, order: &Order) -> Result<bool, Failure> {
        // Those that were cancelled before that was noted show it by what was undone; those that went back and left
        // again, by what was returned.
        let undone =
            self.found(order, &["cancel-spend", "release", "reversal", "return-spend"]).await?;
        Ok(!undone.is_empty() || self.has_ended(order).await?)
    }

    /// The order is cancelled: what is held is released, what was spent or earned is undone, also
    /// what still waits. What is not there yet sees that the order is over.
    pub(crate) async fn cancelled(&self, order: &Order, occurrence: u32) -> Planned {
        self.end(order).await?;
        let spent = self.standing(order, &["capture", "spend"]).await?.filter(Done::stands);
        let holds = self.found(order, &["hold"]).await?;
        let accrual = self.standing(order, &["accrual"]).await?.filter(Done::stands);
        let asking = self.asking(order, Who::OF_REFERENCE);
        let mut ask = Vec::new();
        if let Some(spent) = spent {
            let what = What::Reversal { of: spent.key, amount: None };
            ask.push(asking.request("cancel-spend", occurrence, what));
        }
        if let Some(hold) = holds.into_iter().rev().find(|hold| hold.open) {
            let what = What::Release { of: hold.key, amount: None };
            ask.push(asking.request("release", occurrence, what));
        }
        if let Some(accrual) = accrual {
            let what = What::Reversal { of: accrual.key, amount: None };
            ask.push(asking.request("cancel-accrual", occurrence, what));
        }
        Ok(if ask.is_empty() { Plan::Nothing } else { Plan::Ask(ask) })
    }

    /// Goods came back: earned points are taken back and spent ones given back in proportion to
    /// the goods' price. A return may overtake the completion, so it waits a while for it.
    pub(crate) async fn returned(&self, fact: &ReturnFact, patient: bool) -> Planned {
        let order = &fact.order;
        let accrual = self.standing(order, &["accrual"]).await?;
        if accrual.is_none() && patient {
            return Ok(Plan::Wait);
        }
        let unclear = || words::return_unclear(&order.key);
        let back = fact.lines.iter().map(|part| value(order.line(part.line)?, part.quantity));
        let back = back.sum::<Option<i64>>().ok_or_else(unclear)?;
        let all = self.goods(order).await?;
        let spent = self.standing(order, &["spend", "capture"]).await?;
        let asking = self.asking(order, Who::OF_REFERENCE);
        let mut ask = Vec::new();
        let named = [("return-accrual", accrual), ("return-spend", spent)];
        for (name, done) in named.into_iter().filter_map(|(name, done)| Some((name, done?))) {
            let before = self.returned_before(&order.key, &done.key, fact.occurrence, back).await?;
            let came = before.saturating_add(back);
            // Parts of a kopeck are not lost between returns: each goes from one sum to the next.
            let until = |value| proportion(done.applied, value, all);
            let amount = until(came) - until(before);
            if amount > 0 {
                // The last return takes whatever is left.
                let amount = Some(amount).filter(|_| came < all);
                let what = What::Reversal { of: done.key, amount };
                ask.push(asking.request(name, fact.occurrence, what));
            }
        }
        Ok(if ask.is_empty() { Plan::Nothing } else { Plan::Ask(ask) })
    }
}

/// Money that is here, in kopecks.
fn paid(order: &Order) -> i64 {
    let here = order.payments.iter().filter(|payment| payment.state == PaymentState::Paid);
    Money::sum(here.map(|payment| payment.sum)).map_or(0, Money::kopecks)
}
