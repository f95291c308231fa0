//! A site that calls ingress as the site module does: signed, and again until it is taken.

use std::time::Duration;

use bitrix::signature::{ID_HEADER, Key, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A site with our module.
#[derive(Debug)]
pub struct Shop {
    key: Key,
    client: reqwest::Client,
    url: String,
}

impl Shop {
    /// A site that signs with `secret` (`whsec_…`) and calls ingress at `ingress`.
    ///
    /// # Panics
    /// When the secret is none.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test fails by panicking")]
    pub fn new(secret: &str, ingress: &str) -> Self {
        let key = Key::parse(secret).expect("a whsec_ secret");
        Self { key, client: client(), url: format!("{ingress}/webhooks/site") }
    }

    /// Sends one call; the status, or `None` without an answer.
    pub async fn call(&self, id: &str, body: &str) -> Option<u16> {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let answer = self
            .client
            .post(&self.url)
            .header("content-type", "application/json")
            .header(ID_HEADER, id)
            .header(TIMESTAMP_HEADER, now.to_string())
            .header(SIGNATURE_HEADER, self.key.sign(id, now, body.as_bytes()))
            .body(body.to_owned())
            .send()
            .await;
        answer.ok().map(|answer| answer.status().as_u16())
    }
}

/// A client without connections kept: the services behind it are killed all the time.
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
pub(crate) fn client() -> reqwest::Client {
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder().timeout(Duration::from_secs(10)).build().expect("a client")
}

/// The site's snapshot of a paid order: two lines and a delivery, with VAT of its own.
///
/// # Panics
/// When the clock has no RFC 3339 form.
#[must_use]
#[expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking; an object takes any key"
)]
pub fn snapshot(order: u64, version: u64) -> Value {
    let now = OffsetDateTime::now_utc().replace_nanosecond(0).expect("whole seconds");
    let now = now.format(&Rfc3339).expect("a date");
    let cup = 100 + order % 900;
    let total = cup * 2 + 250 + 300;
    let mut snapshot = json!({
        "schema": "bitrix.order.v1",
        "id": format!("snapshot-{order}-{version}"),
        "type": "order.paid",
        "occurred_at": now,
        "source": { "kind": "bus", "site": "https://shop.example", "lid": "s1", "module": "parom",
            "module_version": "1.0.0", "sale_version": "24.0.0" },
        "seq": { "order_version": version, "outbox_id": order },
        "triggers": [],
    });
    let mut body = json!({
        "id": order, "account_number": format!("A{order}"), "xml_id": "", "id_1c": "",
        "status_id": "P", "canceled": false, "payed": true, "deducted": false,
        "allow_delivery": false, "date_insert": now, "date_update": now, "version": version,
        "currency": "RUB", "price": format!("{total}.00"), "price_delivery": "300.00",
        "sum_paid": format!("{total}.00"), "tax_value": "0.00",
        "person_type": { "id": 1, "domain": "I" },
        "user": { "id": 15, "email": "buyer@example.com", "phone": "79001234567" },
        "properties": [ { "id": 21, "code": "EMAIL", "value": "buyer@example.com" } ],
    });
    body["basket"] = json!([
        line(order * 10 + 1, "Кружка", "2", &format!("{cup}.00")),
        line(order * 10 + 2, "Ложка", "1", "250.00"),
    ]);
    body["payments"] = json!([{
        "id": order * 10 + 1, "account_number": "1", "pay_system_id": 3, "pay_system_name": "Карта",
        "is_cash": "A", "sum": format!("{total}.00"), "paid": true, "date_paid": now,
        "is_return": "N", "ps_invoice_id": null,
    }]);
    body["shipments"] = json!([{
        "id": order * 10 + 1, "account_number": "1", "status_id": "DN", "delivery_id": 1,
        "delivery_name": "Курьер", "allow_delivery": false, "deducted": false,
        "date_deducted": null, "price_delivery": "300.00", "vat_rate": "0.22",
        "tracking_number": "", "items": [],
    }]);
    snapshot["order"] = body;
    snapshot
}

fn line(id: u64, name: &str, quantity: &str, price: &str) -> Value {
    json!({
        "id": id, "product_id": id, "product_xml_id": null, "name": name, "quantity": quantity,
        "measure_code": "796", "measure_name": "шт", "base_price": price, "price": price,
        "discount_price": "0.00", "final_price": price, "vat_rate": "0.22", "vat_included": true,
        "marking": { "group": null, "required": false }, "props": [],
    })
}
