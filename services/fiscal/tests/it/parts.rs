//! Orders in several shipments: each closes what is in it, and together they make the price.

use events::{Money, Order, Quantity, Shipment};
use fiscal::receipt::{MoneyKind, Rules, Settlement};
use proptest::prelude::*;

use crate::{
    order::{priced, qty, rub, rules_with, with_line},
    till::{Till, planned, to_ship},
    world::{Changes, World, job},
};

fn each() -> Rules {
    rules_with("settlement = 'prepayment'\ncloses_on = 'each_shipment'")
}

fn shipment(id: u64, items: &[(u64, &str)]) -> Shipment {
    let items = items.iter().map(|(line, quantity)| (*line, qty(quantity))).collect();
    Shipment { id, deducted: false, deducted_at: None, items }
}

/// Two mugs and three spoons, sent as a mug, then the rest.
fn in_two_shipments() -> Order {
    let mut order = priced(with_line(to_ship(), "Ложка", "33.33", "3"), "1580.99");
    order.shipments = vec![shipment(9, &[(7, "1")]), shipment(10, &[(7, "1"), (8, "3")])];
    order
}

#[test]
fn each_shipment_closes_its_own_lines_and_the_last_one_the_rest() {
    let mut till = Till::new(in_two_shipments(), each());
    assert!(planned(&till.pay(55)).contains("vat122 FullPrepayment"));
    assert_eq!(
        planned(&till.ship(9)),
        "sell Prepaid 590.50 | 590.50 x 1 = 590.50 vat22 FullPayment Commodity"
    );
    assert!(till.book().part_closed);
    assert_eq!(planned(&till.ship(9)), "note", "told again as another fact");
    assert_eq!(
        planned(&till.ship(10)),
        "sell Prepaid 990.49 | 590.50 x 1 = 590.50 vat22 FullPayment Commodity \
         | 33.33 x 3 = 99.99 vat10 FullPayment Commodity \
         | 300.00 x 1 = 300.00 vat22 FullPayment Service"
    );
    assert!(!till.book().part_closed);
    // The whole of it goes back as one sale.
    assert!(planned(&till.unpay(55)).starts_with("refund Electronic 1580.99 |"));
    assert_eq!(till.book().had.total(), Some(Money::ZERO));
}

#[test]
fn what_is_not_prepaid_in_money_is_closed_with_the_last_shipment() {
    let mut till = Till::new(in_two_shipments(), each());
    assert_eq!(planned(&till.ship(9)), "note", "nothing is paid");
    let mut early = Till::new(in_two_shipments(), each());
    early.order.payments[0].state = events::PaymentState::Paid;
    assert_eq!(planned(&early.ship(9)), "wait", "the payment's receipt comes first");
    till.pay(55).unwrap();
    let last = planned(&till.ship(10));
    assert!(last.starts_with("sell Prepaid 1580.99 | 590.50 x 2 = 1181.00"), "{last}");
}

#[test]
fn what_changes_between_two_shipments_is_for_a_person() {
    let closed = || {
        let mut till = Till::new(in_two_shipments(), each());
        till.pay(55).unwrap();
        till.ship(9).unwrap();
        till
    };
    assert_eq!(planned(&closed().unpay(55)), "refused partly_closed");
    assert_eq!(planned(&closed().give_back(&[(7, "1")])), "refused partly_closed");
    let mut till = closed();
    till.order.lines[0].quantity = qty("0.5");
    assert!(planned(&till.ship(10)).starts_with("refused "));
    let mut till = closed();
    till.order.price = rub("1480.99");
    assert!(planned(&till.ship(10)).starts_with("refused "));
}

#[test]
fn marked_goods_are_closed_whole_because_nobody_says_which_codes_are_in_which_shipment() {
    let mut order = in_two_shipments();
    order.lines[0].marked = true;
    order.lines[0].marks = ["0104600\u{1d}91", "0104601\u{1d}91"]
        .map(|code| events::MarkCode::from_text(code).unwrap())
        .to_vec();
    let mut till = Till::new(order.clone(), each());
    till.pay(55).unwrap();
    assert_eq!(planned(&till.ship(9)), "refused refund_codes_unknown");
    order.shipments = vec![shipment(9, &[(7, "2")]), shipment(10, &[(8, "3")])];
    let mut till = Till::new(order, each());
    till.pay(55).unwrap();
    till.ship(9).unwrap();
    let receipt = till.entries.last().unwrap().deed.receipt().unwrap();
    assert!(receipt.positions.iter().all(|position| position.mark.is_some()));
    till.ship(10).unwrap();
}

