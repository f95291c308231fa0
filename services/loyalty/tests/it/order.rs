//! The orders that stories begin with.

use events::{Fact, Order, OrderFact, PaymentFact, ReturnFact, ReturnedLine};
use serde_json::json;

/// Two mugs at 500.00 and a book at 200.00, delivery at 300.00; 100.00 points taken off the price.
pub(crate) fn order(id: u64) -> Order {
    serde_json::from_value(json!({
        "ref": {"shop": "acme", "id": id, "number": format!("A-{id}"), "site": false},
        "version": 3,
        "status": "P",
        "canceled": false,
        "created_at": "2026-11-05T11:58:00+03:00",
        "updated_at": "2026-11-05T12:00:00+03:00",
        "price": 140_000,
        "buyer": {
            "id": 42, "name": "Иванова Анна", "email": "buyer@example.com",
            "phone": "8 (916) 123-45-67", "inn": null, "kpp": null,
        },
        "lines": [
            {
                "id": 7, "product": 15, "product_xml_id": null, "name": "Кружка", "quantity": "2",
                "unit": "796", "price": 50_000, "vat": "vat22", "marks": [], "marked": false,
                "properties": {},
            },
            {
                "id": 8, "product": 16, "product_xml_id": null, "name": "Книга", "quantity": "1",
                "unit": "796", "price": 20_000, "vat": "vat10", "marks": [], "marked": false,
                "properties": {"CATEGORY": "books"},
            },
        ],
        "delivery": {"name": "Курьер", "price": 30_000, "vat": "vat22"},
        "payments": [{
            "id": 55, "system": 2, "sum": 140_000, "state": "paid",
            "paid_at": "2026-11-05T12:00:00+03:00",
        }],
        "shipments": [],
        "properties": {"LOYALTY_POINTS": "100.00"},
    }))
    .unwrap()
}

pub(crate) fn created(order: Order) -> Fact {
    Fact::OrderCreated(Box::new(OrderFact { order, occurrence: 1 }))
}

pub(crate) fn paid(order: Order) -> Fact {
    Fact::OrderPaid(Box::new(PaymentFact { order, payment: 55, occurrence: 1 }))
}

pub(crate) fn completed(order: Order) -> Fact {
    Fact::OrderCompleted(Box::new(OrderFact { order, occurrence: 1 }))
}

pub(crate) fn cancelled(order: Order) -> Fact {
    Fact::OrderCancelled(Box::new(OrderFact { order, occurrence: 1 }))
}

/// One of the two mugs came back: 500 of 1200.
pub(crate) fn returned(order: Order) -> Fact {
    let lines = vec![ReturnedLine { line: 7, quantity: "1".parse().unwrap() }];
    Fact::OrderReturned(Box::new(ReturnFact { order, lines, occurrence: 1 }))
}
