//! The portal's outgoing webhook.

use emulator::{Fault, Kind, System};
use serde_json::json;

use crate::{
    catcher::Catcher,
    stage::{Stage, eventually, order},
};

async fn stage() -> (Stage, Catcher) {
    let catcher = Catcher::answering(202, "").await;
    let url = catcher.url.clone();
    (Stage::with(|settings| settings.bitrix.webhook_url = Some(url)).await, catcher)
}

#[tokio::test]
async fn it_names_the_order_and_carries_the_token() {
    let (stage, catcher) = stage().await;
    let answer = stage.put(236, &order(236), "?notify=1&times=2").await;
    assert_eq!(answer["webhooks"][0]["status"], 202);
    let caught = catcher.caught();
    assert_eq!(caught.len(), 2);
    let one = &caught[0];
    assert_eq!(one.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(one.header("user-agent"), "Bitrix24 Webhook Engine");
    assert_eq!(one.field("event"), "ONSALEORDERSAVED");
    assert_eq!(one.field("data[FIELDS][ID]"), "236");
    assert_eq!(one.field("data[FIELDS][XML_ID]"), "bx_236");
    assert_eq!(one.field("data[FIELDS][ACTION]"), "save");
    assert_eq!(one.field("auth[application_token]"), "00000000000000000000000000000003");
    assert_eq!(one.field("auth[member_id]"), "00000000000000000000000000000002");
    assert_eq!(one.field("auth[domain]"), "shop.bitrix24.example");
    assert!(one.field("ts").parse::<i64>().is_ok());
}

#[tokio::test]
async fn our_own_writes_come_back() {
    let (stage, catcher) = stage().await;
    stage.put(236, &order(236), "").await;
    assert!(catcher.caught().is_empty(), "not asked for");
    stage.rest("sale.order.update", json!({"id": 236, "fields": {"statusId": "F"}})).await;
    let cmd =
        json!({"a": "sale.order.update?id=236&fields[comments]=x", "b": "sale.order.get?id=236"});
    stage.rest("batch", json!({"cmd": cmd})).await;
    stage.rest("sale.order.update", json!({"id": 1, "fields": {"statusId": "F"}})).await;
    let caught = catcher.wait(2).await;
    assert!(caught.iter().all(|one| one.field("data[FIELDS][ID]") == "236"));
    let summary = || async { Some(stage.running.emulator.bitrix.portal().summary()) };
    let booked = || async { summary().await.filter(|summary| summary.webhooks.sent == 2) };
    let summary = eventually("both are booked", booked).await;
    assert_eq!((summary.webhooks.accepted, summary.saves), (2, 2));
    assert_eq!(catcher.caught().len(), 2);
}

#[tokio::test]
async fn some_are_told_twice() {
    let (stage, catcher) = stage().await;
    stage.put(236, &order(236), "").await;
    stage.running.emulator.change(|settings| settings.bitrix.webhook_copies = 2);
    stage.fault(Fault::new(System::Bitrix, Kind::Duplicate).on("sale.order.update").times(1));
    stage.rest("sale.order.update", json!({"id": 236, "fields": {"statusId": "F"}})).await;
    assert_eq!(catcher.wait(4).await.len(), 4);
}

#[tokio::test]
async fn a_lost_one_is_never_sent_again() {
    let catcher = Catcher::answering(500, "").await;
    let stage =
        Stage::with(|settings| settings.bitrix.webhook_url = Some(catcher.url.clone())).await;
    let answer = stage.put(236, &order(236), "?notify=1").await;
    assert_eq!(answer["webhooks"][0]["status"], 500);
    assert_eq!(catcher.caught().len(), 1);
    stage.running.emulator.change(|settings| {
        settings.bitrix.webhook_url = Some("http://127.0.0.1:1/webhooks/bitrix24".to_owned());
    });
    let answer = stage.put(236, &order(236), "?notify=1").await;
    assert!(answer["webhooks"][0]["error"].is_string());
    let webhooks = stage.running.emulator.bitrix.portal().summary().webhooks;
    assert_eq!((webhooks.sent, webhooks.refused, webhooks.failed), (2, 1, 1));
}

#[tokio::test]
async fn a_deleted_order_is_told_and_gone() {
    let (stage, catcher) = stage().await;
    stage.put(236, &order(236), "").await;
    let delete = stage.client.delete(stage.url("/_bitrix/orders/236?notify=1"));
    assert_eq!(delete.send().await.unwrap().status(), 200);
    assert_eq!(catcher.caught()[0].field("event"), "ONSALEBEFOREORDERDELETE");
    assert_eq!(catcher.caught()[0].field("data[FIELDS][ACTION]"), "delete");
    let (_, body) = stage.rest("sale.order.get", json!({"id": 236})).await;
    assert_eq!(body["error"], 200_540_400_001_u64);
    let (_, body) = stage.rest("sale.payment.get", json!({"id": 2361})).await;
    assert_eq!(body["error"], 200_640_400_001_u64);
}

#[tokio::test]
async fn an_unchanged_order_can_be_told_again() {
    let (stage, catcher) = stage().await;
    stage.put(236, &order(236), "").await;
    stage.control("/_bitrix/notify/236?times=3", json!({})).await;
    assert_eq!(catcher.caught().len(), 3);
    assert_eq!(stage.running.emulator.bitrix.portal().order(236).unwrap().version, 1);
}

#[tokio::test]
async fn nobody_to_tell_is_said_at_once() {
    let stage = Stage::new().await;
    let put = stage.client.put(stage.url("/_bitrix/orders/236?notify=1")).json(&order(236));
    assert_eq!(put.send().await.unwrap().status(), 409);
    assert!(stage.running.emulator.bitrix.portal().order(236).is_none());
    stage.put(236, &order(236), "").await;
    assert_eq!(stage.control("/_bitrix/notify/236", json!({})).await.status(), 409);
}