#[tokio::test]
async fn an_order_in_two_shipments_gets_a_closing_receipt_for_each() {
    use events::{Event, Fact, ShipmentFact};

    let world = World::with(Changes { rules: Some(each()), ..Changes::default() }).await;
    let mut order = in_two_shipments();
    order.payments[0].state = events::PaymentState::Paid;
    world.carry(&mut job(order.clone())).await;
    for shipment in [9, 10] {
        order.shipments.iter_mut().filter(|s| s.id == shipment).for_each(|s| s.deducted = true);
        let fact = ShipmentFact { order: order.clone(), shipment, occurrence: 1 };
        let event = Event::new(Fact::OrderShipped(Box::new(fact)), order.updated_at);
        let mut job = runtime::testing::Job::new(event);
        assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
        assert_eq!(world.carry(&mut job).await, ["done"], "told twice");
    }
    let receipts = world.receipts();
    let rows: Vec<_> = receipts.iter().map(|r| (r.invoice_id.as_str(), r.total_kopecks)).collect();
    assert_eq!(
        rows,
        [
            ("acme:1001:55:sell:1:1", 158_099),
            ("acme:1001:s9:close:1:1", 59_050),
            ("acme:1001:s10:close:1:1", 99_049),
        ]
    );
    // Six years later it may be forgotten, and not before.
    let subject = fiscal::subject::Subject::order(&order.key);
    let keep = std::time::Duration::from_secs(1830 * 86_400);
    assert_eq!(world.ledgers.forget(keep).await.unwrap(), 0);
    world.age_ledgers().await;
    let mut open = order.clone();
    open.key.id = 2;
    job(open.clone()).run(&*world.fiscal).await;
    world.age_ledgers().await;
    assert_eq!(world.ledgers.forget(keep).await.unwrap(), 3);
    assert!(world.ledgers.entries(&subject).await.unwrap().is_empty());
    let open = fiscal::subject::Subject::order(&open.key);
    assert_eq!(world.ledgers.entries(&open).await.unwrap().len(), 1, "not issued yet");
}

proptest! {
    #[test]
    fn shipments_in_any_parts_make_the_price_to_the_kopeck(
        price in 1_i64..90_000, pieces in 1_u64..40, off in 0_u32..90,
        cuts in prop::collection::vec(1_u64..12, 0..6),
    ) {
        let mut order = to_ship();
        order.lines[0].price = Money::from_kopecks(price);
        order.lines[0].quantity = Quantity::from_units(pieces);
        let whole = price * i64::try_from(pieces).unwrap() + 30_000;
        let due = Money::from_kopecks((whole - whole * i64::from(off) / 100).max(1));
        order = priced(order, &due.to_string());
        let mut left = pieces;
        let mut parts = Vec::new();
        for cut in cuts {
            let part = cut.min(left);
            if part > 0 { parts.push(part); }
            left -= part;
        }
        if left > 0 { parts.push(left); }
        order.shipments = (9..).zip(&parts)
            .map(|(id, part)| shipment(id, &[(7, part.to_string().as_str())])).collect();
        let mut till = Till::new(order, each());
        till.pay(55).unwrap();
        for (id, _) in (9..).zip(&parts) {
            prop_assert!(till.ship(id).is_ok(), "shipment {id} of {parts:?}");
        }
        let closings: Vec<_> = till.entries[1..].iter().filter_map(|e| e.deed.receipt()).collect();
        let total = Money::sum(closings.iter().map(|receipt| receipt.total)).unwrap();
        prop_assert_eq!(total, due);
        for receipt in &closings {
            prop_assert_eq!(receipt.amounts.get(MoneyKind::Prepaid), receipt.total);
            prop_assert!(receipt.positions.iter().all(|p| p.settlement == Settlement::FullPayment));
            prop_assert!(receipt.positions.iter().all(|p| p.price.times(p.quantity) == Some(p.sum)));
        }
        prop_assert!(!till.book().part_closed);
        prop_assert_eq!(till.book().had.total(), Some(due));
    }
}
