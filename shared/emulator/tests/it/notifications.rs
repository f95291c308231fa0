//! The "Receipt" notification: when it comes, how often, and whether it can be believed.

use base64::{Engine, prelude::BASE64_STANDARD};
use emulator::{Fault, Kind, System, settings::Notify};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use crate::{
    catcher::{Catcher, Caught},
    stage::{Stage, eventually, json_of, receipt},
};

async fn stage(notify: Notify) -> (Stage, Catcher) {
    let catcher = Catcher::answering(200, r#"{"code":0}"#).await;
    let url = catcher.url.clone();
    let stage = Stage::with(|settings| {
        settings.cloudkassir.notify = notify;
        settings.cloudkassir.callback_url = Some(url);
    });
    (stage.await, catcher)
}

fn signed(caught: &Caught) -> bool {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"emulator_api_secret").unwrap();
    mac.update(&caught.body);
    caught.header("content-hmac") == BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

#[tokio::test]
async fn once_when_it_is_processed() {
    let (stage, catcher) = stage(Notify::Once).await;
    let id = stage.receipt("236:1:sell:1").await;
    assert!(catcher.caught().is_empty(), "not before it is processed");
    stage.look(&id).await;
    let caught = catcher.wait(1).await.remove(0);
    assert!(signed(&caught));
    assert_eq!(caught.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(caught.field("Id"), id);
    assert_eq!(caught.field("InvoiceId"), "236:1:sell:1");
    assert_eq!(caught.field("Amount"), "980.00");
    assert_eq!(caught.field("DocumentNumber"), "1");
    assert!(caught.field("Receipt").contains("Футболка «Огонь»"));
    assert_eq!(stage.look(&id).await, "Processed");
    let summary = || async { Some(stage.running.emulator.cloudkassir.summary().notifications) };
    let booked = || async { summary().await.filter(|sent| sent.sent > 0) };
    assert_eq!(eventually("it is booked", booked).await.accepted, 1);
    assert_eq!(catcher.caught().len(), 1);
}

#[tokio::test]
async fn twice_on_command_or_by_a_fault() {
    let (stage, catcher) = stage(Notify::Twice).await;
    let id = stage.receipt("1").await;
    stage.look(&id).await;
    let caught = catcher.wait(2).await;
    assert_eq!(caught[0].body, caught[1].body);
    stage.running.emulator.change(|settings| settings.cloudkassir.notify = Notify::Once);
    stage.fault(Fault::new(System::CloudKassir, Kind::Duplicate).on("/kkt/receipt/status/get"));
    let id = stage.receipt("2").await;
    stage.look(&id).await;
    assert_eq!(catcher.wait(4).await.len(), 4);
}

#[tokio::test]
async fn before_the_request_is_answered() {
    let (stage, catcher) = stage(Notify::Before).await;
    let id = stage.receipt("1").await;
    let caught = catcher.caught();
    assert_eq!(caught.len(), 1, "it is there when the answer is");
    assert_eq!(caught[0].field("Id"), id);
    assert_eq!(stage.look(&id).await, "Processed");
}

#[tokio::test]
async fn never() {
    let (stage, catcher) = stage(Notify::Never).await;
    let id = stage.receipt("1").await;
    stage.look(&id).await;
    assert_eq!(stage.look(&id).await, "Processed");
    assert_eq!(stage.running.emulator.cloudkassir.summary().notifications.sent, 0);
    assert!(catcher.caught().is_empty());
}

#[tokio::test]
async fn a_forged_one_is_not_signed_and_not_true() {
    let (stage, catcher) = stage(Notify::Forged).await;
    let id = stage.receipt("1").await;
    let caught = catcher.wait(1).await.remove(0);
    assert!(!signed(&caught));
    assert_eq!(caught.field("Id"), id);
    assert_eq!(stage.look(&id).await, "Queued");
    stage.look(&id).await;
    let details = json_of(stage.kassir("/kkt/receipt/get").json(&json!({"Id": id}))).await;
    assert_ne!(details["Model"]["FiscalNumber"], caught.field("FiscalNumber"));
}

#[tokio::test]
async fn an_answer_without_code_0_is_booked_as_refused() {
    let catcher = Catcher::answering(200, r#"{"code":13}"#).await;
    let stage = Stage::with(|settings| {
        settings.cloudkassir.notify = Notify::Before;
        settings.cloudkassir.callback_url = Some(catcher.url.clone());
    });
    let stage = stage.await;
    stage.receipt("1").await;
    stage.running.emulator.change(|settings| {
        settings.cloudkassir.callback_url = Some("http://127.0.0.1:1/".to_owned());
    });
    stage.receipt("2").await;
    let sent = stage.running.emulator.cloudkassir.summary().notifications;
    assert_eq!((sent.sent, sent.accepted, sent.refused, sent.failed), (2, 0, 1, 1));
}

#[tokio::test]
async fn a_repeated_request_does_not_notify_again() {
    let (stage, catcher) = stage(Notify::Before).await;
    for _ in 0..3 {
        stage.ask("r1", &receipt("1")).send().await.unwrap();
    }
    assert_eq!(catcher.caught().len(), 1);
}
