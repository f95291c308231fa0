//! Every fault as the client sees it, and what it left in the books.

use std::{
    error::Error as _,
    io,
    time::{Duration, Instant},
};

use emulator::{Fault, Kind, Listen, System};
use reqwest::Error;
use serde_json::{Value, json};

use crate::stage::{Stage, client, eventually, json_of, order, receipt};

fn fault(kind: Kind) -> Fault {
    Fault::new(System::CloudKassir, kind).on("/kkt/receipt").times(1)
}

fn receipts(stage: &Stage) -> usize {
    stage.running.emulator.cloudkassir.summary().receipts
}

/// The kind of I/O error at the bottom of a client's error.
fn cause(error: &Error) -> Option<io::ErrorKind> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        cause = error.source();
    }
    None
}

#[tokio::test]
async fn refuse_closes_before_anything_is_read() {
    let stage = Stage::new().await;
    stage.fault(fault(Kind::Refuse));
    let error = stage.ask("r1", &receipt("1")).send().await.unwrap_err();
    assert!(!error.is_timeout() && error.status().is_none(), "{error:?}");
    assert_eq!(receipts(&stage), 0);
    stage.receipt("1").await;
    assert_eq!(receipts(&stage), 1, "only one request was to be refused");
}

#[tokio::test]
async fn refuse_strikes_only_its_method_also_on_a_kept_connection() {
    let stage = Stage::new().await;
    let id = stage.receipt("1").await;
    stage.fault(fault(Kind::Refuse));
    assert_eq!(stage.look(&id).await, "Queued");
    assert!(stage.ask("r2", &receipt("2")).send().await.is_err());
    assert_eq!(receipts(&stage), 1);
}

#[tokio::test]
async fn hang_takes_effect_and_is_released() {
    let stage = Stage::with(|settings| settings.hang_s = 1).await;
    stage.fault(fault(Kind::Hang));
    let began = Instant::now();
    let error = stage.ask("r1", &receipt("1")).send().await.unwrap_err();
    assert!(!error.is_timeout(), "the connection is closed: {error:?}");
    assert!(began.elapsed() >= Duration::from_millis(900));
    assert_eq!(receipts(&stage), 1);
    let again = json_of(stage.ask("r1", &receipt("1"))).await;
    assert_eq!(again["Success"], true);
    assert_eq!(receipts(&stage), 1, "the same request id gives the same receipt");
}

#[tokio::test]
async fn a_hung_client_may_time_out() {
    let stage = Stage::new().await;
    stage.fault(fault(Kind::Hang));
    let request = stage.ask("r1", &receipt("1")).timeout(Duration::from_millis(300));
    assert!(request.send().await.unwrap_err().is_timeout());
    assert_eq!(receipts(&stage), 1);
}

#[tokio::test]
async fn hang_before_has_no_effect() {
    let stage = Stage::new().await;
    stage.fault(fault(Kind::HangBefore));
    let request = stage.ask("r1", &receipt("1")).timeout(Duration::from_millis(300));
    assert!(request.send().await.unwrap_err().is_timeout());
    assert_eq!(receipts(&stage), 0);
}

#[tokio::test]
async fn reset_takes_effect_and_ends_in_rst() {
    let stage = Stage::new().await;
    stage.fault(fault(Kind::Reset));
    let error = stage.ask("r1", &receipt("1")).send().await.unwrap_err();
    assert_eq!(cause(&error), Some(io::ErrorKind::ConnectionReset), "{error:?}");
    assert_eq!(receipts(&stage), 1);
    stage.fault(Fault { apply: Some(false), ..fault(Kind::Reset) });
    assert!(stage.ask("r2", &receipt("2")).send().await.is_err());
    assert_eq!(receipts(&stage), 1);
}

#[tokio::test]
async fn garbage_is_200_and_not_json() {
    let stage = Stage::new().await;
    stage.fault(fault(Kind::Garbage));
    let response = stage.ask("r1", &receipt("1")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.json::<Value>().await.is_err());
    assert_eq!(receipts(&stage), 1);
}

#[tokio::test]
async fn status_says_what_was_ordered() {
    let stage = Stage::new().await;
    let busy = Fault {
        retry_after: Some("7".to_owned()),
        body: Some("busy".to_owned()),
        ..fault(Kind::Status).code(429)
    };
    stage.fault(busy);
    let response = stage.ask("r1", &receipt("1")).send().await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "7");
    assert_eq!(response.text().await.unwrap(), "busy");
    assert_eq!(receipts(&stage), 0);
    stage.fault(Fault { apply: Some(true), ..fault(Kind::Status).code(500) });
    assert_eq!(stage.ask("r2", &receipt("2")).send().await.unwrap().status(), 500);
    assert_eq!(receipts(&stage), 1);
}

#[tokio::test]
async fn slow_answers_late() {
    let stage = Stage::new().await;
    stage.fault(Fault { ms: Some(400), ..fault(Kind::Slow) });
    let began = Instant::now();
    stage.receipt("1").await;
    assert!(began.elapsed() >= Duration::from_millis(400));
}

#[tokio::test]
async fn refusal_is_in_the_vendors_own_form() {
    let stage = Stage::new().await;
    stage.fault(fault(Kind::Refusal).code(8));
    let answer = json_of(stage.ask("r1", &receipt("1"))).await;
    assert_eq!((&answer["Success"], &answer["Model"]["ErrorCode"]), (&json!(false), &json!(8)));
    assert_eq!(receipts(&stage), 0);
    assert_eq!(json_of(stage.ask("r1", &receipt("1"))).await["Success"], true);
    let fault = Fault::new(System::Bitrix, Kind::Refusal).on("sale.order.get").times(1);
    stage.fault(fault.code(200_040_300_020));
    let (status, body) = stage.rest("sale.order.get", json!({"id": 1})).await;
    assert_eq!((status.as_u16(), &body["error"]), (400, &json!(200_040_300_020_u64)));
}

