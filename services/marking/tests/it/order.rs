//! The orders that tests begin with, and what happens to them.

use events::{
    Event, Fact, MarkCode, MarksBy, Order, OrderFact, PaymentFact, PaymentState, Quantity,
    ReturnFact, ReturnedLine, Shipment, ShipmentFact,
};
use runtime::testing::Job;
use serde_json::json;
use time::{Duration, OffsetDateTime};

/// An order of `lines`: id, GTIN, pieces and kopecks for one. Paid, with one shipment of all.
pub(crate) fn order(id: u64, at: OffsetDateTime, lines: &[(u64, &str, u64, i64)]) -> Order {
    let line = |(line, gtin, count, kopecks): &(u64, &str, u64, i64)| {
        json!({
            "id": line, "product": 15, "product_xml_id": null, "name": format!("Футболка {line}"),
            "quantity": count.to_string(), "unit": "796", "price": kopecks, "vat": "vat22",
            "marks": [], "marked": true, "properties": {"GTIN": gtin},
        })
    };
    let mut order: Order = serde_json::from_value(json!({
        "ref": {"shop": "acme", "id": id, "number": format!("A-{id}"), "site": false},
        "version": 1, "status": "N", "canceled": false,
        "created_at": "2026-01-05T11:58:00+03:00", "updated_at": "2026-01-05T12:00:00+03:00",
        "price": 100_000,
        "buyer": {"id": 42, "name": null, "email": null, "phone": null, "inn": null, "kpp": null},
        "lines": lines.iter().map(line).collect::<Vec<_>>(),
        "delivery": null,
        "payments": [{"id": 55, "system": 2, "sum": 100_000, "state": "paid", "paid_at": "2026-01-05T12:00:00+03:00"}],
        "shipments": [], "properties": {}, "marks_by": "document",
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

pub(crate) fn created(order: &Order) -> Event {
    let fact = OrderFact { order: order.clone(), occurrence: 1 };
    Event::new(Fact::OrderCreated(Box::new(fact)), order.updated_at)
}

pub(crate) fn paid(order: &Order) -> Event {
    let fact = PaymentFact { order: order.clone(), payment: 55, occurrence: 1 };
    Event::new(Fact::OrderPaid(Box::new(fact)), order.updated_at)
}

pub(crate) fn shipped(order: &Order) -> Event {
    shipped_part(order, 9)
}

pub(crate) fn shipped_part(order: &Order, shipment: u64) -> Event {
    let order = later(order, 1);
    let at = order.updated_at;
    Event::new(Fact::OrderShipped(Box::new(ShipmentFact { order, shipment, occurrence: 1 })), at)
}

pub(crate) fn cancelled(order: &Order) -> Event {
    let mut order = later(order, 2);
    order.canceled = true;
    let at = order.updated_at;
    Event::new(Fact::OrderCancelled(Box::new(OrderFact { order, occurrence: 1 })), at)
}

/// So many pieces of each line came back.
pub(crate) fn returned(order: &Order, occurrence: u32, lines: &[(u64, u64)]) -> Event {
    let order = later(order, 3);
    let at = order.updated_at;
    let lines = lines
        .iter()
        .map(|(line, count)| ReturnedLine { line: *line, quantity: Quantity::from_units(*count) })
        .collect();
    Event::new(Fact::OrderReturned(Box::new(ReturnFact { order, lines, occurrence })), at)
}

/// The shop itself names codes of a line.
pub(crate) fn with_marks(mut order: Order, line: u64, codes: &[String]) -> Order {
    let found = order.lines.iter_mut().find(|other| other.id == line).unwrap();
    found.marks = codes.iter().map(|code| MarkCode::from_text(code).unwrap()).collect();
    order
}

pub(crate) fn unpaid(mut order: Order) -> Order {
    order.payments[0].state = PaymentState::Open;
    order
}

/// The receipt withdraws its codes.
pub(crate) fn by_receipt(mut order: Order) -> Order {
    order.marks_by = MarksBy::Receipt;
    order
}

pub(crate) fn job(event: Event) -> Job {
    Job::new(event)
}
