//! The 1C base: operations once, balances, tills that lose their connection.

use axum::{Router, body::Bytes, extract::State, http::Uri, routing::post};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::stage::Stage;

const PHONE: &str = "+79161234567";

fn operation(id: &str, kind: &str, amount: Option<&str>, reference: Option<&str>) -> Value {
    let until = (kind == "hold").then_some("2126-01-10T12:00:00Z");
    json!({"id": id, "until": until, "external_id": format!("name-{id}"), "type": kind, "amount": amount,
        "reference": reference, "user_phone": PHONE, "order": null, "created_at": "2026-01-10T12:00:00Z"})
}

async fn tell(stage: &Stage, path: &str, body: &Value) -> (StatusCode, Value) {
    let url = format!("{}{path}", stage.running.onec_url());
    let request = stage.client.post(url).basic_auth("parom", Some("emulator_onec_password"));
    let answer = request.json(body).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap_or_default())
}

async fn known(stage: &Stage, kopecks: i64) {
    let url = stage.url(&format!("/_onec/customers/{PHONE}"));
    let answer = stage.client.put(url).json(&json!({"balance_kopecks": kopecks})).send().await;
    assert_eq!(answer.unwrap().status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn operations_are_taken_once_and_change_the_balance() {
    let stage = Stage::new().await;
    let hold = operation("1", "hold", Some("300.00"), None);
    assert_eq!(tell(&stage, "/v1/operations", &hold).await.0, StatusCode::NOT_FOUND);
    known(&stage, 50_000).await;
    for (body, word) in [
        (hold.clone(), "ok"),
        (hold, "already_exists"),
        (operation("3", "capture", Some("250.00"), Some("name-0")), "reference_unknown"),
        (operation("2", "debit", Some("200.01"), None), "insufficient_balance"),
        (operation("1", "hold", Some("1.00"), None), "conflict"),
        (operation("3", "capture", Some("250.00"), Some("name-1")), "ok"),
        (operation("4", "reversal", Some("50.00"), Some("name-1")), "ok"),
        (operation("5", "accrual", Some("10.50"), None), "ok"),
    ] {
        let said = tell(&stage, "/v1/operations", &body).await.1;
        let found = said["error"].as_str().or(said["status"].as_str());
        assert_eq!(found, Some(word), "{body}");
    }
    let asked = json!({"user_phone": PHONE});
    assert_eq!(tell(&stage, "/v1/balance", &asked).await.1["balance"], json!(310.5));
    let books = stage.get("/_books/onec").await;
    assert_eq!(books["violation_count"], 1, "the changed repeat");
}

#[tokio::test]
async fn a_hold_ends_by_itself_and_must_say_when() {
    let stage = Stage::new().await;
    known(&stage, 50_000).await;
    let mut hold = operation("1", "hold", Some("300.00"), None);
    hold["until"] = json!("2020-01-10T12:00:00Z");
    assert_eq!(tell(&stage, "/v1/operations", &hold).await.1["status"], "ok");
    let debit = operation("2", "debit", Some("500.00"), None);
    assert_eq!(tell(&stage, "/v1/operations", &debit).await.1["status"], "ok");
    assert_eq!(stage.get("/_books/onec").await["violation_count"], 0);
    let mut endless = operation("3", "hold", Some("1.00"), None);
    endless["until"] = Value::Null;
    tell(&stage, "/v1/operations", &endless).await;
    assert_eq!(stage.get("/_books/onec").await["violation_count"], 1);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_field_are_refused() {
    let stage = Stage::new().await;
    let url = format!("{}/v1/balance", stage.running.onec_url());
    let answer = stage.client.post(url).basic_auth("parom", Some("wrong")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let mut odd = operation("1", "hold", Some("300.00"), None);
    odd["more"] = json!(1);
    assert_eq!(tell(&stage, "/v1/operations", &odd).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(stage.get("/_books/onec").await["violation_count"], 1);
}

async fn take(
    State(seen): State<UnboundedSender<(String, Value)>>,
    uri: Uri,
    body: Bytes,
) -> &'static str {
    seen.send((uri.path().to_owned(), serde_json::from_slice(&body).unwrap())).unwrap();
    "{}"
}

#[tokio::test]
async fn a_till_sends_one_by_one_and_in_a_batch_after_an_offline_time() {
    let (seen, mut calls) = unbounded_channel();
    let parom = Router::new()
        .route("/v1/transactions", post(take))
        .route("/v1/transactions/batch", post(take))
        .with_state(seen);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, parom).await });
    let stage = Stage::new().await;
    let set = async |online: bool| {
        let till = json!({"url": url, "key": "secret", "online": online});
        stage.client.put(stage.url("/_onec/tills/1")).json(&till).send().await.unwrap();
    };
    let sale = |id: u32| json!({"operations": [{"external_id": id}], "times": 2});
    set(true).await;
    stage.control("/_onec/tills/1/sell", sale(1)).await;
    set(false).await;
    stage.control("/_onec/tills/1/sell", sale(2)).await;
    set(true).await;
    let mut told = Vec::new();
    while let Ok(call) = calls.try_recv() {
        told.push(call);
    }
    let one = || ("/v1/transactions".to_owned(), json!({"external_id": 1}));
    let batch = json!([{"external_id": 2}, {"external_id": 2}]);
    assert_eq!(told, [one(), one(), ("/v1/transactions/batch".to_owned(), batch)]);
    assert!(!stage.get("/_books/onec").await.to_string().contains("secret"));
}