#[tokio::test]
async fn a_receipt_may_fail_later() {
    let stage = Stage::new().await;
    stage.fault(fault(Kind::FailsLater));
    let id = stage.receipt("1").await;
    assert_eq!(stage.look(&id).await, "Queued");
    assert_eq!(stage.look(&id).await, "Error");
    let summary = stage.running.emulator.cloudkassir.summary();
    assert_eq!((summary.receipts, summary.failed), (0, 1));
    stage.ask("r2", &receipt("1")).send().await.unwrap();
    assert!(stage.running.emulator.cloudkassir.summary().duplicated.is_empty());
}

#[tokio::test]
async fn more_requests_at_once_than_allowed_are_429() {
    let stage = Stage::with(|settings| settings.cloudkassir.concurrency = 3).await;
    stage.fault(Fault::new(System::CloudKassir, Kind::HangBefore).times(3));
    let hung: Vec<_> =
        (0..3).map(|n| tokio::spawn(stage.ask(&format!("h{n}"), &receipt("h")).send())).collect();
    let full = || async {
        let status = stage.ask("r", &receipt("1")).send().await.unwrap().status();
        Some(()).filter(|()| status == 429)
    };
    eventually("the places are taken", full).await;
    hung.into_iter().for_each(|hung| hung.abort());
    let free = || async {
        let status = stage.ask("r", &receipt("1")).send().await.unwrap().status();
        Some(()).filter(|()| status == 200)
    };
    eventually("a client that goes away gives its place back", free).await;
}

#[tokio::test]
async fn a_closed_port_refuses_to_connect_and_keeps_the_books() {
    let stage = Stage::new().await;
    stage.receipt("1").await;
    stage.running.emulator.listen(Listen::Closed);
    let refused = || async {
        let error = stage.ask("r2", &receipt("2")).send().await.err()?;
        Some(error).filter(Error::is_connect)
    };
    let error = eventually("nothing listens", refused).await;
    assert_eq!(cause(&error), Some(io::ErrorKind::ConnectionRefused));
    let before = receipts(&stage);
    stage.running.emulator.listen(Listen::Open);
    let served = || async { stage.ask("r3", &receipt("3")).send().await.ok() };
    eventually("it listens again", served).await;
    assert_eq!(receipts(&stage), before + 1);
}

#[tokio::test]
async fn the_port_can_be_closed_for_a_while() {
    let stage = Stage::new().await;
    assert_eq!(stage.control("/_port", json!({"closed_ms": 300})).await.status(), 200);
    let refused = || async {
        let error = client().get(stage.url("/_books/site")).send().await.err()?;
        Some(()).filter(|()| error.is_connect())
    };
    eventually("nothing listens", refused).await;
    let served = || async { client().get(stage.url("/_books/site")).send().await.ok() };
    eventually("it listens again", served).await;
}

#[tokio::test]
async fn faults_are_ordered_shown_and_ended_over_http() {
    let stage = Stage::new().await;
    let body = json!({"system": "cloudkassir", "method": "/kkt/receipt", "kind": "status", "code": 503, "after": 1});
    assert_eq!(stage.control("/_faults", body).await.status(), 201);
    stage.receipt("1").await;
    assert_eq!(stage.ask("r2", &receipt("2")).send().await.unwrap().status(), 503);
    let shown = stage.get("/_faults").await;
    assert_eq!(
        (&shown["faults"][0]["seen"], &shown["faults"][0]["struck"]),
        (&json!(2), &json!(1))
    );
    stage.client.delete(stage.url("/_faults")).send().await.unwrap();
    stage.receipt("3").await;
    assert_eq!(stage.get("/_faults").await["faults"], json!([]));
}

#[tokio::test]
async fn senseless_faults_are_not_taken() {
    let stage = Stage::new().await;
    for body in [
        json!({"system": "cloudkassir", "kind": "status"}),
        json!({"system": "cloudkassir", "kind": "slow"}),
        json!({"system": "cloudkassir", "kind": "limit", "limit": "QUERY_LIMIT_EXCEEDED"}),
        json!({"system": "bitrix", "kind": "limit", "limit": "OPERATION_TIME_LIMIT"}),
        json!({"system": "bitrix", "kind": "fails_later"}),
        json!({"system": "site", "kind": "duplicate"}),
        json!({"system": "bitrix", "kind": "hang", "probability": 1.5}),
        json!({"system": "bitrix", "kind": "explode"}),
        json!({"system": "bitrix", "kind": "hang", "unknown": 1}),
    ] {
        assert_eq!(stage.control("/_faults", body.clone()).await.status(), 400, "{body}");
    }
}

#[tokio::test]
async fn a_hung_write_to_bitrix_has_taken_effect() {
    let stage = Stage::new().await;
    stage.put(236, &order(236), "").await;
    stage.fault(Fault::new(System::Bitrix, Kind::Hang).on("sale.order.update").times(1));
    let url = format!("{}sale.order.update.json", stage.running.bitrix_rest_url());
    let write = json!({"id": 236, "fields": {"statusId": "F"}});
    let request = stage.client.post(url).json(&write).timeout(Duration::from_millis(300));
    assert!(request.send().await.unwrap_err().is_timeout());
    assert_eq!(stage.running.emulator.bitrix.portal().order(236).unwrap().status, "F");
}
