//! The calls, in the forms that the portal gives and takes.

use bitrix::rest::{Call, OrderHead, RestErrorKind};
use emulator::{Fault, Kind, System};
use futures_util::future::join_all;
use time::{Duration, OffsetDateTime};

use crate::scene::Scene;

#[tokio::test]
async fn an_order_comes_digit_for_digit_alone_and_in_a_batch() {
    let scene = Scene::set(1000, 1000).await;
    let rest =
        r#","price":1480.10,"taxValue":0.30000000000000004,"payments":[{"id":5,"sum":1480.10}]"#;
    scene.put(236, rest).await;
    let portal = scene.client("status");
    let alone = portal.order(236).await.unwrap();
    let together = join_all([portal.order(236), portal.order(236), portal.order(7)]).await;
    for order in [&alone, together[0].as_ref().unwrap(), together[1].as_ref().unwrap()] {
        assert!(order.get().contains(r#""price":1480.10,"#), "{}", order.get());
        assert!(order.get().contains("0.30000000000000004"));
    }
    let error = together[2].as_ref().unwrap_err();
    assert_eq!((error.method, &error.kind), ("sale.order.get", &RestErrorKind::NoSuchOrder));
    assert_eq!(OrderHead::parse(&alone).unwrap().person_type, 3);
    scene.end().await;
}

#[tokio::test]
async fn payments_and_shipments_lead_to_their_order() {
    let scene = Scene::set(1000, 1000).await;
    scene
        .put(236, r#","payments":[{"id":5,"orderId":"236"}],"shipments":[{"id":9,"orderId":236}]"#)
        .await;
    let portal = scene.client("ingress");
    assert_eq!(portal.payment_order(5).await.unwrap(), 236);
    assert_eq!(portal.shipment_order(9).await.unwrap(), 236);
    let lost = portal.payment_order(6).await.unwrap_err().kind;
    assert_eq!(lost, RestErrorKind::NotFound { code: "200640400001".into() });
    let lost = portal.shipment_order(6).await.unwrap_err().kind;
    assert_eq!(lost, RestErrorKind::NotFound { code: "201140400001".into() });
    scene.end().await;
}

#[tokio::test]
async fn changed_orders_come_by_pages_the_earliest_first() {
    let scene = Scene::set(1000, 1000).await;
    for id in 1..=120_u64 {
        let minute = 120 - id;
        let date = format!("2026-11-21T{:02}:{:02}:00+03:00", 10 + minute / 60, minute % 60);
        scene.put(id, &format!(r#","dateUpdate":"{date}""#)).await;
    }
    let portal = scene.client("ingress");
    let cursor = OffsetDateTime::from_unix_timestamp(1_795_244_400).unwrap(); // 10:00 in Moscow
    let (mut ids, mut start) = (Vec::new(), Some(0));
    while let Some(from) = start {
        let page = portal.changed_since(cursor + Duration::minutes(10), from).await.unwrap();
        assert!(page.orders.iter().all(|order| order.updated_at >= cursor + Duration::minutes(10)));
        ids.extend(page.orders.iter().map(|order| order.id));
        start = page.next;
    }
    assert_eq!(ids, (1..=110).rev().collect::<Vec<u64>>());
    assert_eq!(scene.summary().hits, 3);
    scene.end().await;
}

#[tokio::test]
async fn properties_are_read_once_and_again_only_for_one_that_is_missing() {
    let scene = Scene::set(1000, 1000).await;
    scene.running.emulator.change(|settings| {
        settings.bitrix.properties = (0..120).map(|n| format!("CODE_{n}")).collect();
    });
    let portal = scene.client("status");
    let ids = portal.properties(3, &["CODE_119"]).await.unwrap();
    assert_eq!((ids["CODE_119"], ids["EMAIL"], ids.len()), (3620, 3002, 126));
    let hits = scene.summary().hits;
    assert_eq!(hits, 3, "three pages");
    portal.properties(3, &["CODE_0", "EMAIL"]).await.unwrap();
    assert_eq!(portal.properties(3, &["NONE"]).await.unwrap().get("NONE"), None);
    assert_eq!(scene.summary().hits, hits, "just read, nothing new to expect");
    assert!(portal.properties(2, &["EMAIL"]).await.unwrap().contains_key("EMAIL"));
    assert_eq!(scene.summary().hits, hits + 3, "another payer type has its own");
    scene.end().await;
}

#[tokio::test]
async fn a_comment_is_found_by_its_mark_on_any_page() {
    let scene = Scene::set(1000, 1000).await;
    scene.put(236, "").await;
    let portal = scene.client("status");
    let comments =
        (0..60).map(|n| Call::comment(236, &format!("слово & [b]{n}[/b]\n— Parom {n:02}x")));
    let comments: Vec<Call> = comments.collect();
    for comments in comments.chunks(30) {
        let replies = portal.together(comments.to_vec()).await;
        assert!(replies.iter().all(Result::is_ok), "{replies:?}");
    }
    assert!(portal.has_comment(236, "Parom 00x").await.unwrap(), "the oldest");
    assert!(portal.has_comment(236, "Parom 59x").await.unwrap(), "the newest");
    assert!(!portal.has_comment(236, "Parom 60x").await.unwrap());
    let book = scene.running.emulator.bitrix.portal().order(236).unwrap();
    assert_eq!(book.timeline[3], "слово & [b]3[/b]\n— Parom 03x", "to the letter");
    scene.end().await;
}

#[tokio::test]
async fn calls_that_belong_together_are_made_in_order_and_one_that_fails_keeps_none_back() {
    let scene = Scene::set(1000, 1000).await;
    scene.put(236, "").await;
    let portal = scene.client("status");
    let replies = portal
        .together(vec![
            Call::order_status(236, "P"),
            Call::order_status(7, "P"),
            Call::order_properties(236, [(3502, "17"), (3501, "9999")]),
            portal.notification(1, "слово", "PAROM|demo|236|fiscal"),
            Call::order_status(236, "F"),
        ])
        .await;
    let taken: Vec<bool> = replies.iter().map(Result::is_ok).collect();
    assert_eq!(taken, [true, false, true, true, true]);
    let book = scene.running.emulator.bitrix.portal().order(236).unwrap();
    assert_eq!(
        (book.status_history, book.notifications),
        (vec!["P".into(), "F".into()], vec!["слово".to_owned()])
    );
    assert_eq!((book.properties["CLOUDKASSIR_FN"].as_str(), scene.summary().hits), ("9999", 1));
    scene.end().await;
}

#[tokio::test]
async fn what_a_failed_request_did_is_told_from_what_it_cannot_have_done() {
    let scene = Scene::set(1000, 1000).await;
    scene.put(236, "").await;
    let portal = scene.client("status");
    let strike = |kind| {
        scene.running.emulator.faults.add(Fault::new(System::Bitrix, kind).times(1)).unwrap();
    };
    strike(Kind::Reset);
    let error = portal.order(236).await.unwrap_err();
    assert!(
        matches!(error.kind, RestErrorKind::NoAnswer(_)) && error.kind.is_unsettled(),
        "{error}"
    );
    strike(Kind::Garbage);
    let error = portal.order(236).await.unwrap_err();
    assert!(
        matches!(error.kind, RestErrorKind::Garbled { status: 200 }) && error.kind.is_unsettled()
    );
    scene.running.emulator.listen(emulator::Listen::Closed);
    let closed = || async {
        let error = portal.order(236).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("emulatorrestcode") && !shown.contains("/rest/"), "{shown}");
        matches!(error.kind, RestErrorKind::NotSent(_)) && !error.kind.is_unsettled()
    };
    scene.stage.until("nobody listens", std::time::Duration::from_secs(5), closed).await;
    scene.end().await;
}

#[tokio::test]
async fn a_revoked_webhook_is_told_as_one() {
    let scene = Scene::set(1000, 1000).await;
    let portal = scene.client("status");
    let mut fault = Fault::new(System::Bitrix, Kind::Status).code(401).times(1);
    fault.body =
        Some(r#"{"error":"NO_AUTH_FOUND","error_description":"Wrong authorization data"}"#.into());
    scene.running.emulator.faults.add(fault).unwrap();
    let error = portal.order(1).await.unwrap_err();
    assert_eq!(error.kind, RestErrorKind::Unauthorized { code: "NO_AUTH_FOUND".into() });
    scene.end().await;
}
