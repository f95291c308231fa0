//! The life of an order as steps, and what is told at each of them.

use std::collections::BTreeMap;

use events::{Delivery, Line, Money, OrderRef, Shipment, Vat};
use time::{Duration, OffsetDateTime, macros::datetime};

use super::*;

const BORN: OffsetDateTime = datetime!(2026-11-20 10:00 +3);

/// Two lines, two payments, two shipments; nothing has happened yet.
pub(crate) fn order() -> Order {
    let line = |id: u64, quantity: &str| Line {
        id,
        product: Some(id),
        product_xml_id: None,
        name: format!("product {id}"),
        quantity: quantity.parse().unwrap(),
        unit: None,
        price: Money::from_kopecks(50_000),
        vat: Vat::V22,
        marks: vec![],
        marked: false,
        properties: BTreeMap::new(),
    };
    let payment = |id: u64, kopecks: i64| Payment {
        id,
        system: Some(1),
        sum: Money::from_kopecks(kopecks),
        state: PaymentState::Open,
        paid_at: None,
    };
    let shipment = |id: u64, line: u64, quantity: &str| Shipment {
        id,
        deducted: false,
        deducted_at: None,
        items: vec![(line, quantity.parse().unwrap())],
    };
    Order {
        key: OrderRef { shop: "demo".parse().unwrap(), id: 77, number: "512".into(), site: false },
        version: Some(1),
        status: "N".into(),
        canceled: false,
        created_at: BORN,
        updated_at: BORN,
        price: Money::from_kopecks(150_000),
        buyer: events::Buyer::default(),
        lines: vec![line(1, "2"), line(2, "0.5")],
        delivery: Some(Delivery {
            name: "courier".into(),
            price: Money::from_kopecks(25_000),
            vat: None,
        }),
        payments: vec![payment(41, 100_000), payment(42, 50_000)],
        shipments: vec![shipment(51, 1, "2"), shipment(52, 2, "0.5")],
        properties: BTreeMap::new(),
        marks_by: events::MarksBy::default(),
    }
}

pub(super) fn meaning(status: &str) -> Meaning {
    match status {
        "S" => Meaning::Shipped,
        "F" => Meaning::Completed,
        "C" => Meaning::Cancelled,
        "RT" => Meaning::Returned,
        _ => Meaning::Neutral,
    }
}

/// Changes an order as a word says: `pay 41`, `ship 51`, `items 51 1`, `status F`, `cancel`.
pub(super) fn act(order: &mut Order, word: &str) {
    let words: Vec<&str> = word.split(' ').collect();
    let id: u64 = words.get(1).and_then(|id| id.parse().ok()).unwrap_or_default();
    let at = order.updated_at;
    let state = |order: &mut Order, state: PaymentState, at: Option<OffsetDateTime>| {
        for payment in order.payments.iter_mut().filter(|payment| payment.id == id) {
            (payment.state, payment.paid_at) = (state, at);
        }
    };
    match words[0] {
        "pay" => state(order, PaymentState::Paid, Some(at)),
        "unpay" => state(order, PaymentState::Open, None),
        "refund" => state(order, PaymentState::Returned, Some(at)),
        "drop-payment" => order.payments.retain(|payment| payment.id != id),
        "sum" => order.payments[0].sum = Money::from_kopecks(1),
        "ship" | "unship" => {
            let gone = words[0] == "ship";
            for shipment in order.shipments.iter_mut().filter(|shipment| shipment.id == id) {
                (shipment.deducted, shipment.deducted_at) = (gone, gone.then_some(at));
            }
        }
        "items" => {
            let quantity = words[2].parse().unwrap();
            for shipment in order.shipments.iter_mut().filter(|shipment| shipment.id == id) {
                shipment.items[0].1 = quantity;
            }
        }
        "drop-shipment" => order.shipments.retain(|shipment| shipment.id != id),
        "status" => order.status = words[1].to_owned(),
        "cancel" => order.canceled = true,
        "restore" => order.canceled = false,
        "nothing" => {}
        other => panic!("{other} is no word"),
    }
}

