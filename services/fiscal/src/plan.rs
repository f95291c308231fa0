//! Which receipt, if any, follows from a fact: pure, from the order's ledger and the shop's rules.

mod goods;
mod money;

use std::collections::BTreeMap;

use events::{Event, Fact, Money, Order, PaymentState};
use time::OffsetDateTime;

use crate::{
    ledger::{Book, Deed, Entry},
    receipt::{BookFault, PaymentFault, RefundsOn, Refusal, Rules, SumFault, Tender, today},
};

/// What follows from a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// This receipt.
    Issue(Deed),
    /// No receipt, and a note for later ones.
    Note(Deed),
    /// Nothing: why.
    Nothing(&'static str),
    /// It depends on an earlier fact whose receipt is not there yet: which.
    Wait(&'static str),
}

/// What a plan is made of.
pub(crate) struct Case<'a> {
    pub(crate) order: &'a Order,
    pub(crate) rules: &'a Rules,
    pub(crate) at: OffsetDateTime,
    pub(crate) book: Book<'a>,
}

/// What follows from `event` for an order with these other `entries`.
///
/// # Errors
/// [`Refusal`] where the fact fits neither the law nor what was receipted before.
pub fn plan(event: &Event, entries: &[Entry], rules: &Rules) -> Result<Plan, Refusal> {
    let Some(order) = event.fact.snapshot() else {
        return Ok(Plan::Nothing("the event is about no order"));
    };
    let book = Book::read(entries).ok_or(SumFault::TooLarge)?;
    let case = Case { order, rules, at: event.time(), book };
    match &event.fact {
        Fact::OrderPaid(fact) => case.paid(fact.payment, fact.occurrence),
        Fact::PaymentRefunded(fact) => case.refunded(fact.payment, fact.sum, fact.occurrence),
        Fact::OrderShipped(fact) => case.shipped(fact.shipment),
        Fact::OrderCompleted(_) => case.completed(),
        Fact::OrderReturned(fact) => {
            let lines: BTreeMap<u64, _> =
                fact.lines.iter().map(|line| (line.line, line.quantity)).collect();
            case.returned(&lines)
        }
        _ => Ok(Plan::Nothing("no receipt follows from such a fact")),
    }
}

/// What follows from `event` in a shop whose receipts are composed by Bitrix: nothing, unless it is
/// about what Parom itself has receipted before.
///
/// # Errors
/// [`Refusal`]: that is for a person.
pub fn left_to_the_shop(event: &Event, entries: &[Entry]) -> Result<Plan, Refusal> {
    let book = Book::read(entries).ok_or(SumFault::TooLarge)?;
    let ours = match &event.fact {
        Fact::OrderShipped(_) | Fact::OrderCompleted(_) => !book.prepayments.is_empty(),
        Fact::PaymentRefunded(fact) => book.counts(fact.payment),
        Fact::OrderReturned(_) => book.sale.is_some(),
        _ => false,
    };
    if ours {
        return Err(BookFault::OtherWay.into());
    }
    Ok(Plan::Nothing("Bitrix composes the receipts of this shop"))
}

/// The paper of a correction that may be of the very settlement of which the `plan` for `event` makes a
/// receipt late: one of the same kind for this order, for that day or a later one.
pub(crate) fn corrected<'a>(event: &Event, plan: &Plan, entries: &'a [Entry]) -> Option<&'a str> {
    let Plan::Issue(deed) = plan else { return None };
    let receipt = deed.receipt().filter(|_| event.fact.snapshot().is_some())?;
    let day = today(event.time());
    let papers = entries.iter().filter_map(|entry| entry.deed.receipt());
    let mut papers = papers.filter(|paper| paper.kind == receipt.kind);
    papers.find_map(|paper| {
        let correction = paper.correction.as_ref().filter(|correction| correction.date >= day)?;
        Some(correction.document.as_str())
    })
}

/// Whether `plan` corrects what may be issued by itself any moment: a receipt of the same kind for the
/// order is planned, and its fate is not known.
pub(crate) fn in_flight(plan: &Plan, entries: &[Entry]) -> bool {
    let Plan::Issue(deed) = plan else { return false };
    let Some(paper) = deed.receipt().filter(|receipt| receipt.correction.is_some()) else {
        return false;
    };
    let open = entries.iter().filter(|entry| !entry.settled);
    let mut open = open.filter_map(|entry| entry.deed.receipt());
    open.any(|receipt| receipt.correction.is_none() && receipt.kind == paper.kind)
}

impl Case<'_> {
    /// What a payment of the order brings.
    fn tender(&self, payment: u64) -> Result<(Tender, Money), Refusal> {
        let payment = self.order.payment(payment).ok_or(PaymentFault::Missing(payment))?;
        let system = payment.system.ok_or(PaymentFault::NoSystem)?;
        let tender = self.rules.payments.tender(system);
        Ok((tender.ok_or(PaymentFault::SystemUnknown(system))?, payment.sum))
    }

    /// What the buyer pays for the order beside points.
    fn due(&self) -> Result<Money, Refusal> {
        if self.order.price <= Money::ZERO {
            return Err(SumFault::Price(self.order.price).into());
        }
        let mut due = self.order.price;
        for payment in self.order.payments.iter().filter(|p| p.state == PaymentState::Paid) {
            let tender = payment.system.and_then(|system| self.rules.payments.tender(system));
            if tender == Some(Tender::Points) {
                due = due.checked_sub(payment.sum).ok_or(SumFault::TooLarge)?;
            }
        }
        if due.is_negative() { Err(SumFault::Price(due).into()) } else { Ok(due) }
    }

    /// Whether the order shows a payment as paid of whose receipt nothing is known yet.
    fn misses_a_payment(&self) -> bool {
        self.order.payments.iter().any(|payment| {
            let tender = payment.system.and_then(|system| self.rules.payments.tender(system));
            payment.state == PaymentState::Paid
                && tender != Some(Tender::Points)
                && !self.book.counts(payment.id)
        })
    }

    /// Whether the order shows a payment as gone whose receipt still counts: its refund comes first.
    /// Where goods decide about refunds, money that went with a closed sale waits for them.
    fn misses_a_refund(&self) -> bool {
        let by_goods = self.rules.refunds_on == RefundsOn::Returned && self.book.sale.is_some();
        let gone = |id: u64| {
            let payment = self.order.payment(id);
            payment.is_none_or(|payment| payment.state != PaymentState::Paid)
        };
        !by_goods && self.book.counted().any(gone)
    }

    /// What the order shows as paid, points aside.
    fn held(&self) -> Result<Money, Refusal> {
        let paid = self.order.payments.iter().filter(|payment| {
            let tender = payment.system.and_then(|system| self.rules.payments.tender(system));
            payment.state == PaymentState::Paid && tender != Some(Tender::Points)
        });
        Ok(Money::sum(paid.map(|payment| payment.sum)).ok_or(SumFault::TooLarge)?)
    }
}

/// The refund of a payment that the order does not show as paid any more.
const REFUND: Plan = Plan::Wait("the refund of another payment");
/// The receipts before this one.
pub(crate) const EARLIER: Plan = Plan::Wait("an earlier receipt of the order");
