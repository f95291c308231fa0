//! Words, replays and reasons that a crash, a breaker or a bad text must not lose.

use std::time::Duration;

use runtime::testing::Service;

use crate::{
    ferry::{Act, Config, Ferry, crossing},
    trip::{LONG, Trip},
};

/// A job says something with a wait and dies between the save and the words.
async fn words_of_a_wait(wait: Duration) -> Vec<events::Phase> {
    let trip = Trip::begin().await;
    trip.set_up().await;
    let names = trip.stage.names();
    let listener = names.queue("listener");
    trip.stage.listen(&listener, &names.status(), "status.ferry").await;
    trip.books.script(1, Act::SayAndWait(wait));
    trip.send(1).await;
    let common = trip.stage.common();
    let crash = common.crash.clone();
    crash.arm("after_save", 1);
    let doomed = Service::start::<Ferry>(common, Config { books: trip.books.clone() });
    trip.stage.until("stands still", LONG, || async { crash.stuck() == 1 }).await;
    doomed.kill().await;
    let heir = trip.service();
    trip.until_done(1).await;
    heir.stop().await;
    let mut phases = Vec::new();
    while let Some(letter) = trip.stage.take(&listener).await {
        let event = events::Event::from_json(letter.body.as_bytes()).unwrap();
        let events::Fact::StatusChanged(status) = event.fact else { panic!("a status") };
        phases.push(status.phase);
    }
    trip.stage.delete_queues(&[listener]).await;
    trip.end().await;
    phases
}

#[tokio::test]
async fn words_saved_with_a_short_wait_are_said_after_a_death() {
    let said = words_of_a_wait(Duration::from_millis(20)).await;
    assert!(said.contains(&events::Phase::Working), "{said:?}");
}

#[tokio::test]
async fn words_saved_with_a_long_wait_are_said_after_a_death() {
    let said = words_of_a_wait(Duration::from_secs(4)).await;
    assert!(said.contains(&events::Phase::Working), "{said:?}");
}

#[tokio::test]
async fn a_replay_that_meets_an_open_breaker_is_a_replay_afterwards() {
    let trip = Trip::begin().await;
    trip.set_up().await;
    for order in 1..=60 {
        trip.books.script(order, Act::RefuseOnce);
        trip.send(order).await;
    }
    let service = trip.service();
    trip.stage.until("dead", LONG, || async { trip.jobs("dead").await == Some(60) }).await;
    trip.books.with(|register| register.away = true);
    for order in 1..=60 {
        let event = crossing(order).to_json().unwrap();
        let replay = [("x-parom-replay", "1")];
        trip.stage.put("", &trip.queue(), event.as_bytes(), &replay).await;
    }
    let before = trip.books.with(|register| register.calls);
    trip.stage.until("away", LONG, || async { trip.books.with(|r| r.calls) > before + 4 }).await;
    trip.books.with(|register| register.away = false);
    trip.until_done(60).await;
    service.stop().await;
    trip.end().await;
}

/// Order 1 is dead with this text; order 2 has nothing to do with it.
async fn buried_with(text: String) {
    let trip = Trip::begin().await;
    trip.set_up().await;
    trip.books.script(1, Act::Bury(text));
    let service = trip.service();
    trip.send(1).await;
    let limit = Duration::from_secs(10);
    trip.stage.until("dead", limit, || async { trip.stage.waiting(&trip.dead()).await == 1 }).await;
    trip.send(2).await;
    trip.until_done(1).await;
    service.stop().await;
    trip.end().await;
}

#[tokio::test]
async fn a_nul_in_a_reason_is_a_dead_letter_all_the_same() {
    buried_with("Order 1\u{0}: no.".to_owned()).await;
}

#[tokio::test]
async fn a_long_reason_is_a_dead_letter_all_the_same() {
    buried_with("x".repeat(200_000)).await;
}
