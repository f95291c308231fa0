//! The orders that tests begin with, and what happens to them.

use events::{
    Event, Fact, MarkCode, Order, OrderFact, Quantity, ReturnFact, ReturnedLine, Shipment,
    ShipmentFact,
};
use serde_json::json;
use time::{Duration, OffsetDateTime};

pub(crate) const WINE: &str = "0177320000003146880";
pub(crate) const BEER: &str = "0370000000001234567";
pub(crate) const F2: &str = "FB-000000009999901";

/// A mark of 150 characters with this number.
pub(crate) fn mark(number: usize) -> String {
    format!("199101{number:08}0325001{:0>129}", format!("A{number}"))
}

/// A line: id, group, bottles, kopecks for one, and the numbers of its marks.
#[derive(Debug, Clone)]
pub(crate) struct Goods(
    pub(crate) u64,
    pub(crate) &'static str,
    pub(crate) u64,
    pub(crate) i64,
    pub(crate) Vec<usize>,
);

/// Two bottles of wine with these marks.
pub(crate) fn wine(marks: &[usize]) -> Goods {
    Goods(7, "wine", u64::try_from(marks.len()).unwrap(), 99_500, marks.to_vec())
}

/// Bottles of beer without marks.
pub(crate) fn beer(count: u64) -> Goods {
    Goods(8, "beer", count, 9_900, Vec::new())
}

/// An order of these lines, all in shipment 9.
pub(crate) fn order(id: u64, at: OffsetDateTime, lines: &[Goods]) -> Order {
    let line = |Goods(line, group, count, kopecks, marks): &Goods| {
        let code = if *group == "beer" { BEER } else { WINE };
        let marks: Vec<String> = marks
            .iter()
            .map(|number| MarkCode::from_text(&mark(*number)).unwrap().to_base64())
            .collect();
        json!({
            "id": line, "product": 15, "product_xml_id": null, "name": format!("Напиток {line}"),
            "quantity": count.to_string(), "unit": "796", "price": kopecks, "vat": "vat22",
            "marks": marks, "marked": false,
            "properties": {"ALCCODE": code, "EGAIS_GROUP": group, "EGAIS_F2": F2, "EAN": "4600000000008"},
        })
    };
    let mut order: Order = serde_json::from_value(json!({
        "ref": {"shop": "acme", "id": id, "number": format!("A-{id}"), "site": false},
        "version": 1, "status": "N", "canceled": false,
        "created_at": "2026-01-05T11:58:00+03:00", "updated_at": "2026-01-05T12:00:00+03:00",
        "price": 100_000,
        "buyer": {"id": 42, "name": null, "email": null, "phone": null, "inn": null, "kpp": null},
        "lines": lines.iter().map(line).collect::<Vec<_>>(),
        "delivery": null, "payments": [], "shipments": [],
        "properties": {
            "EGAIS_SHIFT": "12", "EGAIS_CHEQUE": "345", "EGAIS_BACK_SHIFT": "13", "EGAIS_BACK_CHEQUE": "7",
        },
    }))
    .unwrap();
    (order.created_at, order.updated_at) = (at, at);
    let items = order.lines.iter().map(|line| (line.id, line.quantity)).collect();
    order.shipments.push(Shipment { id: 9, deducted: true, deducted_at: Some(at), items });
    order
}

fn later(order: &Order, minutes: i64) -> Order {
    let mut later = order.clone();
    later.updated_at += Duration::minutes(minutes);
    later
}

pub(crate) fn shipped(order: &Order) -> Event {
    let order = later(order, 1);
    let at = order.updated_at;
    let fact = ShipmentFact { order, shipment: 9, occurrence: 1 };
    Event::new(Fact::OrderShipped(Box::new(fact)), at)
}

pub(crate) fn cancelled(order: &Order) -> Event {
    let mut order = later(order, 2);
    order.canceled = true;
    let at = order.updated_at;
    Event::new(Fact::OrderCancelled(Box::new(OrderFact { order, occurrence: 1 })), at)
}

/// So many of each line came back; marks with these numbers are taken off the order.
pub(crate) fn returned(
    order: &Order,
    occurrence: u32,
    lines: &[(u64, u64)],
    gone: &[usize],
) -> Event {
    let mut order = later(order, 3);
    let gone: Vec<MarkCode> =
        gone.iter().map(|number| MarkCode::from_text(&mark(*number)).unwrap()).collect();
    for line in &mut order.lines {
        line.marks.retain(|mark| !gone.contains(mark));
    }
    let at = order.updated_at;
    let lines = lines
        .iter()
        .map(|(line, count)| ReturnedLine { line: *line, quantity: Quantity::from_units(*count) })
        .collect();
    Event::new(Fact::OrderReturned(Box::new(ReturnFact { order, lines, occurrence })), at)
}
