//! Every refusal of a receipt, each by one change to a receipt that passes.

use serde_json::{Value, json};

use super::*;

fn receipt() -> Value {
    json!({
        "Inn": "7708806062", "Type": "Income", "InvoiceId": "236:123:sell:1", "AccountId": "15",
        "CustomerReceipt": {
            "Items": [
                {"label": "Футболка", "price": 100.5, "quantity": 2, "amount": 201, "vat": 22, "method": 4, "object": 1},
                {"label": "Доставка", "price": 300, "quantity": 1, "amount": 300, "vat": null, "method": 4, "object": 4},
            ],
            "taxationSystem": 0, "email": "buyer@example.com", "phone": "", "isInternetPayment": true,
            "amounts": {"electronic": 501, "advancePayment": 0},
        },
    })
}

fn outcome(body: &Value) -> Result<Checked, i64> {
    check(body.to_string().as_bytes(), "7708806062").map_err(|refusal| refusal.code)
}

#[test]
fn a_good_receipt_passes_with_its_total_in_kopecks() {
    let checked = outcome(&receipt()).unwrap();
    assert_eq!(checked.total_kopecks, 50_100);
    assert_eq!(checked.items[0].price, "100.5");
    assert_eq!(checked.items[1].vat, "null");
}

#[test]
fn each_mistake_has_its_code() {
    let item = "/CustomerReceipt/Items/0";
    let cases = [
        ("", "Inn", json!(null), 11),
        ("", "Inn", json!("7708806063"), 27),
        ("", "Inn", json!("7707083893"), 2),
        ("", "Type", json!("Sell"), 27),
        ("", "Type", json!(null), 26),
        ("", "InvoiceId", json!(" "), 26),
        ("", "Extra", json!(1), 27),
        ("", "CustomerReceipt", json!(null), 26),
        ("/CustomerReceipt", "Items", json!([]), 12),
        ("/CustomerReceipt", "extra", json!(1), 27),
        ("/CustomerReceipt", "taxationSystem", json!(6), 27),
        ("/CustomerReceipt", "taxationSystem", json!(null), 26),
        ("/CustomerReceipt", "email", json!(""), 26),
        ("/CustomerReceipt", "email", json!("buyer@nowhere"), 24),
        ("/CustomerReceipt", "phone", json!("89"), 27),
        ("/CustomerReceipt", "customerInn", json!("1"), 27),
        ("/CustomerReceipt", "amounts", json!({"electronic": 500.99}), 13),
        ("/CustomerReceipt", "amounts", json!({"electronic": 501.01}), 14),
        ("/CustomerReceipt", "amounts", json!({"cash": 502}), 27),
        ("/CustomerReceipt", "amounts", json!({"electronic": 501, "advancePayment": 0.001}), 23),
        ("/CustomerReceipt", "amounts", json!({"electronic": 501, "bonus": 0}), 27),
        (item, "label", json!(""), 26),
        (item, "label", json!("я".repeat(129)), 27),
        (item, "price", json!(100.505), 23),
        (item, "price", json!(-100.5), 27),
        (item, "price", json!("100.5"), 27),
        (item, "quantity", json!(0), 27),
        (item, "quantity", json!(2.000_000_1), 27),
        (item, "amount", json!(201.01), 27),
        (item, "vat", json!(18), 27),
        (item, "vat", json!("22"), 27),
        (item, "method", json!(8), 27),
        (item, "method", json!(null), 26),
        (item, "object", json!(34), 27),
        (item, "unitCode", json!(256), 27),
        (item, "price_", json!(1), 27),
    ];
    for (place, field, value, code) in cases {
        let mut body = receipt();
        body.pointer_mut(place).unwrap()[field] = value.clone();
        assert_eq!(outcome(&body).unwrap_err(), code, "{place}/{field} = {value}");
    }
}

#[test]
fn a_missing_vat_is_not_without_vat() {
    let mut body = receipt();
    body.pointer_mut("/CustomerReceipt/Items/0").unwrap().as_object_mut().unwrap().remove("vat");
    assert_eq!(outcome(&body).unwrap_err(), 26);
}

#[test]
fn sums_are_exact_and_ties_go_up() {
    for (price, quantity, amount, passes) in [
        ("0.10", "3", "0.30", true),
        ("1.15", "0.1", "0.12", true),
        ("1.15", "0.1", "0.11", false),
        ("2.45", "0.3", "0.74", true),
        ("1e2", "1", "100", false),
        ("100.00", "1.000", "100", true),
        ("100.000", "1", "100", false),
    ] {
        let body = format!(
            r#"{{"Inn":"7708806062","Type":"Income","InvoiceId":"1","CustomerReceipt":{{"Items":[{{"label":"x",
            "price":{price},"quantity":{quantity},"amount":{amount},"vat":20,"method":4,"object":1}}],
            "taxationSystem":0,"phone":"+79001234567","amounts":{{"electronic":{amount}}}}}}}"#
        );
        assert_eq!(check(body.as_bytes(), "").is_ok(), passes, "{price} x {quantity} = {amount}");
    }
}

#[test]
fn only_shape_mistakes_are_malformed() {
    assert!(check(b"{", "").unwrap_err().malformed);
    assert!(check(br#"{"Foo":1}"#, "").unwrap_err().malformed);
    assert!(!check(b"{}", "").unwrap_err().malformed);
}

#[test]
fn inn_check_digits() {
    assert!(valid_inn("7708806062") && valid_inn("7707083893") && valid_inn("500100732259"));
    assert!(!valid_inn("500100732258") && !valid_inn("77088060") && !valid_inn("77088О6062"));
}
