//! What happened to an order, from what was told of it so far and how it is now.
//!
//! Bitrix does not say what changed: it has no event for a payment, a shipment, a cancellation or
//! a refund that names it. So the reader keeps a [`Ledger`] of what it has told, and a fact is
//! whatever the order now shows and the ledger does not. Counting occurrences in the ledger makes
//! each fact's id the same however often, and through whichever snapshots, it is found.

use std::collections::BTreeMap;

use bitrix::shops::Meaning;
use events::{
    Event, Fact, Order, OrderFact, Payment, PaymentFact, PaymentState, Quantity, RefundFact,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::content;

mod goods;

/// What has been told of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    payments: BTreeMap<u64, PaymentEntry>,
    shipments: BTreeMap<u64, ShipmentEntry>,
    completed: Recurring,
    cancelled: Recurring,
    returned: Recurring,
    #[serde(default)]
    changed: u32,
}

/// Something that an order can be, stop being and be again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Recurring {
    now: bool,
    times: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PaymentEntry {
    /// As it was told, or as it was last seen while nothing is told of it.
    last: Payment,
    paid: u32,
    refunded: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct ShipmentEntry {
    /// What is with the buyer by what we told: lines and quantities.
    out: BTreeMap<u64, Quantity>,
    /// Whether we told that it left, and not since that it came back.
    gone: bool,
    /// Whether the shop said, when last seen, that it left. It may stay so when the order's status
    /// has brought the goods back.
    left: bool,
    /// It left because of the order's status, so that its own flag does not bring it back.
    by_status: bool,
    times: u32,
}

/// What the shop's configuration says about an order.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// What the order's status means.
    pub meaning: Meaning,
    /// What happened before this is history: it is remembered and not told.
    pub since: Option<OffsetDateTime>,
}

/// The facts that follow from `order`, and the ledger after they are told. `told` is absent when
/// the order is seen for the first time.
#[must_use]
pub fn diff(told: Option<&Ledger>, order: &Order, rules: Rules) -> (Vec<Event>, Ledger) {
    let mut diff = Diff {
        order,
        rules,
        first: told.is_none(),
        ledger: told.cloned().unwrap_or_default(),
        facts: Vec::new(),
    };
    diff.created();
    diff.payments();
    diff.shipments();
    diff.closing();
    (diff.facts, diff.ledger)
}

/// The facts that follow when the shop does not know the order any more: it is cancelled, unless
/// it was completed or cancelled before. `last` is the order as it was last seen.
#[must_use]
pub fn deleted(told: &Ledger, last: &Order) -> (Vec<Event>, Ledger, Order) {
    let mut ledger = told.clone();
    let order = Order { canceled: true, ..last.clone() };
    if ledger.completed.now || !ledger.cancelled.enter(true) {
        return (Vec::new(), ledger, order);
    }
    let fact = OrderFact { order: order.clone(), occurrence: ledger.cancelled.times };
    let event = Event::new(Fact::OrderCancelled(Box::new(fact)), order.updated_at);
    (vec![event], ledger, order)
}

/// The fact that somebody changed the order itself since it was `last` seen, if so.
pub fn changed(last: &Order, now: &Order, ledger: &mut Ledger) -> Option<Event> {
    content::is_changed(last, now).then(|| {
        ledger.changed += 1;
        let fact = OrderFact { order: now.clone(), occurrence: ledger.changed };
        Event::new(Fact::OrderChanged(Box::new(fact)), now.updated_at)
    })
}

impl Recurring {
    /// Notes whether it is so now; true when it has just become so.
    fn enter(&mut self, now: bool) -> bool {
        let entered = now && !self.now;
        self.now = now;
        self.times += u32::from(entered);
        entered
    }
}

struct Diff<'a> {
    order: &'a Order,
    rules: Rules,
    first: bool,
    ledger: Ledger,
    facts: Vec<Event>,
}

