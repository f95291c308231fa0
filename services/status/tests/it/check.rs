//! Receipts that the shop composed itself, entered into the portal's journal.

use emulator::{Fault, Kind, System};
use events::{CheckIssued, Event, Fact};
use runtime::testing::{End, Job};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::scene::Scene;

/// A receipt that the portal has printed under the id `uuid` of ours.
async fn printed(scene: &Scene) -> CheckIssued {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let event = uuid::Uuid::new_v4();
    let answer = move || async move { axum::Json(json!({"UUID": event})) };
    let routes = axum::Router::new().route("/print", axum::routing::post(answer));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    scene.running.emulator.change(|settings| settings.bitrix.cashbox_url = Some(url));
    let print = format!("{}/_bitrix/checks/85/print", scene.running.base_url);
    let answer = reqwest::Client::builder()
        .build()
        .expect("a client")
        .post(print)
        .body("{}")
        .send()
        .await
        .expect("the emulator");
    let check: Value = serde_json::from_str(&answer.text().await.expect("text")).expect("JSON");
    assert_eq!(check["uuid"], event.to_string());
    CheckIssued {
        shop: "demo".parse().expect("a shop"),
        check: event,
        issued_at: OffsetDateTime::UNIX_EPOCH,
        registration: Some("0000000400054952".into()),
        sign: "0987654321".into(),
        document: "1234".into(),
        number: None,
        drive: "9999078900000001".into(),
        shift: Some("20".into()),
    }
}

fn job(issued: CheckIssued) -> Job {
    let fact = Fact::CheckIssued(Box::new(issued));
    Job::new(Event::new(fact, OffsetDateTime::UNIX_EPOCH))
}

#[tokio::test]
async fn an_issued_check_is_entered_into_the_portals_journal_once_and_again() {
    let scene = Scene::set().await;
    let issued = printed(&scene).await;
    let worker = scene.worker();
    let mut job = job(issued);
    assert_eq!(job.run(&worker).await, End::Done);
    assert_eq!(job.run(&worker).await, End::Done);
    let check = scene.running.emulator.bitrix.portal().check(85).cloned().expect("the check");
    assert_eq!(check.status.as_deref(), Some("DONE"));
    let data = |name: &str| check.data.get(name).map(String::as_str);
    assert_eq!(data("FN_NUMBER"), Some("9999078900000001"));
    assert_eq!(data("FISCAL_DOC_NUMBER"), Some("1234"));
    assert_eq!(data("FISCAL_DOC_ATTR"), Some("0987654321"));
    assert_eq!((data("SHIFT_NUMBER"), data("FISCAL_RECEIPT_NUMBER")), (Some("20"), None));
    scene.end().await;
}

#[tokio::test]
async fn a_portal_that_fails_is_asked_again_and_one_that_refuses_is_for_a_person() {
    let scene = Scene::set().await;
    let mut issued = printed(&scene).await;
    let fault = Fault::new(System::Bitrix, Kind::Status).on("sale.cashbox.check.apply").code(500);
    scene.running.emulator.faults.add(fault.times(1)).expect("a fault");
    let worker = scene.worker();
    let mut first = job(issued.clone());
    let End::Retry(reason, _) = first.run(&worker).await else { panic!("no retry") };
    assert!(reason.text.ru.contains("ФД 1234"), "{}", reason.text.ru);
    assert_eq!(first.run(&worker).await, End::Done);
    issued.check = uuid::Uuid::new_v4();
    let End::Dead(reason) = job(issued).run(&worker).await else { panic!("not dead") };
    for text in [&reason.text.ru, &reason.text.en] {
        assert!(text.contains("1234") && text.ends_with('.'), "{text}");
    }
    scene.end().await;
}

#[tokio::test]
async fn a_site_asks_for_itself() {
    let scene = Scene::set().await;
    let issued =
        CheckIssued { shop: "demo-site".parse().expect("a shop"), ..printed(&scene).await };
    assert_eq!(job(issued).run(&scene.worker()).await, End::Done);
    let check = scene.running.emulator.bitrix.portal().check(85).cloned().expect("the check");
    assert_eq!(check.applied, 0);
    scene.end().await;
}