/// A fact in one word.
pub(super) fn name(fact: &Fact) -> String {
    match fact {
        Fact::OrderCreated(fact) => format!("created#{}", fact.occurrence),
        Fact::OrderPaid(fact) => format!("paid {}#{}", fact.payment, fact.occurrence),
        Fact::OrderShipped(fact) => format!("shipped {}#{}", fact.shipment, fact.occurrence),
        Fact::OrderCompleted(fact) => format!("completed#{}", fact.occurrence),
        Fact::OrderCancelled(fact) => format!("cancelled#{}", fact.occurrence),
        Fact::OrderChanged(fact) => format!("changed#{}", fact.occurrence),
        Fact::OrderReturned(fact) => {
            let lines = fact.lines.iter().map(|line| format!("{}x{}", line.line, line.quantity));
            format!("returned {}#{}", lines.collect::<Vec<_>>().join("+"), fact.occurrence)
        }
        Fact::PaymentRefunded(fact) => {
            format!("refunded {}={}#{}", fact.payment, fact.sum, fact.occurrence)
        }
        other => panic!("{other:?} does not come from an order"),
    }
}

/// What is told at each step; the steps are separated by `|`, words of one save by `,`.
fn story(steps: &str, since: Option<OffsetDateTime>) -> String {
    let (mut order, mut ledger, mut told) = (order(), None, Vec::new());
    for step in steps.split('|') {
        order.updated_at += Duration::minutes(1);
        step.split(',').for_each(|word| act(&mut order, word.trim()));
        let rules = Rules { meaning: meaning(&order.status), since };
        let (facts, next) = diff(ledger.as_ref(), &order, rules);
        let names: Vec<String> = facts.iter().map(|event| name(&event.fact)).collect();
        told.push(names.join(", "));
        assert_eq!(diff(Some(&next), &order, rules).0, [], "told twice after {step}");
        ledger = Some(next);
    }
    told.join(" | ")
}

const STORIES: [(&str, &str); 32] = [
    ("nothing", "created#1"),
    ("nothing | pay 41", "created#1 | paid 41#1"),
    ("pay 41, pay 42", "created#1, paid 41#1, paid 42#1"),
    (
        "nothing | pay 41 | unpay 41 | pay 41",
        "created#1 | paid 41#1 | refunded 41=1000.00#1 | paid 41#2",
    ),
    ("pay 41 | refund 41 | nothing", "created#1, paid 41#1 | refunded 41=1000.00#1 | "),
    // Not paid any more first, the flag of the return later: one refund.
    ("pay 41 | unpay 41 | refund 41", "created#1, paid 41#1 | refunded 41=1000.00#1 | "),
    // Paid and given back between two looks.
    ("nothing | refund 41", "created#1 | paid 41#1, refunded 41=1000.00#1"),
    ("refund 41", "created#1, paid 41#1, refunded 41=1000.00#1"),
    // What went back is what was paid.
    ("pay 41 | sum 41 | unpay 41", "created#1, paid 41#1 |  | refunded 41=1000.00#1"),
    ("pay 42 | drop-payment 42 | nothing", "created#1, paid 42#1 | refunded 42=500.00#1 | "),
    ("nothing | drop-payment 42", "created#1 | "),
    ("nothing | ship 51 | ship 52", "created#1 | shipped 51#1 | shipped 52#1"),
    ("ship 51 | unship 51 | ship 51", "created#1, shipped 51#1 | returned 1x2#1 | shipped 51#2"),
    (
        "ship 51 | items 51 1 | items 51 0",
        "created#1, shipped 51#1 | returned 1x1#1 | returned 1x1#2",
    ),
    // Came back and left anew with more, between two looks.
    ("ship 51 | items 51 3", "created#1, shipped 51#1 | returned 1x2#1, shipped 51#2"),
    ("ship 51 | drop-shipment 51 | nothing", "created#1, shipped 51#1 | returned 1x2#1 | "),
    (
        "ship 51, ship 52 | unship 51, unship 52",
        "created#1, shipped 51#1, shipped 52#1 | returned 1x2+2x0.5#1",
    ),
    ("ship 51, ship 52 | status F", "created#1, shipped 51#1, shipped 52#1 | completed#1"),
    ("status F | status N | status F", "created#1, completed#1 |  | completed#2"),
    ("nothing | cancel | restore | cancel", "created#1 | cancelled#1 |  | cancelled#2"),
    ("cancel | status C | restore", "created#1, cancelled#1 |  | "),
    // Statuses of which nothing follows.
    ("nothing | status P | status N", "created#1 |  | "),
    // The status says that everything came back.
    (
        "ship 51, ship 52 | status RT | nothing | unship 51",
        "created#1, shipped 51#1, shipped 52#1 | returned 1x2+2x0.5#1 |  | ",
    ),
    ("ship 51 | unship 51 | status RT", "created#1, shipped 51#1 | returned 1x2#1 | "),
    ("ship 51, status RT", "created#1, shipped 51#1, returned 1x2#1"),
    // The status was a mistake: the goods are with the buyer after all.
    (
        "ship 51 | status RT | status F",
        "created#1, shipped 51#1 | returned 1x2#1 | shipped 51#2, completed#1",
    ),
    // Something else is sent although the status stays.
    (
        "ship 51 | status RT | ship 52 | unship 52",
        "created#1, shipped 51#1 | returned 1x2#1 | shipped 52#1 | returned 2x0.5#2",
    ),
    // A shop that does not work with shipments.
    ("status F | status RT | nothing", "created#1, completed#1 | returned 1x2+2x0.5#1 | "),
    // A shop whose status says that the goods left.
    (
        "nothing | status S | status N | status F",
        "created#1 | shipped 51#1, shipped 52#1 |  | completed#1",
    ),
    ("status S | status RT", "created#1, shipped 51#1, shipped 52#1 | returned 1x2+2x0.5#1"),
    (
        "status S | ship 51 | cancel",
        "created#1, shipped 51#1, shipped 52#1 |  | returned 2x0.5#1, cancelled#1",
    ),
    (
        "pay 41, pay 42, ship 51, ship 52, status F",
        "created#1, paid 41#1, paid 42#1, shipped 51#1, shipped 52#1, completed#1",
    ),
];