impl Diff<'_> {
    /// Whether something is told or is history. `at` is when it happened, where the shop says so;
    /// without it, what is found at first sight is as old as the order.
    fn live(&self, at: Option<OffsetDateTime>) -> bool {
        let Some(since) = self.rules.since else { return true };
        self.order.created_at >= since || at.map_or(!self.first, |at| at >= since)
    }

    fn tell(&mut self, fact: Fact, at: OffsetDateTime) {
        self.facts.push(Event::new(fact, at));
    }

    fn created(&mut self) {
        if self.first && self.live(Some(self.order.created_at)) {
            let fact = OrderFact { order: self.order.clone(), occurrence: 1 };
            self.tell(Fact::OrderCreated(Box::new(fact)), self.order.created_at);
        }
    }

    fn payments(&mut self) {
        for payment in &self.order.payments {
            self.payment(payment);
        }
        let gone: Vec<u64> = self
            .ledger
            .payments
            .iter()
            .filter(|(id, entry)| {
                entry.last.state == PaymentState::Paid && self.order.payment(**id).is_none()
            })
            .map(|(id, _)| *id)
            .collect();
        for id in gone {
            self.refund(id, PaymentState::Open, true);
        }
    }

    fn payment(&mut self, now: &Payment) {
        use PaymentState::{Open, Paid, Returned};

        let entry = self.ledger.payments.entry(now.id).or_insert_with(|| PaymentEntry {
            last: Payment { state: Open, ..now.clone() },
            paid: 0,
            refunded: 0,
        });
        match (entry.last.state, now.state) {
            (Open | Returned, Paid) => {
                self.pay(now);
            }
            (Paid, Open | Returned) => self.refund(now.id, now.state, true),
            // Paid and given back between two looks: both happened. After a refund that was told
            // it is only the flag that comes later.
            (Open, Returned) if entry.paid == 0 => {
                let told = self.pay(now);
                self.refund(now.id, Returned, told);
            }
            (Paid, Paid) => {}
            (Open | Returned, Open | Returned) => entry.last = now.clone(),
        }
    }

    fn pay(&mut self, now: &Payment) -> bool {
        let Some(entry) = self.ledger.payments.get_mut(&now.id) else { return false };
        entry.last = Payment { state: PaymentState::Paid, ..now.clone() };
        entry.paid += 1;
        let occurrence = entry.paid;
        let live = self.live(now.paid_at);
        if live {
            let fact = PaymentFact { order: self.order.clone(), payment: now.id, occurrence };
            let at = now.paid_at.unwrap_or(self.order.updated_at);
            self.tell(Fact::OrderPaid(Box::new(fact)), at);
        }
        live
    }

    /// The payment is not paid any more. What went back is what was told as paid, and a payment
    /// that was deleted from the order is put back into the snapshot that goes with the fact.
    fn refund(&mut self, id: u64, state: PaymentState, live: bool) {
        let Some(entry) = self.ledger.payments.get_mut(&id) else { return };
        entry.last.state = state;
        entry.refunded += 1;
        let (sum, occurrence, last) = (entry.last.sum, entry.refunded, entry.last.clone());
        let mut order = self.order.clone();
        if order.payment(id).is_none() {
            order.payments.push(last);
        }
        if live {
            let fact = RefundFact { order, payment: id, sum, occurrence };
            self.tell(Fact::PaymentRefunded(Box::new(fact)), self.order.updated_at);
        }
    }

    fn closing(&mut self) {
        let completed = self.rules.meaning == Meaning::Completed;
        let cancelled = self.order.canceled || self.rules.meaning == Meaning::Cancelled;
        let at = self.order.updated_at;
        let fact = |occurrence| Box::new(OrderFact { order: self.order.clone(), occurrence });
        let live = self.live(None);
        if self.ledger.completed.enter(completed) && live {
            let fact = fact(self.ledger.completed.times);
            self.tell(Fact::OrderCompleted(fact), at);
        }
        let fact = |occurrence| Box::new(OrderFact { order: self.order.clone(), occurrence });
        if self.ledger.cancelled.enter(cancelled) && live {
            let fact = fact(self.ledger.cancelled.times);
            self.tell(Fact::OrderCancelled(fact), at);
        }
    }
}

#[cfg(test)]
mod laws;
#[cfg(test)]
pub(crate) mod tests;
