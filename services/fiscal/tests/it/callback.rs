//! The notification's door: who may knock, and what follows.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use emulator::settings::Notify;
use runtime::Worker;
use serde_json::Value;
use tower::ServiceExt;

use crate::{
    order::order,
    world::{Changes, World, job, statuses},
};

const VECTOR: &str = include_str!("../vectors/receipt_notification.json");
/// The secret of the vector.
const SECRET: &str = "test_api_secret_0123456789abcdef";

fn vector() -> Value {
    serde_json::from_str(VECTOR).unwrap()
}

fn text(vector: &Value, path: &str) -> String {
    vector.pointer(path).unwrap().as_str().unwrap().to_owned()
}

async fn signed_world() -> World {
    World::with(Changes { api_secret: Some(SECRET), ..Changes::default() }).await
}

/// Posts a body with these headers; answers the status and the body.
async fn post(world: &World, body: Vec<u8>, headers: &[(&str, &str)]) -> (StatusCode, String) {
    let mut request = Request::post("/callbacks/cloudkassir")
        .header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let routes = Arc::clone(&world.fiscal).routes();
    let response = routes.oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// HMAC-SHA256 of `body` in base64, and the names of a receipt of ours in it.
fn signed(body: &str, secret: &str) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use hmac::{Hmac, KeyInit, Mac};
    let hmac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    BASE64_STANDARD.encode(hmac.chain_update(body).finalize().into_bytes())
}

#[tokio::test]
async fn either_signature_of_the_vector_is_enough() {
    let world = signed_world().await;
    let vector = vector();
    let body = text(&vector, "/raw_body").into_bytes();
    for name in ["Content-HMAC", "X-Content-HMAC"] {
        let tag = text(&vector, &format!("/headers/{name}"));
        let answer = post(&world, body.clone(), &[(name, &tag)]).await;
        assert_eq!(answer, (StatusCode::OK, r#"{"code":0}"#.to_owned()), "{name}");
    }
    // The vector's receipt bears a name that is not of ours: taken, and nothing follows.
    assert!(world.nudged.lock().unwrap().is_empty());
    assert_eq!(world.hints.get("order-1001:pay-1:sell:1").await.unwrap(), None);
}

#[tokio::test]
async fn a_forged_notification_is_turned_away_and_counted() {
    let world = signed_world().await;
    let vector = vector();
    let body = text(&vector, "/raw_body").into_bytes();
    let true_tag = text(&vector, "/headers/Content-HMAC");
    let wrong_tag = text(&vector, "/negative/wrong_secret");
    let mut flipped = body.clone();
    flipped[10] ^= 1;
    let empty_key = signed(&text(&vector, "/raw_body"), "");
    let turned_away = async |body: &[u8], headers: &[(&str, &str)]| {
        let (status, _) = post(&world, body.to_vec(), headers).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{headers:?}");
    };
    turned_away(&flipped, &[("Content-HMAC", &true_tag)]).await;
    turned_away(&body, &[]).await;
    turned_away(&body, &[("Content-HMAC", &wrong_tag)]).await;
    turned_away(&body, &[("Content-HMAC", &empty_key), ("X-Content-HMAC", &empty_key)]).await;
    turned_away(&body, &[("X-Content-HMAC", &true_tag)]).await;
    turned_away(&body, &[("Content-HMAC", "not base64!")]).await;
    assert_eq!(world.callbacks("forged"), 6);
    assert!(world.nudged.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_true_notification_is_kept_and_nudges_its_job() {
    let world = World::new().await;
    let body = "Id=A1vd0Mf&InvoiceId=acme%3A1001%3A55%3Asell%3A1%3A1";
    let tag = signed(body, "emulator_api_secret");
    for _ in 0..2 {
        let (status, _) = post(&world, body.into(), &[("Content-HMAC", &tag)]).await;
        assert_eq!(status, StatusCode::OK);
    }
    let invoice_id = "acme:1001:55:sell:1:1";
    assert_eq!(world.hints.get(invoice_id).await.unwrap().as_deref(), Some("A1vd0Mf"));
    assert_eq!(*world.nudged.lock().unwrap(), [invoice_id, invoice_id]);
    assert_eq!(world.callbacks("taken"), 2);
}

#[tokio::test]
async fn one_shops_secret_says_nothing_about_another_shop() {
    let world = World::new().await;
    let body = "Id=A1vd0Mf&InvoiceId=other%3A1001%3A55%3Asell%3A1%3A1";
    let tag = signed(body, "emulator_api_secret");
    let (status, _) = post(&world, body.into(), &[("Content-HMAC", &tag)]).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(world.callbacks("foreign"), 1);
    assert_eq!(world.hints.get("other:1001:55:sell:1:1").await.unwrap(), None);
}

#[tokio::test]
async fn a_true_notification_without_names_is_taken_and_counted() {
    let world = World::new().await;
    for body in ["", "Id=A1vd0Mf", "InvoiceId=1", "Id=%3Cscript%3E&InvoiceId=1", "\u{0}=%zz&&&"] {
        let tag = signed(body, "emulator_api_secret");
        let (status, _) = post(&world, body.into(), &[("Content-HMAC", &tag)]).await;
        assert_eq!(status, StatusCode::OK, "{body:?}");
    }
    assert_eq!(world.callbacks("unreadable"), 5);
}

#[tokio::test]
async fn a_body_beyond_64_kib_is_not_read() {
    let world = World::new().await;
    let (status, _) = post(&world, vec![b'a'; 64 * 1024 + 1], &[]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_notification_that_cannot_be_kept_is_to_be_told_again() {
    let world = World::new().await;
    world.without_database().await;
    let body = "Id=A1vd0Mf&InvoiceId=acme%3A1001%3A55%3Asell%3A1%3A1";
    let tag = signed(body, "emulator_api_secret");
    let (status, _) = post(&world, body.into(), &[("Content-HMAC", &tag)]).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_forgers_fiscal_data_reach_nobody() {
    let world = World::new().await;
    let url = world.serve_callbacks().await;
    assert!(url.starts_with("http://127.0.0.1:"));
    world.emulator.emulator.change(|settings| settings.cloudkassir.notify = Notify::Forged);
    let mut job = job(order());
    job.run(&*world.fiscal).await;
    // The emulator sends it beside its answer: wait until it was turned away.
    while world.callbacks("forged") == 0 {
        tokio::task::yield_now().await;
    }
    world.carry(&mut job).await;
    let fiscal = world.only_receipt().fiscal.unwrap();
    assert!(world.nudged.lock().unwrap().is_empty());
    let done = statuses(&job).pop().unwrap();
    assert_eq!(done.properties["CLOUDKASSIR_FN"], fiscal.fiscal_number);
    assert_eq!(done.properties["CLOUDKASSIR_FD"], fiscal.document_number.to_string());
}

#[tokio::test]
async fn notifications_told_twice_do_no_harm() {
    let world = World::new().await;
    world.serve_callbacks().await;
    world.emulator.emulator.change(|settings| settings.cloudkassir.notify = Notify::Twice);
    let mut job = job(order());
    world.carry(&mut job).await;
    while world.callbacks("taken") < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.carry(&mut job).await, ["done"]);
    assert_eq!(world.only_receipt().requested, 1);
}
