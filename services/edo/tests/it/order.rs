//! The orders that tests begin with, and what happens to them.

use std::collections::BTreeMap;

use events::{
    Event, Fact, Order, OrderFact, PaymentFact, Quantity, ReturnFact, ReturnedLine, Shipment,
    ShipmentFact,
};
use serde_json::json;
use time::{Duration, OffsetDateTime};

/// The buyer of the emulator's books.
pub(crate) const BUYER_INN: &str = "7700000023";
pub(crate) const BUYER_KPP: &str = "773601001";

/// An order of a company: ten creams with VAT 22 % inside, one shipment of all.
pub(crate) fn order(id: u64, at: OffsetDateTime) -> Order {
    let mut order: Order = serde_json::from_value(json!({
        "ref": {"shop": "acme", "id": id, "number": format!("A-{id}"), "site": false},
        "version": 1, "status": "N", "canceled": false,
        "created_at": "2026-01-05T11:58:00+03:00", "updated_at": "2026-01-05T12:00:00+03:00",
        "price": 122_000,
        "buyer": {"id": 42, "name": null, "email": null, "phone": null,
            "inn": BUYER_INN, "kpp": BUYER_KPP},
        "lines": [{
            "id": 7, "product": 15, "product_xml_id": "SKU-75", "name": "Крем для рук, 75 мл",
            "quantity": "10", "unit": "796", "price": 12_200, "vat": "vat22",
            "marks": [], "marked": false, "properties": {},
        }],
        "delivery": null,
        "payments": [{"id": 55, "system": 2, "sum": 122_000, "state": "paid", "paid_at": "2026-01-05T12:00:00+03:00"}],
        "shipments": [], "properties": {
            "COMPANY": "ООО «Покупатель»", "COMPANY_ADR": "г. Москва, ул. Примерная, д. 2",
        },
    }))
    .unwrap();
    (order.created_at, order.updated_at) = (at, at);
    let items = order.lines.iter().map(|line| (line.id, line.quantity)).collect();
    order.shipments.push(Shipment { id: 9, deducted: true, deducted_at: Some(at), items });
    order
}

/// The order saved a minute later.
fn later(order: &Order, minutes: i64) -> Order {
    let mut later = order.clone();
    later.updated_at += Duration::minutes(minutes);
    later
}

pub(crate) fn shipped(order: &Order) -> Event {
    shipped_part(order, 9)
}

pub(crate) fn shipped_part(order: &Order, shipment: u64) -> Event {
    let order = later(order, 1);
    let at = order.updated_at;
    Event::new(Fact::OrderShipped(Box::new(ShipmentFact { order, shipment, occurrence: 1 })), at)
}

/// The same shipment left once more, an hour later.
pub(crate) fn shipped_anew(order: &Order) -> Event {
    let mut order = later(order, 60);
    let at = order.updated_at;
    order.shipments[0].deducted_at = Some(at);
    let fact = ShipmentFact { order, shipment: 9, occurrence: 2 };
    Event::new(Fact::OrderShipped(Box::new(fact)), at)
}

pub(crate) fn paid(order: &Order) -> Event {
    let fact = PaymentFact { order: order.clone(), payment: 55, occurrence: 1 };
    Event::new(Fact::OrderPaid(Box::new(fact)), order.updated_at)
}

pub(crate) fn cancelled(order: &Order) -> Event {
    let mut order = later(order, 2);
    order.canceled = true;
    let at = order.updated_at;
    Event::new(Fact::OrderCancelled(Box::new(OrderFact { order, occurrence: 1 })), at)
}

pub(crate) fn returned(order: &Order) -> Event {
    let order = later(order, 3);
    let at = order.updated_at;
    let lines = vec![ReturnedLine { line: 7, quantity: Quantity::ONE }];
    Event::new(Fact::OrderReturned(Box::new(ReturnFact { order, lines, occurrence: 1 })), at)
}

/// The order as the shop has mended it.
pub(crate) fn mended(event: &Event, change: impl FnOnce(&mut Order)) -> Event {
    let mut order = event.fact.snapshot().unwrap().clone();
    order.version = order.version.map(|version| version + 1);
    order.updated_at += Duration::minutes(5);
    change(&mut order);
    event.renewed(&order).unwrap()
}

/// With other order properties.
pub(crate) fn with_properties(mut order: Order, change: &[(&str, Option<&str>)]) -> Order {
    let mut properties: BTreeMap<String, String> = order.properties.clone();
    for (name, value) in change {
        match value {
            Some(value) => properties.insert((*name).to_owned(), (*value).to_owned()),
            None => properties.remove(*name),
        };
    }
    order.properties = properties;
    order
}
