//! By which receipts orders are settled, flow by flow.

use events::{Money, Vat};
use fiscal::{
    plan::Plan,
    receipt::{MoneyKind, Object, Receipt, Rules, Settlement},
};
use serde_json::Value;
use time::macros::datetime;

use crate::{
    order::{order, priced, rub, rules, rules_with, with_line},
    till::{Till, in_two, planned, to_ship},
};

fn flow(settlement: &str) -> Rules {
    rules_with(&format!(
        "settlement = '{settlement}'\ncloses_on = 'shipped'\n\
         payments = {{ electronic = [2], cash = [5], certificates = [6], provision = [7], points = [8] }}"
    ))
}

fn issued(plan: Result<Plan, fiscal::receipt::Refusal>) -> Receipt {
    match plan.unwrap() {
        Plan::Issue(deed) => deed.receipt().unwrap().clone(),
        other => panic!("no receipt: {other:?}"),
    }
}

#[test]
fn a_full_prepayment_is_closed_when_the_goods_leave() {
    let mut till = Till::new(to_ship(), flow("prepayment"));
    till.pay(55).unwrap();
    till.ship(9).unwrap();
    assert_eq!(
        till.receipts(),
        [
            "sell Electronic 1481.00 | 590.50 x 2 = 1181.00 vat122 FullPrepayment Payment \
             | 300.00 x 1 = 300.00 vat122 FullPrepayment Payment",
            "sell Prepaid 1481.00 | 590.50 x 2 = 1181.00 vat22 FullPayment Commodity \
             | 300.00 x 1 = 300.00 vat22 FullPayment Service",
        ]
    );
    assert_eq!(planned(&till.ship(9)), "note", "told again under another occurrence");
    assert_eq!(planned(&till.complete()), "nothing");
}

/// Our vector: half online, half on delivery.
#[test]
fn halves_are_receipted_as_in_the_vector() {
    let vector: Value =
        serde_json::from_str(include_str!("../vectors/prepayment_flow.json")).unwrap();
    let mut order = priced(to_ship(), "1000.00");
    order.lines[0].price = rub("450.00");
    order.delivery.as_mut().unwrap().price = rub("100.00");
    let order = in_two(order, (2, "500.00"), (2, "500.00"));
    let mut till = Till::new(order, flow("prepayment"));
    let first = issued(till.pay(55));
    assert_eq!(planned(&till.ship(9)), "note", "not paid yet");
    let second = issued(till.pay(56));
    for (receipt, expected) in [first, second].iter().zip(vector["receipts"].as_array().unwrap()) {
        for (position, expected) in
            receipt.positions.iter().zip(expected["items"].as_array().unwrap())
        {
            assert_eq!(position.sum.kopecks(), expected["sum"].as_i64().unwrap());
            assert_eq!(position.vat.as_str(), expected["vat"]);
            let tax = position.vat.included_in(position.sum).unwrap();
            assert_eq!(tax.kopecks(), expected["vat_sum"].as_i64().unwrap());
            let settlement = serde_json::to_value(position.settlement).unwrap();
            assert_eq!(settlement, expected["payment_method"]);
            let object = serde_json::to_value(position.object).unwrap();
            assert_eq!(object, expected["payment_object"]);
            assert_eq!(position.mark, None);
        }
        assert_eq!(receipt.positions.len(), expected["items"].as_array().unwrap().len());
        let amounts = serde_json::to_value(&receipt.amounts).unwrap();
        assert_eq!(amounts, expected["payments"]);
    }
}

#[test]
fn an_advance_names_no_goods_and_has_a_position_for_each_rate() {
    let mut order = with_line(to_ship(), "Ложка", "100.00", "1");
    order = in_two(priced(order, "1581.00"), (2, "581.00"), (5, "1000.00"));
    let mut till = Till::new(order, flow("advance"));
    let first = issued(till.pay(55));
    let rows: Vec<_> =
        first.positions.iter().map(|p| (p.name.as_str(), p.sum, p.vat, p.object)).collect();
    assert_eq!(
        rows,
        [
            ("Аванс по заказу № A-1001", rub("36.75"), Vat::C10, Object::Payment),
            ("Аванс по заказу № A-1001", rub("544.25"), Vat::C22, Object::Payment),
        ]
    );
    assert!(first.positions.iter().all(|p| p.settlement == Settlement::Advance));
    till.pay(56).unwrap();
    let closing = issued(till.ship(9));
    assert_eq!(closing.amounts.get(MoneyKind::Prepaid), rub("1581.00"));
    assert!(closing.positions.iter().all(|p| p.settlement == Settlement::FullPayment));
}