#[test]
fn what_happens_is_told() {
    for (steps, told) in STORIES {
        assert_eq!(story(steps, None), told, "{steps}");
    }
}

#[test]
fn history_is_remembered_and_not_told() {
    let later = |minutes| Some(BORN + Duration::minutes(minutes));
    let rows = [
        // The order is not older than Parom: everything is told.
        (0, "pay 41, status F", "created#1, paid 41#1, completed#1"),
        // It is, and so is all that is found at first sight.
        (60, "pay 41, ship 51, status F", ""),
        (60, "refund 41", ""),
        (60, "ship 51, status RT", ""),
        (60, "cancel", ""),
        // What happens later is told, and counts on from history.
        (60, "pay 41 | status F | unpay 41", " | completed#1 | refunded 41=1000.00#1"),
        (2, "nothing | pay 41 | ship 51", " | paid 41#1 | shipped 51#1"),
        // Seen for the first time because of a payment that came after Parom.
        (1, "pay 41, ship 51", "paid 41#1, shipped 51#1"),
        (1, "ship 51, status RT", "shipped 51#1, returned 1x2#1"),
        (1, "refund 41", "paid 41#1, refunded 41=1000.00#1"),
    ];
    for (minutes, steps, told) in rows {
        assert_eq!(story(steps, later(minutes)), told, "since {minutes} min: {steps}");
    }
}

#[test]
fn a_deleted_order_is_cancelled_once_and_never_when_completed() {
    let tell = |steps: &str| {
        let (mut order, mut ledger) = (order(), None);
        for word in steps.split(", ") {
            act(&mut order, word);
            let rules = Rules { meaning: meaning(&order.status), since: None };
            ledger = Some(diff(ledger.as_ref(), &order, rules).1);
        }
        let (facts, after, last) = deleted(&ledger.unwrap(), &order);
        assert_eq!(deleted(&after, &last).0, []);
        assert!(last.canceled);
        facts.iter().map(|event| name(&event.fact)).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(tell("nothing"), "cancelled#1");
    assert_eq!(tell("cancel, restore"), "cancelled#2");
    assert_eq!(tell("cancel"), "");
    assert_eq!(tell("status F"), "");
}

#[test]
fn a_deleted_payment_goes_with_its_refund() {
    let (mut order, rules) = (order(), Rules { meaning: Meaning::Neutral, since: None });
    act(&mut order, "pay 42");
    let (_, ledger) = diff(None, &order, rules);
    act(&mut order, "drop-payment 42");
    let (facts, _) = diff(Some(&ledger), &order, rules);
    let Fact::PaymentRefunded(fact) = &facts[0].fact else { panic!("{facts:?}") };
    assert_eq!(fact.order.payment(42).unwrap().state, PaymentState::Open);
}
