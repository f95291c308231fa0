//! The orders and rules that tests begin with.

use events::{Event, Fact, Money, Order, PaymentFact, Quantity, Vat};
use fiscal::{
    plan::{Plan, plan},
    receipt::{Receipt, Refusal, Rules},
};
use serde_json::json;

/// An order of two mugs at 590.50 and a delivery at 300.00, paid with card.
pub(crate) fn order() -> Order {
    serde_json::from_value(json!({
        "ref": {"shop": "acme", "id": 1001, "number": "A-1001", "site": false},
        "version": 3,
        "status": "P",
        "canceled": false,
        "created_at": "2026-01-05T11:58:00+03:00",
        "updated_at": "2026-01-05T12:00:00+03:00",
        "price": 148_100,
        "buyer": {
            "id": 42, "name": "Иванова Анна", "email": "buyer@example.com",
            "phone": "8 (900) 123-45-67", "inn": null, "kpp": null,
        },
        "lines": [{
            "id": 7, "product": 15, "product_xml_id": null, "name": "Кружка «Волга»",
            "quantity": "2", "unit": "796", "price": 59_050, "vat": "vat22",
            "marks": [], "marked": false, "properties": {},
        }],
        "delivery": {"name": "Курьер", "price": 30_000, "vat": "vat22"},
        "payments": [{
            "id": 55, "system": 2, "sum": 148_100, "state": "paid",
            "paid_at": "2026-01-05T12:00:00+03:00",
        }],
        "shipments": [],
        "properties": {},
    }))
    .unwrap()
}

/// Rules of a shop that hands over at once: pay system 2 is electronic, 5 is cash.
pub(crate) fn rules() -> Rules {
    rules_with("")
}

/// The same with more settings, or others instead of them.
pub(crate) fn rules_with(more: &str) -> Rules {
    let mut table: toml::Table = toml::from_str(
        r#"
        inn = "7708806062"
        taxation = "osn"
        place = "https://acme.example"
        settlement = "full_payment"
        payments = { electronic = [2], cash = [5] }
        "#,
    )
    .unwrap();
    table.extend(toml::from_str::<toml::Table>(more).unwrap());
    table.try_into().unwrap()
}

/// The receipt for the payment `payment` of `order`, if it is its first.
pub(crate) fn sale(order: &Order, payment: u64, rules: &Rules) -> Result<Receipt, Refusal> {
    let fact = PaymentFact { order: order.clone(), payment, occurrence: 1 };
    let event = Event::new(Fact::OrderPaid(Box::new(fact)), order.updated_at);
    match plan(&event, &[], rules)? {
        Plan::Issue(deed) => Ok(deed.receipt().unwrap().clone()),
        other => panic!("no receipt: {other:?}"),
    }
}

/// The fact that payment 55 of `order` came in.
pub(crate) fn paid(order: Order) -> PaymentFact {
    PaymentFact { order, payment: 55, occurrence: 1 }
}

pub(crate) fn rub(text: &str) -> Money {
    text.parse().unwrap()
}

pub(crate) fn qty(text: &str) -> Quantity {
    text.parse().unwrap()
}

/// Sets the order's price and its only payment to `price`.
pub(crate) fn priced(mut order: Order, price: &str) -> Order {
    order.price = rub(price);
    order.payments[0].sum = rub(price);
    order
}

/// The order with one more line.
pub(crate) fn with_line(mut order: Order, name: &str, price: &str, quantity: &str) -> Order {
    let mut line = order.lines[0].clone();
    line.id += u64::try_from(order.lines.len()).unwrap();
    name.clone_into(&mut line.name);
    line.price = rub(price);
    line.quantity = qty(quantity);
    line.vat = Vat::V10;
    order.lines.push(line);
    order
}