#[test]
fn goods_on_credit_leave_first_and_are_paid_later() {
    let mut till = Till::new(in_two(to_ship(), (2, "481.00"), (5, "1000.00")), flow("credit"));
    till.ship(9).unwrap();
    till.pay(55).unwrap();
    till.pay(56).unwrap();
    assert_eq!(
        till.receipts(),
        [
            "sell Credit 1481.00 | 590.50 x 2 = 1181.00 vat22 Credit Commodity \
             | 300.00 x 1 = 300.00 vat22 Credit Service",
            "sell Electronic 481.00 | 383.57 x 1 = 383.57 vat22 CreditPayment Payment \
             | 97.43 x 1 = 97.43 vat22 CreditPayment Payment",
            "sell Cash 1000.00 | 797.43 x 1 = 797.43 vat22 CreditPayment Payment \
             | 202.57 x 1 = 202.57 vat22 CreditPayment Payment",
        ]
    );
    let mut partly = Till::new(in_two(to_ship(), (2, "481.00"), (5, "1000.00")), flow("credit"));
    partly.pay(55).unwrap();
    let closing = issued(partly.ship(9));
    assert!(closing.positions.iter().all(|p| p.settlement == Settlement::PartialPayment));
    assert_eq!(closing.amounts.get(MoneyKind::Prepaid), rub("481.00"));
    assert_eq!(closing.amounts.get(MoneyKind::Credit), rub("1000.00"));
    partly.pay(56).unwrap();
    assert_eq!(partly.book().had.get(MoneyKind::Credit), Money::ZERO);
}

#[test]
fn two_payments_of_goods_that_are_handed_over_at_once() {
    let mut till = Till::new(in_two(order(), (2, "481.00"), (5, "1000.00")), rules());
    till.pay(55).unwrap();
    till.pay(56).unwrap();
    assert_eq!(
        till.receipts(),
        [
            "sell Electronic 481.00 | 383.57 x 1 = 383.57 vat122 Prepayment Payment \
             | 97.43 x 1 = 97.43 vat122 Prepayment Payment",
            "sell Cash 1000.00 Prepaid 481.00 | 590.50 x 2 = 1181.00 vat22 FullPayment Commodity \
             | 300.00 x 1 = 300.00 vat22 FullPayment Service",
        ]
    );
}

#[test]
fn certificates_and_provisions_count_when_the_goods_leave() {
    for (system, kind) in [(6, MoneyKind::Prepaid), (7, MoneyKind::Provision)] {
        let mut till =
            Till::new(in_two(to_ship(), (system, "481.00"), (2, "1000.00")), flow("prepayment"));
        assert_eq!(planned(&till.pay(55)), "note");
        let prepaid = issued(till.pay(56));
        assert_eq!(prepaid.total, rub("1000.00"));
        let closing = issued(till.ship(9));
        assert_eq!(closing.total, rub("1481.00"));
        assert_eq!(closing.amounts.total(), Some(rub("1481.00")));
        assert!(closing.amounts.get(kind) >= rub("481.00"));
        assert_eq!(closing.amounts.get(MoneyKind::Electronic), Money::ZERO);
    }
}

#[test]
fn points_are_a_discount_on_every_position() {
    let mut till = Till::new(in_two(to_ship(), (8, "481.00"), (2, "1000.00")), flow("prepayment"));
    assert_eq!(planned(&till.pay(55)), "nothing");
    let prepaid = issued(till.pay(56));
    assert_eq!(prepaid.total, rub("1000.00"));
    assert!(prepaid.positions.iter().all(|p| p.settlement == Settlement::FullPrepayment));
    let closing = issued(till.ship(9));
    assert_eq!(closing.total, rub("1000.00"));
    let sums: Vec<Money> = closing.positions.iter().map(|p| p.sum).collect();
    assert_eq!(sums, [rub("398.71"), rub("398.72"), rub("202.57")]);
}

