//! Orders as a shop has them, in both forms.

use serde_json::{Value, json};

/// An order of the portal in the shape of `sale.order.get`: unpaid and unsent. Its payment is the
/// order's id and 1, its shipment the order's id and 2.
pub(crate) fn rest(id: u64) -> Value {
    json!({
        "id": id, "accountNumber": format!("N{id}"), "personTypeId": 1, "statusId": "N",
        "canceled": "N", "currency": "RUB", "price": 1350, "userId": 9,
        "dateInsert": "2026-11-20T10:00:00+03:00",
        "basketItems": [{
            "id": id * 10 + 3, "productId": 15, "name": "Чайник", "quantity": 1, "price": 1000,
            "currency": "RUB", "vatRate": null, "vatIncluded": "Y", "properties": [],
        }],
        "payments": [{
            "id": id * 10 + 1, "orderId": id, "paySystemId": 3, "sum": 1350, "currency": "RUB", "paid": "N",
            "datePaid": null, "isReturn": "N",
        }],
        "shipments": [{
            "id": id * 10 + 2, "orderId": id, "deliveryName": "Курьер", "priceDelivery": 350, "currency": "RUB",
            "system": "N", "canceled": "N", "deducted": "N", "dateDeducted": null,
            "shipmentItems": [{ "id": 1, "basketId": id * 10 + 3, "quantity": 1 }],
        }],
        "propertyValues": [
            { "id": 1, "orderPropsId": 20, "code": "FIO", "value": "Ольга Петрова" },
            { "id": 2, "orderPropsId": 21, "code": "EMAIL", "value": "olga@example.ru" },
        ],
    })
}

/// The same order in the site module's form, at `version`.
pub(crate) fn snapshot(id: u64, version: u64) -> Value {
    json!({
        "schema": "bitrix.order.v1",
        "seq": { "order_version": version, "outbox_id": version },
        "order": {
            "id": id, "account_number": format!("S{id}"), "status_id": "N", "canceled": false,
            "date_insert": "2026-11-20T10:00:00+03:00", "date_update": "2026-11-21T10:00:00+03:00",
            "version": version, "currency": "RUB", "price": "1350.00",
            "user": { "id": 9, "email": "olga@example.ru", "phone": null },
            "properties": [],
            "basket": [{
                "id": 3, "name": "Чайник", "quantity": "1", "price": "1000.00", "vat_rate": "0.22",
                "vat_included": true,
            }],
            "payments": [{
                "id": 1, "sum": "1350.00", "paid": false, "date_paid": null, "is_return": "N",
            }],
            "shipments": [{
                "id": 2, "deducted": false, "date_deducted": null, "price_delivery": "350.00",
                "delivery_name": "Курьер", "vat_rate": null,
                "items": [{ "id": 1, "basket_id": 3, "quantity": "1", "stores": [] }],
            }],
        },
    })
}

/// The order with one place changed.
pub(crate) fn with(mut order: Value, place: &str, value: impl Into<Value>) -> Value {
    *order.pointer_mut(place).unwrap_or_else(|| panic!("there is no {place}")) = value.into();
    order
}
