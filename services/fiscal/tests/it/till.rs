//! A till without a register: facts are planned and entered one after another, and what follows
//! is read as text.

use std::{collections::BTreeMap, fmt::Write as _};

use events::{
    Event, Fact, Order, OrderFact, PaymentFact, PaymentState, RefundFact, ReturnFact, ReturnedLine,
    Shipment, ShipmentFact,
};
use fiscal::{
    ledger::{Book, Entry},
    plan::{Plan, plan},
    receipt::{Kind, Position, Receipt, Refusal, Rules},
};
use time::OffsetDateTime;

use crate::order::{order, qty, rub};

/// The entries of one order, and the order as the shop shows it.
pub(crate) struct Till {
    pub(crate) entries: Vec<Entry>,
    pub(crate) order: Order,
    pub(crate) rules: Rules,
    /// When the next facts come about.
    pub(crate) at: OffsetDateTime,
    occurrence: u32,
    paid: BTreeMap<u64, u32>,
    unpaid: BTreeMap<u64, u32>,
}

impl Till {
    pub(crate) fn new(order: Order, rules: Rules) -> Self {
        let at = order.updated_at;
        Self {
            entries: Vec::new(),
            order,
            rules,
            at,
            occurrence: 0,
            paid: BTreeMap::new(),
            unpaid: BTreeMap::new(),
        }
    }

    /// What follows from a fact; it is entered and settled.
    pub(crate) fn tell(&mut self, fact: Fact) -> Result<Plan, Refusal> {
        let event = Event::new(fact, self.at);
        let plan = plan(&event, &self.entries, &self.rules)?;
        if let Plan::Issue(deed) | Plan::Note(deed) = &plan {
            self.entries.push(Entry { cause: event.id(), deed: deed.clone(), settled: true });
        }
        Ok(plan)
    }

    /// The payment is marked as paid and told.
    pub(crate) fn pay(&mut self, payment: u64) -> Result<Plan, Refusal> {
        self.set(payment, PaymentState::Paid);
        let times = self.paid.entry(payment).or_default();
        *times += 1;
        let fact = PaymentFact { order: self.order.clone(), payment, occurrence: *times };
        self.tell(Fact::OrderPaid(Box::new(fact)))
    }

    /// The payment is marked as returned and told.
    pub(crate) fn unpay(&mut self, payment: u64) -> Result<Plan, Refusal> {
        self.set(payment, PaymentState::Returned);
        let sum = self.order.payment(payment).unwrap().sum;
        let order = self.order.clone();
        let times = self.unpaid.entry(payment).or_default();
        *times += 1;
        let fact = RefundFact { order, payment, sum, occurrence: *times };
        self.tell(Fact::PaymentRefunded(Box::new(fact)))
    }

    /// The shipment leaves.
    pub(crate) fn ship(&mut self, shipment: u64) -> Result<Plan, Refusal> {
        for own in self.order.shipments.iter_mut().filter(|own| own.id == shipment) {
            own.deducted = true;
        }
        self.occurrence += 1;
        let order = self.order.clone();
        let fact = ShipmentFact { order, shipment, occurrence: self.occurrence };
        self.tell(Fact::OrderShipped(Box::new(fact)))
    }

    pub(crate) fn complete(&mut self) -> Result<Plan, Refusal> {
        self.occurrence += 1;
        let fact = OrderFact { order: self.order.clone(), occurrence: self.occurrence };
        self.tell(Fact::OrderCompleted(Box::new(fact)))
    }

    /// Goods come back: lines and quantities.
    pub(crate) fn give_back(&mut self, lines: &[(u64, &str)]) -> Result<Plan, Refusal> {
        self.occurrence += 1;
        let lines = lines
            .iter()
            .map(|(line, quantity)| ReturnedLine { line: *line, quantity: qty(quantity) });
        let order = self.order.clone();
        let fact = ReturnFact { order, lines: lines.collect(), occurrence: self.occurrence };
        self.tell(Fact::OrderReturned(Box::new(fact)))
    }

    pub(crate) fn book(&self) -> Book<'_> {
        Book::read(&self.entries).unwrap()
    }

    /// All receipts so far, as text.
    pub(crate) fn receipts(&self) -> Vec<String> {
        self.entries.iter().filter_map(|entry| entry.deed.receipt()).map(shown).collect()
    }

    fn set(&mut self, payment: u64, state: PaymentState) {
        for own in self.order.payments.iter_mut().filter(|own| own.id == payment) {
            own.state = state;
        }
    }
}

/// Two payments in place of the order's one.
pub(crate) fn in_two(mut order: Order, first: (u64, &str), second: (u64, &str)) -> Order {
    let payment = |id, (system, sum): (u64, &str)| {
        let payment = order.payments[0].clone();
        let state = PaymentState::Open;
        events::Payment { id, system: Some(system), sum: rub(sum), state, ..payment }
    };
    order.payments = vec![payment(55, first), payment(56, second)];
    order
}

/// The order in one shipment that has not left.
pub(crate) fn to_ship() -> Order {
    let mut order = order();
    order.payments[0].state = PaymentState::Open;
    order.shipments =
        vec![Shipment { id: 9, deducted: false, deducted_at: None, items: vec![(7, qty("2"))] }];
    order
}

/// A receipt in a line: kind, amounts, and each position's sum, rate, method and object.
pub(crate) fn shown(receipt: &Receipt) -> String {
    let mut text = match receipt.kind {
        Kind::Sale => "sell".to_owned(),
        Kind::Refund => "refund".to_owned(),
    };
    for (kind, sum) in receipt.amounts.iter() {
        write!(text, " {kind:?} {sum}").unwrap();
    }
    for Position { price, quantity, sum, vat, settlement, object, .. } in &receipt.positions {
        write!(text, " | {price} x {quantity} = {sum} {vat} {settlement:?} {object:?}").unwrap();
    }
    text
}

/// The same of a plan.
pub(crate) fn planned(plan: &Result<Plan, Refusal>) -> String {
    match plan {
        Ok(Plan::Issue(deed)) => shown(deed.receipt().unwrap()),
        Ok(Plan::Note(_)) => "note".to_owned(),
        Ok(Plan::Nothing(_)) => "nothing".to_owned(),
        Ok(Plan::Wait(_)) => "wait".to_owned(),
        Err(refusal) => format!("refused {}", refusal.code()),
    }
}
