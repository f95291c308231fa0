//! The site module: signed write-backs in, signed snapshots out.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use sha2::Sha256;
use time::OffsetDateTime;

use crate::{catcher::Catcher, stage::Stage};

const SECRET: &str = "cGFyb20gZW11bGF0b3Igc2l0ZSBzZWNyZXQgMDE=";

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

fn sign(secret: &str, id: &str, at: i64, body: &str) -> String {
    let key = BASE64_STANDARD.decode(secret).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{at}.{body}").as_bytes());
    format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

fn write(stage: &Stage, id: &str, at: i64, body: &Value) -> RequestBuilder {
    let body = body.to_string();
    let signature = sign(SECRET, id, at, &body);
    let request = stage.client.post(stage.running.site_url()).header("webhook-id", id);
    request.header("webhook-timestamp", at).header("webhook-signature", signature).body(body)
}

fn done() -> Value {
    json!({
        "schema": "parom.status.v1", "order": {"id": 236, "account_number": "392"}, "status_id": "F",
        "properties": {"CLOUDKASSIR_FN": "9999078900006211", "CLOUDKASSIR_FD": "1"}, "comments": ["Чек пробит"],
        "statuses": [{"service": "fiscal", "phase": "done", "text": "Чек № 1"}],
    })
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_signed_write_back_is_applied_once() {
    let stage = Stage::new().await;
    assert_eq!(status(write(&stage, "m1", now(), &done())).await, 200);
    assert_eq!(status(write(&stage, "m1", now() - 1, &done())).await, 200, "re-signed repeat");
    let next = json!({
        "schema": "parom.status.v1", "order": {"id": 236, "account_number": "392"}, "status_id": null,
        "properties": {"CLOUDKASSIR_FD": "2"}, "comments": [], "statuses": [],
    });
    assert_eq!(status(write(&stage, "m2", now(), &next)).await, 200);
    let books = stage.get("/_books/site").await;
    let order = &books["orders"]["236"];
    assert_eq!((&order["writes"], &order["repeats"]), (&json!(2), &json!(1)));
    assert_eq!((&order["status_id"], &order["account_number"]), (&json!("F"), &json!("392")));
    assert_eq!(
        order["properties"],
        json!({"CLOUDKASSIR_FN": "9999078900006211", "CLOUDKASSIR_FD": "2"})
    );
    assert_eq!(order["comments"], json!(["Чек пробит"]));
    assert_eq!(order["statuses"]["fiscal"]["phase"], "done");
    assert_eq!(books["violations"], json!([]));
}

#[tokio::test]
async fn the_same_id_with_another_body_is_409() {
    let stage = Stage::new().await;
    assert_eq!(status(write(&stage, "m1", now(), &done())).await, 200);
    let mut other = done();
    other["status_id"] = json!("N");
    assert_eq!(status(write(&stage, "m1", now(), &other)).await, 409);
    let books = stage.get("/_books/site").await;
    assert_eq!(
        (&books["orders"]["236"]["status_id"], &books["violation_count"]),
        (&json!("F"), &json!(1))
    );
}

#[tokio::test]
async fn signatures_are_checked() {
    let stage = Stage::new().await;
    assert_eq!(status(write(&stage, "m1", now() - 310, &done())).await, 401, "old");
    assert_eq!(status(write(&stage, "m1", now() + 310, &done())).await, 401, "from the future");
    assert_eq!(status(write(&stage, "m1", now() - 280, &done())).await, 200, "not too old");
    let another = write(&stage, "m2", now(), &done()).body(done().to_string() + " ");
    assert_eq!(status(another).await, 401, "another body");
    let bare = stage.client.post(stage.running.site_url()).body(done().to_string());
    assert_eq!(status(bare).await, 401, "no headers");
    let text = done().to_string();
    let wrong = sign("AAAA", "m3", now(), &text);
    let request = |signature: String| {
        let request = stage.client.post(stage.running.site_url()).header("webhook-id", "m3");
        request
            .header("webhook-timestamp", now())
            .header("webhook-signature", signature)
            .body(text.clone())
    };
    assert_eq!(status(request(wrong.clone())).await, 401, "wrong secret");
    let both = format!("{wrong} {}", sign(SECRET, "m3", now(), &text));
    assert_eq!(status(request(both)).await, 200, "one of several fits");
    assert_eq!(stage.get("/_books/site").await["violation_count"], 5);
}

#[tokio::test]
async fn a_second_secret_is_accepted_for_rotation() {
    let first = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into();
    let stage = Stage::with(|settings| settings.site.secrets.insert(0, first)).await;
    assert_eq!(status(write(&stage, "m1", now(), &done())).await, 200);
}

#[tokio::test]
async fn the_body_is_checked_strictly() {
    let stage = Stage::new().await;
    let cases = [
        ("", "schema", json!("parom.status.v2")),
        ("", "extra", json!(1)),
        ("", "order", json!({"id": 236})),
        ("/order", "id", json!("236")),
        ("/order", "account_number", json!("")),
        ("", "status_id", json!("shipped")),
        ("", "properties", json!({"CLOUDKASSIR_FD": 1})),
        ("", "properties", json!({"": "1"})),
        ("/statuses/0", "phase", json!("")),
        ("/statuses/0", "extra", json!(1)),
    ];
    for (n, (place, field, value)) in cases.iter().enumerate() {
        let mut body = done();
        body.pointer_mut(place).unwrap()[*field] = value.clone();
        let answer = status(write(&stage, &format!("m{n}"), now(), &body)).await;
        assert_eq!(answer, 400, "{place}/{field} = {value}");
    }
    let books = stage.get("/_books/site").await;
    assert_eq!((&books["orders"], &books["violation_count"]), (&json!({}), &json!(cases.len())));
}

#[tokio::test]
async fn a_snapshot_is_sent_byte_for_byte_and_signed() {
    let catcher = Catcher::answering(202, "").await;
    let stage = Stage::new().await;
    let snapshot = r#"{"schema":"bitrix.order.v1", "id":"8d3b0e2e", "price": "1480.00"}"#;
    let command = format!(r#"{{"ingress":"{}","snapshot":{snapshot},"times":2}}"#, catcher.url);
    let response = stage.client.post(stage.url("/_site/send")).body(command).send().await.unwrap();
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["deliveries"][1]["status"], 202);
    let caught = catcher.caught();
    assert_eq!((caught.len(), &caught[0].body[..]), (2, snapshot.as_bytes()));
    let at: i64 = caught[0].header("webhook-timestamp").parse().unwrap();
    assert!((now() - at).abs() < 10);
    assert_eq!(caught[0].header("webhook-id"), "8d3b0e2e");
    assert_eq!(caught[0].header("webhook-signature"), sign(SECRET, "8d3b0e2e", at, snapshot));
    assert_eq!(stage.get("/_books/site").await["snapshots"]["accepted"], 2);
}

#[tokio::test]
async fn what_ingress_should_refuse_can_be_sent_too() {
    let catcher = Catcher::answering(401, "").await;
    let stage = Stage::new().await;
    let command = json!({"ingress": catcher.url, "snapshot": {}, "webhook_id": "m1", "timestamp": 1_614_265_330, "secret": "whsec_AAAA"});
    let answer = stage.control("/_site/send", command).await;
    assert_eq!(answer.json::<Value>().await.unwrap()["deliveries"][0]["status"], 401);
    let caught = catcher.caught();
    assert_eq!(caught[0].header("webhook-signature"), sign("AAAA", "m1", 1_614_265_330, "{}"));
    for wrong in [
        json!({"ingress": catcher.url, "snapshot": {}}),
        json!({"ingress": catcher.url, "snapshot": {}, "webhook_id": "x", "secret": "?"}),
    ] {
        assert_eq!(stage.control("/_site/send", wrong).await.status(), 400);
    }
}
