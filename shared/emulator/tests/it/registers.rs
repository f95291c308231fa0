//! ATOL Online, OrangeData and the brief's contract: strict, and true to their traps.

use emulator::{Emulator, Running, Settings, orangedata::PRIVATE_KEY};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

struct Registers {
    running: Running,
    client: reqwest::Client,
}

impl Registers {
    async fn new() -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let running = Emulator::start(Settings::default()).await.unwrap();
        Self { running, client: reqwest::Client::builder().build().unwrap() }
    }

    fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.running.base_url))
    }

    async fn token(&self) -> String {
        let keys = json!({"login": "emulator", "pass": "emulator_password"});
        let (_, body) = sent(self.call(Method::POST, "/atol/v5/getToken").json(&keys)).await;
        body["token"].as_str().unwrap().to_owned()
    }

    async fn sell(&self, document: &Value) -> (StatusCode, Value) {
        let request = self.call(Method::POST, "/atol/v5/group/sell");
        sent(request.header("Token", self.token().await).json(document)).await
    }
}

async fn sent(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    let body = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// A receipt of one mug for 120 roubles.
fn document(name: &str) -> Value {
    json!({
        "external_id": name,
        "receipt": {
            "client": {"email": "buyer@example.com"},
            "company": {"email": "s@acme.example", "sno": "osn", "inn": "7708806062",
                "payment_address": "https://acme.example"},
            "items": [{"name": "Кружка", "price": 122, "quantity": 1, "measure": 0, "sum": 122,
                "payment_method": "full_payment", "payment_object": 1,
                "vat": {"type": "vat22", "sum": 22}}],
            "payments": [{"type": 1, "sum": 122}],
            "total": 122
        },
        "timestamp": "05.01.2026 12:00:00"
    })
}

#[tokio::test]
async fn atol_knows_an_external_id_again_and_has_no_state_at_first() {
    let registers = Registers::new().await;
    let (status, body) = registers.sell(&document("a")).await;
    assert_eq!((status, &body["status"]), (StatusCode::OK, &json!("wait")));
    let uuid = body["uuid"].as_str().unwrap().to_owned();
    let (status, body) = registers.sell(&document("a")).await;
    assert_eq!((status, &body["error"]["code"]), (StatusCode::BAD_REQUEST, &json!(33)));
    assert_eq!(body["uuid"], uuid.as_str(), "the first document's");
    let token = registers.token().await;
    let look = || {
        let path = format!("/atol/v5/group/report/{uuid}");
        sent(registers.call(Method::GET, &path).header("Token", &token))
    };
    let (_, body) = look().await;
    assert_eq!((&body["status"], &body["error"]["code"]), (&json!("wait"), &json!(34)));
    let (_, body) = look().await;
    assert_eq!(body["status"], "done");
    assert!(body["payload"]["fiscal_document_number"].is_number());
    let summary = registers.running.emulator.atol.summary();
    assert_eq!((summary.receipts, summary.processed, summary.repeated), (1, 1, 1));
}

#[tokio::test]
async fn atol_refuses_what_does_not_add_up_or_has_no_meaning() {
    let registers = Registers::new().await;
    let cases = [
        ("/receipt/items/0/sum", json!(121)),
        ("/receipt/items/0/vat/sum", json!(20)),
        ("/receipt/items/0/vat/type", json!("vat18")),
        ("/receipt/items/0/payment_object", json!(99)),
        ("/receipt/items/0/payment_method", json!("paid")),
        ("/receipt/items/0/quantity", json!(0)),
        ("/receipt/items/0/name", json!("")),
        ("/receipt/items/0/measure", Value::Null),
        ("/receipt/payments/0/type", json!(9)),
        ("/receipt/payments/0/sum", json!(100)),
        ("/receipt/total", json!(100)),
        ("/receipt/company/inn", json!("7708806063")),
        ("/receipt/company/sno", json!("envd2")),
        ("/receipt/client", json!({})),
        ("/external_id", json!("")),
        ("/timestamp", json!("2026-01-05")),
    ];
    for (path, value) in cases {
        let mut document = document("a");
        *document.pointer_mut(path).unwrap() = value;
        let (status, body) = registers.sell(&document).await;
        assert_eq!(
            (status, &body["error"]["code"]),
            (StatusCode::BAD_REQUEST, &json!(32)),
            "{path}"
        );
    }
    let mut stranger = document("a");
    stranger["receipt"]["gift"] = json!(true);
    assert_eq!(registers.sell(&stranger).await.1["error"]["code"], 32);
    assert_eq!(registers.running.emulator.atol.summary().receipts, 0);
}

#[tokio::test]
async fn atol_wants_a_token_of_today() {
    let registers = Registers::new().await;
    let keys = json!({"login": "emulator", "pass": "wrong"});
    let (status, body) = sent(registers.call(Method::POST, "/atol/v5/getToken").json(&keys)).await;
    assert_eq!((status, &body["error"]["code"]), (StatusCode::UNAUTHORIZED, &json!(12)));
    let sell = || registers.call(Method::POST, "/atol/v5/group/sell").json(&document("a"));
    assert_eq!(sent(sell()).await.1["error"]["code"], 10);
    let token = registers.token().await;
    registers.running.emulator.clock.advance(25 * 3600);
    assert_eq!(sent(sell().header("Token", token)).await.1["error"]["code"], 11);
}

#[tokio::test]
async fn a_pace_is_kept_and_a_known_name_needs_none() {
    let registers = Registers::new().await;
    registers.running.emulator.change(|settings| settings.registers.pace_ms = 60_000);
    assert_eq!(registers.sell(&document("a")).await.0, StatusCode::OK);
    assert_eq!(registers.sell(&document("b")).await.0, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(registers.sell(&document("a")).await.1["error"]["code"], 33);
    registers.running.emulator.clock.advance(61);
    assert_eq!(registers.sell(&document("b")).await.0, StatusCode::OK);
    assert_eq!(registers.running.emulator.atol.summary().throttled, 1);
}

#[tokio::test]
async fn orangedata_takes_nothing_without_a_signature() {
    assert!(PRIVATE_KEY.contains("PRIVATE KEY"));
    let registers = Registers::new().await;
    for signature in ["", "AAAA", include_str!("../../vectors/orangedata_signature.txt")] {
        let request = registers.call(Method::POST, "/orangedata/api/v2/documents/");
        let (status, body) = sent(request.header("X-Signature", signature).body("{}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(body["errors"].is_array());
    }
    let summary = registers.running.emulator.orangedata.summary();
    assert_eq!((summary.receipts, summary.violations.violation_count), (0, 3));
}

#[tokio::test]
async fn the_briefs_contract_has_two_kinds_of_money_and_one_receipt_for_a_name() {
    let registers = Registers::new().await;
    let mut body = document("a");
    body["type"] = json!("sell");
    let item = &mut body["receipt"]["items"][0];
    item["vat"] = json!("vat22");
    item["payment_object"] = json!("commodity");
    item.as_object_mut().unwrap().remove("measure");
    let ask = |body: &Value| {
        let request = registers.call(Method::POST, "/cloudkassir-v1/receipts").json(body);
        sent(request.basic_auth("emulator", Some("emulator_password")))
    };
    // Type 1 is cash here, and 2 electronic; an offset has no number.
    let (status, first) = ask(&body).await;
    assert_eq!((status, ask(&body).await.1), (StatusCode::OK, first));
    body["receipt"]["payments"][0]["type"] = json!(3);
    assert_eq!(ask(&body).await.0, StatusCode::BAD_REQUEST);
    let bare = registers.call(Method::POST, "/cloudkassir-v1/receipts").json(&body);
    assert_eq!(sent(bare).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(registers.running.emulator.cloudkassir_v1.summary().receipts, 1);
}
