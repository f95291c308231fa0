//! What holds for every life of an order, however its snapshots arrive.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{
    tests::{act, meaning, name, order},
    *,
};
use crate::content::{Age, Stamp};

/// Reads snapshots as the reader does: only what is newer than what is stored.
fn read_all<'a>(snapshots: impl Iterator<Item = &'a Order>) -> (Vec<Event>, Ledger) {
    let mut stored: Option<(Stamp, Ledger)> = None;
    let mut told = Vec::new();
    for order in snapshots {
        let stamp = Stamp::of(order, None);
        if stored.as_ref().is_some_and(|(last, _)| stamp.against(last) != Age::Newer) {
            continue;
        }
        let rules = Rules { meaning: meaning(&order.status), since: None };
        let (facts, ledger) = diff(stored.as_ref().map(|(_, ledger)| ledger), order, rules);
        told.extend(facts);
        stored = Some((stamp, ledger));
    }
    (told, stored.unwrap().1)
}

/// What must have been told at least once for an order that looks like this.
fn must_be_told(order: &Order) -> BTreeSet<String> {
    let mut must = BTreeSet::from(["created".to_owned()]);
    for payment in &order.payments {
        match payment.state {
            PaymentState::Open => {}
            PaymentState::Paid => must.extend([format!("paid {}", payment.id)]),
            PaymentState::Returned => {
                must.extend([format!("paid {}", payment.id), format!("refunded {}", payment.id)]);
            }
        }
    }
    let gone = order.shipments.iter().filter(|shipment| shipment.deducted);
    must.extend(gone.map(|shipment| format!("shipped {}", shipment.id)));
    must.extend((order.status == "F").then(|| "completed".to_owned()));
    must.extend((order.canceled || order.status == "C").then(|| "cancelled".to_owned()));
    must
}

fn count(told: &[Event], of: &str) -> usize {
    told.iter().filter(|event| name(&event.fact).starts_with(of)).count()
}

const WORDS: [&str; 20] = [
    "pay 41",
    "unpay 41",
    "refund 41",
    "pay 42",
    "unpay 42",
    "refund 42",
    "ship 51",
    "unship 51",
    "ship 52",
    "unship 52",
    "items 51 1",
    "items 51 2",
    "items 51 3",
    "status N",
    "status S",
    "status F",
    "status C",
    "status RT",
    "cancel",
    "restore",
];

proptest! {
    #[test]
    fn snapshots_in_any_order_tell_each_fact_once_and_the_last_state_for_sure(
        words in prop::collection::vec(prop::sample::select(&WORDS[..]), 1..24),
        arrivals in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
        last in any::<prop::sample::Index>(),
    ) {
        let returns_by_status = words.contains(&"status RT");
        let mut order = order();
        let mut saves = Vec::new();
        for word in words {
            act(&mut order, word);
            order.version = order.version.map(|version| version + 1);
            saves.push(order.clone());
        }
        let mut arriving: Vec<&Order> =
            arrivals.iter().map(|index| &saves[index.index(saves.len())]).collect();
        arriving.insert(last.index(arriving.len() + 1), &order);
        let (told, ledger) = read_all(arriving.into_iter());

        let ids: BTreeSet<_> = told.iter().map(Event::id).collect();
        prop_assert_eq!(ids.len(), told.len(), "a fact was told twice");
        for must in must_be_told(&order) {
            prop_assert!(count(&told, &must) > 0, "{} is missing in {:?}", must, told.iter().map(|e| name(&e.fact)).collect::<Vec<_>>());
        }
        // Money and goods: what was told adds up to how the order stands.
        for payment in &order.payments {
            let open = usize::from(payment.state == PaymentState::Paid);
            let (paid, refunded) =
                (count(&told, &format!("paid {}", payment.id)), count(&told, &format!("refunded {}", payment.id)));
            prop_assert_eq!(paid, refunded + open);
        }
        for line in [1, 2] {
            let shipped: Quantity = sum(told.iter().filter_map(|event| match &event.fact {
                Fact::OrderShipped(fact) => fact.order.shipments.iter()
                    .find(|shipment| shipment.id == fact.shipment)?.items.iter()
                    .find(|(id, _)| *id == line).map(|(_, quantity)| *quantity),
                _ => None,
            }));
            let returned = sum(told.iter().filter_map(|event| match &event.fact {
                Fact::OrderReturned(fact) => fact.lines.iter()
                    .find(|back| back.line == line).map(|back| back.quantity),
                _ => None,
            }));
            let out = sum(ledger.shipments.values().filter_map(|entry| entry.out.get(&line).copied()));
            // A status "all came back" also returns what no shipment took out.
            if !returns_by_status {
                prop_assert_eq!(returned.checked_add(out), Some(shipped), "line {}", line);
            }
        }
    }

    #[test]
    fn a_ledger_survives_its_storage(words in prop::collection::vec(prop::sample::select(&WORDS[..]), 1..12)) {
        let mut order = order();
        words.iter().for_each(|word| act(&mut order, word));
        let ledger = diff(None, &order, Rules { meaning: meaning(&order.status), since: None }).1;
        let text = serde_json::to_string(&ledger).unwrap();
        prop_assert_eq!(serde_json::from_str::<Ledger>(&text).unwrap(), ledger);
    }
}

fn sum(quantities: impl Iterator<Item = Quantity>) -> Quantity {
    quantities.fold(Quantity::ZERO, |sum, quantity| sum.checked_add(quantity).unwrap())
}