#[test]
fn an_order_in_two_shipments_is_closed_with_the_last() {
    let mut order = to_ship();
    let mut second = order.shipments[0].clone();
    second.id = 10;
    (order.shipments[0].items[0].1, second.items[0].1) =
        ("1".parse().unwrap(), "1".parse().unwrap());
    order.shipments.push(second);
    let mut till = Till::new(order, flow("prepayment"));
    till.pay(55).unwrap();
    assert_eq!(planned(&till.ship(9)), "note");
    assert_eq!(issued(till.ship(10)).total, rub("1481.00"));
}

#[test]
fn a_completed_order_is_closed_where_the_shop_says_so() {
    let rules = rules_with("settlement = 'prepayment'\ncloses_on = 'completed'");
    let mut till = Till::new(to_ship(), rules);
    till.pay(55).unwrap();
    assert_eq!(planned(&till.ship(9)), "note");
    assert!(planned(&till.complete()).starts_with("sell Prepaid 1481.00"));
}

/// What comes before its time waits, and nothing is entered.
#[test]
fn receipts_of_an_order_come_one_after_another() {
    let mut till = Till::new(to_ship(), flow("prepayment"));
    till.order.payments[0].state = events::PaymentState::Paid;
    assert_eq!(planned(&till.ship(9)), "wait", "the payment's own receipt comes first");
    till.pay(55).unwrap();
    till.entries[0].settled = false;
    assert_eq!(planned(&till.ship(9)), "wait", "the prepayment is not issued yet");
    assert_eq!(planned(&till.unpay(55)), "wait");
    till.entries[0].settled = true;
    till.order.payments[0].state = events::PaymentState::Paid;
    assert!(planned(&till.ship(9)).starts_with("sell Prepaid"));
}

#[test]
fn more_money_than_the_order_costs_is_refused() {
    let mut till = Till::new(in_two(to_ship(), (2, "481.00"), (2, "1000.01")), flow("prepayment"));
    till.pay(55).unwrap();
    assert_eq!(planned(&till.pay(56)), "refused overpaid");
}

/// The cases of the tax service's clarifications of 2026.
#[test]
fn the_years_turn_is_as_in_the_vectors() {
    let vectors: Value =
        serde_json::from_str(include_str!("../vectors/vat_transition_2026.json")).unwrap();
    let rate = |op: &str| {
        let cases = vectors["cases"].as_array().unwrap().iter();
        let mut case = cases.filter(|case| case["op"].as_str().unwrap().starts_with(op));
        case.next().unwrap()["vat"].as_str().unwrap().parse::<Vat>().unwrap()
    };
    let mut order = to_ship();
    order.created_at = datetime!(2025-12-20 12:00 +3);
    order.lines[0].vat = Vat::V20;
    order.delivery.as_mut().unwrap().vat = Some(Vat::V20);
    let (before, after) = (datetime!(2025-12-31 23:59:59 +3), datetime!(2026-01-01 00:00 +3));
    let rates = |receipt: &Receipt| receipt.positions.iter().map(|p| p.vat).collect::<Vec<_>>();

    let mut till = Till::new(order.clone(), flow("prepayment"));
    till.at = before;
    assert_eq!(rates(&issued(till.pay(55))), [rate("prepayment in 2025"); 2]);
    till.at = after;
    assert_eq!(rates(&issued(till.ship(9))), [rate("offset/full_payment"); 2]);
    assert_eq!(rates(&issued(till.unpay(55))), [Vat::V22; 2]);

    let mut sold = Till::new(order.clone(), rules());
    sold.at = before;
    assert_eq!(rates(&issued(sold.pay(55))), [Vat::V20; 2]);
    sold.at = after;
    assert_eq!(rates(&issued(sold.unpay(55))), [rate("sell_refund 2026"); 2]);

    let mut credit = Till::new(order.clone(), flow("credit"));
    credit.at = before;
    credit.ship(9).unwrap();
    credit.at = after;
    assert_eq!(rates(&issued(credit.pay(55))), [rate("credit shipped in 2025"); 2]);

    let mut new = Till::new(to_ship(), rules());
    assert_eq!(rates(&issued(new.pay(55))), [rate("new sale 2026"); 2]);
    // A new order at the old rate is a catalogue that nobody has mended.
    new = Till::new(to_ship(), rules());
    new.order.lines[0].vat = Vat::V20;
    assert_eq!(planned(&new.pay(55)), "refused vat_not_in_force");
    // And nothing is sold at a rate of the future.
    new = Till::new(to_ship(), rules());
    new.at = before;
    assert_eq!(planned(&new.pay(55)), "refused vat_not_in_force");
}
