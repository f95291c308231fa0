//! Money that came and went.

use events::Money;

use super::{Case, EARLIER, Plan, REFUND};
use crate::{
    ledger::{Deed, SaleBook},
    receipt::{
        Amounts, BookFault, Flow, Kind, MoneyKind, Position, Receipt, RefundsOn, Refusal, Sale,
        Settlement, SumFault, Tender, Wanted, advance, closing, credit_payment, pay_back,
        prepayment, take,
    },
};

impl Case<'_> {
    /// A payment came in.
    pub(super) fn paid(&self, payment: u64, occurrence: u32) -> Result<Plan, Refusal> {
        let (tender, sum) = self.tender(payment)?;
        if self.book.counts(payment) {
            // It was unmarked and marked again; the money went nowhere, or its refund is on its way.
            let stays = self.book.sale.is_some() && self.rules.refunds_on == RefundsOn::Returned;
            return Ok(if stays {
                Plan::Note(Deed::PaidAgain { payment, occurrence })
            } else {
                Plan::Wait("the refund of this payment's last receipt")
            });
        }
        if self.book.pending_others {
            return Ok(EARLIER);
        }
        if self.misses_a_refund() {
            return Ok(REFUND);
        }
        match &self.book.sale {
            Some(sale) => self.paid_later(sale, payment, tender, sum),
            None => self.paid_before(payment, tender, sum),
        }
    }

    /// A payment before the goods are handed over, or with it.
    fn paid_before(&self, payment: u64, tender: Tender, sum: Money) -> Result<Plan, Refusal> {
        let sale = self.sale()?;
        let before = self.book.before().ok_or(SumFault::TooLarge)?;
        let received = before.total().ok_or(SumFault::TooLarge)?;
        let left = sale.due.checked_sub(received).ok_or(SumFault::TooLarge)?;
        let now = if tender == Tender::Points { Money::ZERO } else { sum };
        if now > left || left.is_negative() || (now.is_zero() && tender != Tender::Points) {
            return Err(BookFault::Overpaid { paid: now, left: left.max(Money::ZERO) }.into());
        }
        let closes = self.rules.settlement == Flow::FullPayment || self.book.handed_over;
        if closes && now == left && !sale.due.is_zero() {
            if self.book.is_pending() {
                return Ok(EARLIER);
            }
            self.not_returned()?;
            let amounts = match tender {
                Tender::Money(kind) | Tender::Cover(kind) => before.with(kind, now),
                Tender::Points => Some(before),
            };
            let amounts = amounts.ok_or(SumFault::TooLarge)?;
            let receipt = closing(sale, Settlement::FullPayment, amounts)?;
            return Ok(Plan::Issue(Deed::Closing { payment: Some(payment), receipt }));
        }
        Ok(match tender {
            Tender::Points => Plan::Nothing("points are a discount and no payment"),
            Tender::Cover(kind) => Plan::Note(Deed::Cover { payment, kind, sum }),
            Tender::Money(kind) => {
                let receipt = if self.rules.settlement == Flow::Advance {
                    advance(sale, kind, sum)?
                } else {
                    let covered = self.cover_by_item()?;
                    prepayment(sale, kind, sum, &covered)?
                };
                Plan::Issue(Deed::Prepayment { payment, receipt })
            }
        })
    }

    /// A payment for goods that the buyer has.
    fn paid_later(
        &self,
        sale: &SaleBook<'_>,
        payment: u64,
        tender: Tender,
        sum: Money,
    ) -> Result<Plan, Refusal> {
        let kind = match tender {
            Tender::Points => return Ok(Plan::Nothing("points are a discount and no payment")),
            Tender::Money(kind) | Tender::Cover(kind) => kind,
        };
        let left = self.book.had.get(MoneyKind::Credit);
        if sum > left || sum.is_zero() {
            return Err(BookFault::Overpaid { paid: sum, left }.into());
        }
        let owed: Vec<(&Position, Money)> =
            sale.sold.iter().map(|sold| (sold.position, sold.worth)).collect();
        let receipt = credit_payment(self.sale()?, kind, sum, &owed)?;
        Ok(Plan::Issue(Deed::CreditPayment { payment, receipt }))
    }

    /// A payment went back.
    pub(super) fn refunded(
        &self,
        payment: u64,
        sum: Money,
        occurrence: u32,
    ) -> Result<Plan, Refusal> {
        if self.book.again.contains(&(payment, occurrence.saturating_add(1))) {
            return Ok(Plan::Nothing("the payment was marked as paid again"));
        }
        if self.tender(payment)?.0 == Tender::Points {
            return Ok(Plan::Nothing("points are a discount and no payment"));
        }
        if !self.book.counts(payment) {
            let times = self.book.cleared.get(&payment).copied().unwrap_or_default();
            let done = times >= occurrence;
            return Ok(if done {
                Plan::Nothing("the money is refunded already")
            } else {
                Plan::Wait("the receipt of the payment that went back")
            });
        }
        if self.book.is_pending() {
            return Ok(EARLIER);
        }
        if self.book.part_closed {
            return Err(BookFault::PartlyClosed.into());
        }
        if let Some(sale) = &self.book.sale {
            return self.refunded_sale(sale, payment, sum);
        }
        match self.book.prepayments.get(&payment) {
            Some(receipt) => {
                let receipt = Receipt { kind: Kind::Refund, ..(*receipt).clone() };
                // What came in as this prepayment may have gone back with the sale already.
                if self.book.had.clone().minus(&receipt.amounts).is_none() {
                    return Err(BookFault::MoreThanPaid { total: receipt.total }.into());
                }
                Ok(Plan::Issue(Deed::PrepaymentRefund { payment, receipt }))
            }
            None => Ok(Plan::Note(Deed::Uncover { payment })),
        }
    }

    /// Money for goods that were handed over went back.
    fn refunded_sale(
        &self,
        sale: &SaleBook<'_>,
        payment: u64,
        sum: Money,
    ) -> Result<Plan, Refusal> {
        let held = self.held()?;
        let owed = self.book.had.get(MoneyKind::Credit);
        let had = self.book.had.total().and_then(|had| had.checked_sub(owed));
        let had = had.ok_or(SumFault::TooLarge)?;
        if self.rules.refunds_on == RefundsOn::Returned {
            return Ok(if had <= held {
                Plan::Nothing("the money is refunded with the goods")
            } else {
                Plan::Wait("the return of the goods whose money went back")
            });
        }
        if held.is_zero() {
            return self.refund(sale, &Wanted::All, Some(payment), self.all_returned(sale));
        }
        let wanted = Wanted::Some { quantities: self.returned_quantities(), codes: Vec::new() };
        let some = !self.book.returned.is_empty();
        if some && take(&sale.sold, &wanted).is_ok_and(|refund| refund.total == sum) {
            return self.refund(sale, &wanted, Some(payment), true);
        }
        Err(BookFault::LinesUnknown { sum }.into())
    }

    /// The refund of what is wanted.
    pub(super) fn refund(
        &self,
        sale: &SaleBook<'_>,
        wanted: &Wanted,
        payment: Option<u64>,
        goods: bool,
    ) -> Result<Plan, Refusal> {
        let refund = take(&sale.sold, wanted)?;
        if refund.total.is_zero() {
            return Ok(Plan::Nothing("everything is refunded already"));
        }
        let first = match payment.map(|payment| self.tender(payment)).transpose()? {
            Some((Tender::Money(kind) | Tender::Cover(kind), _)) => Some(kind),
            _ => None,
        };
        let amounts: Amounts = pay_back(&self.book.had, refund.total, first)?;
        let receipt = refund.receipt(sale.receipt, amounts);
        Ok(Plan::Issue(Deed::Refund { receipt, taken: refund.taken, goods, payment }))
    }

    /// The sale as it is to be receipted.
    pub(super) fn sale(&self) -> Result<Sale<'_>, Refusal> {
        Ok(Sale { order: self.order, rules: self.rules, at: self.at, due: self.due()? })
    }
}
