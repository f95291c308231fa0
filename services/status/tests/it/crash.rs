//! A crash, or silence, between a call and its mark.

use std::time::Duration;

use emulator::{Fault, Kind, System};
use events::Phase;
use runtime::testing::End;

use crate::scene::{Say, Scene, say};

fn failed() -> Say {
    say(236, Phase::Failed).with("CLOUDKASSIR_FN", "1")
}

fn assert_said_once(scene: &Scene) {
    let book = scene.book(236);
    assert_eq!((book.timeline.len(), book.notifications.len()), (1, 1), "{:?}", book.timeline);
    assert_eq!((book.properties["CLOUDKASSIR_FN"].as_str(), book.status_history.len()), ("1", 1));
}

#[tokio::test]
async fn silence_after_the_effect_does_not_double_the_comment() {
    let mut scene = Scene::set().await;
    scene.config.bitrix.bitrix_timeout = Duration::from_millis(300);
    scene.put(236).await;
    let worker = scene.worker();
    let hang = Fault::new(System::Bitrix, Kind::Hang).on("batch").times(1);
    scene.running.emulator.faults.add(hang).unwrap();
    assert!(matches!(failed().told(&worker).await, End::Retry(..)));
    assert_said_once(&scene);
    assert_eq!(failed().told(&worker).await, End::Done);
    assert_said_once(&scene);
    scene.end().await;
}

#[tokio::test]
async fn silence_before_the_effect_does_not_lose_the_comment() {
    let mut scene = Scene::set().await;
    scene.config.bitrix.bitrix_timeout = Duration::from_millis(300);
    scene.put(236).await;
    let worker = scene.worker();
    let hang = Fault::new(System::Bitrix, Kind::HangBefore).on("batch").times(2);
    scene.running.emulator.faults.add(hang).unwrap();
    for _ in 0..2 {
        assert!(matches!(failed().told(&worker).await, End::Retry(..)));
        assert!(scene.book(236).timeline.is_empty());
    }
    assert_eq!(failed().told(&worker).await, End::Done);
    assert_said_once(&scene);
    scene.end().await;
}

#[tokio::test]
async fn after_silence_a_write_waits_until_the_portal_has_surely_ended_it() {
    let mut scene = Scene::set().await;
    scene.config.bitrix.bitrix_timeout = Duration::from_millis(300);
    scene.config.status_settle = Duration::from_secs(60);
    scene.put(236).await;
    let worker = scene.worker();
    let hang = Fault::new(System::Bitrix, Kind::Hang).on("batch").times(1);
    scene.running.emulator.faults.add(hang).unwrap();
    assert!(matches!(failed().told(&worker).await, End::Retry(..)));
    let hits = scene.hits();
    let End::Wait(wait) = failed().told(&worker).await else { panic!("too early to look") };
    assert!((50..=60).contains(&wait.as_secs()), "{wait:?}");
    let later = say(236, Phase::Done).because(3).at(5);
    assert!(matches!(later.told(&worker).await, End::Wait(_)), "and so does what comes after it");
    assert_eq!(scene.hits(), hits);
    scene.end().await;
}

#[tokio::test]
async fn a_manager_who_moves_the_order_after_silence_is_not_fought() {
    let mut scene = Scene::set().await;
    scene.config.bitrix.bitrix_timeout = Duration::from_millis(300);
    scene.put(236).await;
    let worker = scene.worker();
    let hang = Fault::new(System::Bitrix, Kind::Hang).on("batch").times(1);
    scene.running.emulator.faults.add(hang).unwrap();
    assert!(matches!(failed().told(&worker).await, End::Retry(..)));
    assert_eq!(scene.book(236).status, "ER");
    scene.move_to(236, "P").await;
    assert_eq!(failed().told(&worker).await, End::Done);
    let book = scene.book(236);
    assert_eq!((book.status.as_str(), book.status_history.len()), ("P", 1));
    scene.end().await;
}

/// The process dies when the portal has the effect and the mark is not made.
#[tokio::test]
async fn a_crash_between_the_call_and_its_mark_doubles_nothing() {
    let mut scene = Scene::set().await;
    scene.config.status_lease = Duration::from_millis(500);
    scene.put(236).await;
    let hang = Fault::new(System::Bitrix, Kind::Hang).on("batch").times(1);
    scene.running.emulator.faults.add(hang).unwrap();
    let victim = scene.worker();
    let dies = async {
        let effect = || async { scene.book(236).timeline.len() == 1 };
        scene.stage.until("the portal has it", Duration::from_secs(5), effect).await;
    };
    tokio::select! {
        end = async { failed().told(&victim).await } => panic!("it was to die: {end:?}"),
        () = dies => {}
    }
    drop(victim);
    let heir = scene.worker();
    assert!(matches!(failed().told(&heir).await, End::Wait(_)), "the dead one's lease still runs");
    let over = || async { failed().told(&heir).await == End::Done };
    scene.stage.until("the heir ends it", Duration::from_secs(5), over).await;
    assert_said_once(&scene);
    scene.end().await;
}

/// The process dies when the decision is kept and nothing was sent.
#[tokio::test]
async fn a_crash_before_the_call_loses_nothing() {
    let mut scene = Scene::set().await;
    scene.config.status_lease = Duration::from_millis(500);
    scene.put(236).await;
    let hang = Fault::new(System::Bitrix, Kind::HangBefore).on("batch").times(1);
    scene.running.emulator.faults.add(hang).unwrap();
    let victim = scene.worker();
    let struck = || async { scene.running.emulator.faults.standing()[0].struck == 1 };
    tokio::select! {
        end = async { failed().told(&victim).await } => panic!("it was to die: {end:?}"),
        () = scene.stage.until("sent", Duration::from_secs(5), struck) => {}
    }
    drop(victim);
    let heir = scene.worker();
    let over = || async { failed().told(&heir).await == End::Done };
    scene.stage.until("the heir ends it", Duration::from_secs(5), over).await;
    assert_said_once(&scene);
    scene.end().await;
}

/// The process dies between the decision and the mark, and a manager comes in between.
#[tokio::test]
async fn a_decision_that_was_left_lying_is_held_against_the_order_of_today() {
    let mut scene = Scene::set().await;
    scene.config.bitrix.bitrix_timeout = Duration::from_millis(300);
    scene.put(236).await;
    let worker = scene.worker();
    let hang = Fault::new(System::Bitrix, Kind::HangBefore).on("batch").times(1);
    scene.running.emulator.faults.add(hang).unwrap();
    assert!(matches!(failed().told(&worker).await, End::Retry(..)));
    let unmarked = "UPDATE writes SET tried_at = NULL, unsettled = false";
    sqlx::query(unmarked).execute(&scene.pool).await.unwrap();
    scene.move_to(236, "P").await;
    assert_eq!(failed().told(&worker).await, End::Done);
    let book = scene.book(236);
    assert_eq!((book.status.as_str(), book.status_history.len()), ("P", 0));
    assert_eq!((book.timeline.len(), book.properties["CLOUDKASSIR_FN"].as_str()), (1, "1"));
    scene.end().await;
}
