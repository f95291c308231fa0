//! The page, the reset, settings at run time, and that the emulator is no bottleneck.

use std::time::Instant;

use emulator::{Fault, Kind, System};
use serde_json::{Value, json};

use crate::stage::{Stage, order, receipt};

#[tokio::test]
async fn the_page_shows_the_books_escaped() {
    let stage = Stage::new().await;
    let mut one = order(236);
    one["accountNumber"] = json!("<script>alert(1)</script>");
    stage.put(236, &one, "").await;
    let mut sold = receipt("236:1:sell:1");
    sold["CustomerReceipt"]["Items"][0]["label"] = json!("Чай <b>«Ёлка»</b> & мёд");
    stage.ask("r1", &sold).send().await.unwrap();
    stage.fault(Fault::new(System::Site, Kind::Hang));
    let response = stage.client.get(stage.url("/")).send().await.unwrap();
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    let page = response.text().await.unwrap();
    assert!(page.contains("Чай &lt;b&gt;«Ёлка»&lt;/b&gt; &amp; мёд"));
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"));
    assert!(page.contains("236:1:sell:1") && page.contains("980.00") && page.contains("Hang"));
}

#[tokio::test]
async fn reset_empties_everything() {
    let stage = Stage::new().await;
    stage.put(236, &order(236), "").await;
    stage.receipt("1").await;
    stage.fault(Fault::new(System::CloudKassir, Kind::Hang));
    stage.control("/_clock", json!({"advance_s": 60})).await;
    assert_eq!(stage.control("/_reset", json!({})).await.status(), 204);
    assert_eq!(stage.get("/_books/cloudkassir/summary").await["receipts"], 0);
    assert_eq!(stage.get("/_books/bitrix").await["orders"], json!({}));
    assert_eq!(stage.get("/_faults").await["faults"], json!([]));
    let clock: Value =
        stage.control("/_clock", json!({"advance_s": 1})).await.json().await.unwrap();
    assert_eq!(clock["ahead_s"], 1);
}

#[tokio::test]
async fn settings_change_while_it_runs() {
    let stage = Stage::new().await;
    let change = async |body: Value| {
        let put = stage.client.put(stage.url("/_settings")).json(&body);
        put.send().await.unwrap().status().as_u16()
    };
    let url = "http://127.0.0.1:1/here";
    assert_eq!(change(json!({"cloudkassir_looks": 5, "cloudkassir_callback_url": url})).await, 200);
    assert_eq!(
        change(json!({"cloudkassir_notify": "twice", "bitrix_webhook_url": url})).await,
        200
    );
    let settings = stage.running.emulator.settings();
    assert_eq!(
        (settings.cloudkassir.looks, settings.bitrix.webhook_url.as_deref()),
        (5, Some(url))
    );
    assert_eq!(change(json!({"bitrix_webhook_url": ""})).await, 200);
    assert_eq!(stage.running.emulator.settings().bitrix.webhook_url, None);
    assert_eq!(change(json!({"cloudkassir_lookz": 5})).await, 400);
    assert_eq!(change(json!({"cloudkassir_notify": "sometimes"})).await, 400);
}

#[tokio::test]
async fn shutdown_ends_hung_requests_and_frees_the_port() {
    let stage = Stage::new().await;
    stage.fault(Fault::new(System::CloudKassir, Kind::HangBefore));
    let hung = tokio::spawn(stage.ask("r", &receipt("1")).send());
    crate::stage::eventually("it hangs", || async {
        Some(()).filter(|()| stage.running.emulator.faults.standing()[0].struck == 1)
    })
    .await;
    let address = stage.running.address;
    stage.running.shutdown().await;
    assert!(hung.await.unwrap().is_err());
    tokio::net::TcpListener::bind(address).await.expect("the port is free");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_receipts_stay_fast_and_are_all_booked() {
    const CLIENTS: usize = 16;
    const EACH: usize = 125;
    let stage = Stage::with(|settings| settings.cloudkassir.concurrency = 0).await;
    let began = Instant::now();
    let clients = (0..CLIENTS).map(|client| {
        let requests: Vec<_> = (0..EACH)
            .map(|n| stage.ask(&format!("r{client}-{n}"), &receipt(&format!("{client}:{n}"))))
            .collect();
        tokio::spawn(async move {
            for request in requests {
                assert_eq!(request.send().await.unwrap().status(), 200);
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    let took = began.elapsed();
    let summary = stage.get("/_books/cloudkassir/summary").await;
    assert_eq!((&summary["receipts"], &summary["distinct_invoices"]), (&json!(2000), &json!(2000)));
    assert_eq!(summary["violation_count"], 0);
    println!("2000 receipts in {took:?}, the clients included");
    assert!(took.as_secs() < 20, "{took:?}");
}
