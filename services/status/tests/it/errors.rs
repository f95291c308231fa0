//! Each row of Bitrix's error table, on the read and on the write.

use std::time::Duration;

use emulator::{Fault, Kind, System};
use events::Phase;
use runtime::testing::End;

use crate::scene::{Scene, say};

fn answer(status: i64, error: &str) -> Fault {
    let mut fault = Fault::new(System::Bitrix, Kind::Status).code(status);
    fault.body = Some(format!(r#"{{"error":{error},"error_description":"on command"}}"#));
    fault
}

fn limit(name: &str) -> Fault {
    let mut fault = Fault::new(System::Bitrix, Kind::Limit);
    (fault.limit, fault.reset_in_s) = (Some(name.into()), Some(30));
    fault
}

/// An error, whether it may pass, and the code of the reason.
fn table() -> Vec<(Fault, bool, &'static str)> {
    let plain = |kind| Fault::new(System::Bitrix, kind);
    vec![
        (answer(503, r#""OVERLOAD_LIMIT""#), false, "bitrix_blocked"),
        (answer(401, r#""expired_token""#), false, "bitrix_webhook_revoked"),
        (answer(401, r#""NO_AUTH_FOUND""#), false, "bitrix_webhook_revoked"),
        (answer(401, r#""invalid_token""#), false, "bitrix_webhook_revoked"),
        (answer(403, r#""insufficient_scope""#), false, "bitrix_no_right"),
        (answer(403, r#""INVALID_CREDENTIALS""#), false, "bitrix_no_right"),
        (answer(403, r#""ACCESS_DENIED""#), false, "bitrix_no_right"),
        (answer(403, r#""user_access_error""#), false, "bitrix_no_right"),
        (answer(400, "200040300020"), false, "bitrix_no_right"),
        (answer(400, "100"), false, "bitrix_refused"),
        (answer(400, "0"), false, "bitrix_refused"),
        (answer(400, r#""""#), false, "bitrix_refused"),
        (answer(400, "200540400001"), false, "bitrix_no_order"),
        (answer(500, r#""INTERNAL_SERVER_ERROR""#), true, "bitrix_unavailable"),
        (answer(500, r#""ERROR_UNEXPECTED_ANSWER""#), true, "bitrix_unavailable"),
        (answer(502, r#""""#), true, "bitrix_unavailable"),
        (answer(408, r#""""#), true, "bitrix_unavailable"),
        (plain(Kind::Refuse), true, "bitrix_unavailable"),
        (plain(Kind::Reset), true, "bitrix_unavailable"),
        (plain(Kind::Garbage), true, "bitrix_unavailable"),
        (plain(Kind::HangBefore), true, "bitrix_unavailable"),
    ]
}

#[tokio::test]
async fn each_error_of_a_read_ends_as_it_should() {
    let mut scene = Scene::set().await;
    scene.config.bitrix.bitrix_timeout = Duration::from_millis(300);
    let worker = scene.worker();
    for (order, (fault, passes, code)) in (1..).zip(table()) {
        scene.put(order).await;
        scene.running.emulator.faults.add(fault.on("sale.order.get").times(1)).unwrap();
        let done = say(order, Phase::Done);
        match done.told(&worker).await {
            End::Retry(reason, _) if passes => assert_eq!(reason.code, code),
            End::Dead(reason) if !passes => {
                assert_eq!(reason.code, code);
                assert!(
                    reason.text.ru.starts_with(&format!("Заказ № {order}A. ")),
                    "{}",
                    reason.text.ru
                );
            }
            end => panic!("{code}: {end:?}"),
        }
        assert!(scene.book(order).timeline.is_empty());
        assert_eq!(done.told(&worker).await, End::Done, "after {code} has passed or was mended");
        assert_eq!(scene.book(order).timeline.len(), 1);
    }
    scene.end().await;
}

#[tokio::test]
async fn each_error_of_a_write_ends_as_it_should_and_nothing_is_said_twice() {
    let mut scene = Scene::set().await;
    scene.config.bitrix.bitrix_timeout = Duration::from_millis(300);
    let worker = scene.worker();
    for (order, (fault, passes, code)) in (1..).zip(table()) {
        scene.put(order).await;
        let method = "batch";
        scene.running.emulator.faults.add(fault.on(method).times(1)).unwrap();
        let failed = say(order, Phase::Failed).with("CLOUDKASSIR_FN", "1");
        match failed.told(&worker).await {
            End::Retry(reason, _) if passes => assert_eq!(reason.code, code),
            End::Dead(reason) if !passes => assert_eq!(reason.code, code),
            end => panic!("{code}: {end:?}"),
        }
        assert_eq!(failed.told(&worker).await, End::Done, "after {code} has passed or was mended");
        let book = scene.book(order);
        assert_eq!((book.timeline.len(), book.notifications.len()), (1, 1), "{code}");
        assert_eq!(
            (book.status_history.len(), book.properties["CLOUDKASSIR_FN"].as_str()),
            (1, "1")
        );
    }
    scene.end().await;
}

#[tokio::test]
async fn a_refused_part_does_not_keep_the_others_back_and_a_replay_writes_only_it() {
    let scene = Scene::set().await;
    scene.put(236).await;
    let worker = scene.worker();
    let refusal = Fault::new(System::Bitrix, Kind::Refusal).code(100).on("sale.order.update");
    scene.running.emulator.faults.add(refusal.times(1)).unwrap();
    let failed = say(236, Phase::Failed).with("CLOUDKASSIR_FN", "1");
    let End::Dead(reason) = failed.told(&worker).await else { panic!("a part was refused") };
    assert_eq!(reason.code, "bitrix_refused");
    assert!(reason.evidence.unwrap().contains("sale.order.update"));
    let book = scene.book(236);
    assert_eq!((book.status.as_str(), book.timeline.len(), book.notifications.len()), ("N", 1, 1));
    let other = say(236, Phase::Done).because(8).with("CLOUDKASSIR_FN", "2").at(9);
    assert_eq!(other.told(&worker).await, End::Done, "later words are not held back");
    assert_eq!(failed.told(&worker).await, End::Done);
    let book = scene.book(236);
    assert_eq!((book.status.as_str(), book.timeline.len(), book.notifications.len()), ("ER", 2, 1));
    assert_eq!(book.properties["CLOUDKASSIR_FN"], "2", "a replay does not bring old values back");
    scene.end().await;
}

#[tokio::test]
async fn a_rate_limit_is_waited_out_and_told_only_when_it_lasts() {
    let scene = Scene::set().await;
    scene.put(1).await;
    scene.put(2).await;
    let worker = scene.worker();
    let faults = &scene.running.emulator.faults;
    faults.add(limit("QUERY_LIMIT_EXCEEDED").on("sale.order.get").times(2)).unwrap();
    assert_eq!(say(1, Phase::Done).told(&worker).await, End::Done, "two refusals pass unnoticed");
    faults.add(limit("QUERY_LIMIT_EXCEEDED").on("sale.order.get").times(3)).unwrap();
    let End::Retry(reason, None) = say(2, Phase::Done).told(&worker).await else {
        panic!("it lasts")
    };
    assert_eq!(reason.code, "bitrix_rate_limit");
    scene.end().await;
}

#[tokio::test]
async fn a_method_out_of_time_is_left_alone_until_its_time() {
    let scene = Scene::set().await;
    scene.put(1).await;
    let worker = scene.worker();
    let fault = limit("OPERATION_TIME_LIMIT").on("sale.order.get").times(1);
    scene.running.emulator.faults.add(fault).unwrap();
    for _ in 0..3 {
        let End::Retry(reason, Some(after)) = say(1, Phase::Done).told(&worker).await else {
            panic!("the method is blocked")
        };
        assert_eq!(reason.code, "bitrix_operation_limit");
        assert!((25..=30).contains(&after.as_secs()), "{after:?}");
    }
    let another = scene.worker();
    assert!(
        matches!(say(1, Phase::Done).told(&another).await, End::Retry(..)),
        "another replica knows"
    );
    let summary = scene.running.emulator.bitrix.portal().summary();
    let asked = scene.running.emulator.faults.standing()[0].struck;
    assert_eq!((summary.while_blocked, summary.hits, asked), (0, 0, 1), "nobody asked again");
    scene.end().await;
}

#[tokio::test]
async fn a_write_goes_on_without_a_method_that_is_out_of_time() {
    let scene = Scene::set().await;
    scene.put(1).await;
    let fault = limit("OPERATION_TIME_LIMIT").on("crm.timeline.comment.add").times(1);
    scene.running.emulator.faults.add(fault).unwrap();
    let done = say(1, Phase::Done).with("CLOUDKASSIR_FN", "1");
    let End::Retry(reason, Some(_)) = done.told(&scene.worker()).await else { panic!("blocked") };
    assert_eq!(reason.code, "bitrix_operation_limit");
    let book = scene.book(1);
    assert_eq!((book.properties["CLOUDKASSIR_FN"].as_str(), book.timeline.len()), ("1", 0));
    sqlx::query("DELETE FROM bitrix.pauses").execute(&scene.pool).await.unwrap();
    scene.running.emulator.clock.advance(60);
    assert_eq!(done.told(&scene.worker()).await, End::Done);
    let book = scene.book(1);
    assert_eq!((book.writes.saves, book.timeline.len()), (1, 1), "only the comment was left");
    scene.end().await;
}
