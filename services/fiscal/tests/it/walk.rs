//! Whatever happens to an order, and in whatever order it is told: its receipts add up.

use std::collections::BTreeMap;

use events::{
    Event, Fact, Order, OrderFact, PaymentFact, PaymentState, RefundFact, ReturnFact, ReturnedLine,
    ShipmentFact,
};
use fiscal::{
    ledger::{Book, Deed, Entry},
    plan::{Plan, plan},
    receipt::{Kind, MoneyKind, Rules},
};
use proptest::prelude::*;

use crate::{
    order::{qty, rules_with},
    till::{in_two, to_ship},
};

/// What may happen to an order in a shop.
#[derive(Debug, Clone, Copy)]
enum Deal {
    /// The first or the second payment is marked as paid, or as returned.
    Toggle(usize),
    /// The shipment leaves, or comes back.
    Ship,
    Complete,
}

/// An order, what was told of it, and the receipts that followed.
struct Walk {
    order: Order,
    rules: Rules,
    entries: Vec<Entry>,
    /// Facts that wait for others, as jobs do.
    waiting: Vec<Event>,
    refused: Vec<&'static str>,
    counts: BTreeMap<&'static str, u32>,
}

impl Walk {
    fn new(settlement: &str, refunds: &str) -> Self {
        let rules = rules_with(&format!(
            "settlement = '{settlement}'\nrefunds_on = '{refunds}'\ncloses_on = 'shipped'"
        ));
        let order = in_two(to_ship(), (2, "481.00"), (5, "1000.00"));
        Self {
            order,
            rules,
            entries: Vec::new(),
            waiting: Vec::new(),
            refused: Vec::new(),
            counts: BTreeMap::new(),
        }
    }

    fn nth(&mut self, what: &'static str) -> u32 {
        let count = self.counts.entry(what).or_default();
        *count += 1;
        *count
    }

    /// The change in the shop, and the fact that the reader derives from it.
    fn fact(&mut self, deal: Deal) -> Fact {
        match deal {
            Deal::Toggle(place) => {
                let names = [("paid 0", "back 0"), ("paid 1", "back 1")][place];
                let payment = &mut self.order.payments[place];
                let (id, sum, was) = (payment.id, payment.sum, payment.state);
                if was == PaymentState::Paid {
                    payment.state = PaymentState::Returned;
                    let (order, occurrence) = (self.order.clone(), self.nth(names.1));
                    let fact = RefundFact { order, payment: id, sum, occurrence };
                    return Fact::PaymentRefunded(Box::new(fact));
                }
                payment.state = PaymentState::Paid;
                let (order, occurrence) = (self.order.clone(), self.nth(names.0));
                Fact::OrderPaid(Box::new(PaymentFact { order, payment: id, occurrence }))
            }
            Deal::Ship if self.order.shipments[0].deducted => {
                self.order.shipments[0].deducted = false;
                let (order, occurrence) = (self.order.clone(), self.nth("returned"));
                let lines = vec![ReturnedLine { line: 7, quantity: qty("2") }];
                Fact::OrderReturned(Box::new(ReturnFact { order, lines, occurrence }))
            }
            Deal::Ship => {
                self.order.shipments[0].deducted = true;
                let (order, occurrence) = (self.order.clone(), self.nth("shipped"));
                Fact::OrderShipped(Box::new(ShipmentFact { order, shipment: 9, occurrence }))
            }
            Deal::Complete => {
                let (order, occurrence) = (self.order.clone(), self.nth("completed"));
                Fact::OrderCompleted(Box::new(OrderFact { order, occurrence }))
            }
        }
    }

    /// Plans all that waits, again and again, until nothing changes.
    fn settle(&mut self) {
        loop {
            let before = self.waiting.len();
            for event in std::mem::take(&mut self.waiting) {
                match plan(&event, &self.entries, &self.rules) {
                    Ok(Plan::Issue(deed) | Plan::Note(deed)) => {
                        self.entries.push(Entry { cause: event.id(), deed, settled: true });
                        self.check();
                    }
                    Ok(Plan::Nothing(_)) => {}
                    Ok(Plan::Wait(_)) => self.waiting.push(event),
                    Err(refusal) => self.refused.push(refusal.code()),
                }
            }
            if self.waiting.is_empty() || self.waiting.len() == before {
                return;
            }
        }
    }

    /// What holds after each receipt.
    fn check(&self) {
        let book = Book::read(&self.entries).expect("the entries add up");
        let price = self.order.price.kopecks();
        let (mut money, mut open_sales) = (0, 0);
        for deed in self.entries.iter().map(|entry| &entry.deed) {
            let Some(receipt) = deed.receipt() else { continue };
            let sign = if receipt.kind == Kind::Sale { 1 } else { -1 };
            let real = [MoneyKind::Electronic, MoneyKind::Cash].map(|k| receipt.amounts.get(k));
            money += sign * real.iter().map(|sum| sum.kopecks()).sum::<i64>();
            open_sales += i64::from(matches!(deed, Deed::Closing { .. }));
            assert!((0..=price).contains(&money), "{money} of {price} after {deed:?}");
            assert_eq!(receipt.amounts.total(), Some(receipt.total));
        }
        let had =
            book.had.get(MoneyKind::Electronic).kopecks() + book.had.get(MoneyKind::Cash).kopecks();
        assert_eq!(had, money, "the ledger's money is that of the receipts");
        if book.sale.is_none() && book.prepayments.is_empty() {
            assert_eq!(money, 0, "nothing is sold, nothing is kept");
        }
        assert!(open_sales <= 1 || self.entries.iter().any(is_refund), "two sales in a row");
    }

    /// The money that the shop shows as paid.
    fn paid(&self) -> i64 {
        let paid = self.order.payments.iter().filter(|p| p.state == PaymentState::Paid);
        paid.map(|payment| payment.sum.kopecks()).sum()
    }
}

fn is_refund(entry: &Entry) -> bool {
    matches!(entry.deed, Deed::Refund { .. } | Deed::PrepaymentRefund { .. })
}

fn deals() -> impl Strategy<Value = Vec<(Deal, bool)>> {
    let deal = prop_oneof![
        3 => Just(Deal::Toggle(0)),
        3 => Just(Deal::Toggle(1)),
        3 => Just(Deal::Ship),
        1 => Just(Deal::Complete),
    ];
    // Some facts are told late, after the next one.
    prop::collection::vec((deal, prop::bool::weighted(0.3)), 1..12)
}

proptest! {
    #[test]
    fn the_receipts_of_an_order_add_up_whatever_happens(
        settlement in prop::sample::select(vec!["full_payment", "prepayment", "advance", "credit"]),
        refunds in prop::sample::select(vec!["refunded", "returned"]),
        deals in deals(),
    ) {
        let mut walk = Walk::new(settlement, refunds);
        let mut late = None;
        for (deal, is_late) in deals {
            let fact = walk.fact(deal);
            let event = Event::new(fact, walk.order.updated_at);
            let told = if is_late { late.replace(event) } else { Some(event) };
            walk.waiting.extend(told);
            if !is_late {
                walk.waiting.extend(late.take());
            }
            walk.settle();
        }
        walk.waiting.extend(late);
        walk.settle();
        // Where nothing is left to a person, and money decides about refunds, the receipts say
        // what the shop says.
        if walk.refused.is_empty() && walk.waiting.is_empty() && refunds == "refunded" {
            let book = Book::read(&walk.entries).unwrap();
            let had = book.had.get(MoneyKind::Electronic).kopecks()
                + book.had.get(MoneyKind::Cash).kopecks();
            prop_assert_eq!(had, walk.paid());
        }
    }
}
