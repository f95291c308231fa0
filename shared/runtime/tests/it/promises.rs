//! One test for each promise.

use std::time::Duration;

use runtime::testing::Service;

use crate::{
    ferry::{Act, Config, Ferry, webhook},
    trip::{LONG, Trip},
};

#[tokio::test]
async fn an_event_told_five_times_has_one_effect() {
    let trip = Trip::begin().await;
    trip.set_up().await;
    for _ in 0..5 {
        trip.send(1).await;
    }
    let service = trip.service();
    trip.until_done(1).await;
    trip.stage
        .until("queue empty", LONG, || async { trip.stage.waiting(&trip.queue()).await == 0 })
        .await;
    service.stop().await;
    assert_eq!(trip.books.effects(1), 1);
    trip.end().await;
}

#[tokio::test]
async fn a_step_that_fails_is_tried_again_and_again() {
    let trip = Trip::begin().await;
    trip.set_up().await;
    trip.books.script(1, Act::FailFirst(4));
    trip.send(1).await;
    let service = trip.service();
    trip.until_done(1).await;
    service.stop().await;
    assert_eq!(trip.books.effects(1), 1);
    trip.end().await;
}

#[tokio::test]
async fn waiting_between_looks_goes_through_the_ladder() {
    let trip = Trip::begin().await;
    trip.set_up().await;
    trip.books.script(1, Act::Look(5));
    trip.send(1).await;
    let service = trip.service();
    trip.until_done(1).await;
    service.stop().await;
    assert_eq!(trip.books.effects(1), 1);
    trip.end().await;
}

#[tokio::test]
async fn a_refusal_is_a_dead_letter_with_its_reason_and_a_replay_goes_on() {
    let trip = Trip::begin().await;
    trip.set_up().await;
    trip.books.script(1, Act::RefuseOnce);
    trip.send(1).await;
    let service = trip.service();
    trip.stage.until("dead", LONG, || async { trip.stage.waiting(&trip.dead()).await == 1 }).await;
    let letter = trip.stage.take(&trip.dead()).await.unwrap();
    assert_eq!(letter.body, crossing_text(&letter.body));
    assert_eq!(letter.headers["x-parom-class"], "refused");
    assert_eq!(letter.headers["x-parom-code"], "refused");
    assert_eq!(letter.headers["x-parom-reason-ru"], "Регистр отказал.");
    assert_eq!(trip.books.effects(1), 0);

    // Without the admin's mark the message tells what is known already.
    trip.stage.put("", &trip.queue(), letter.body.as_bytes(), &[]).await;
    trip.stage
        .until("absorbed", LONG, || async { trip.stage.waiting(&trip.queue()).await == 0 })
        .await;
    assert_eq!(trip.jobs("dead").await, Some(1));

    let replay = [("x-parom-replay", "1")];
    for _ in 0..2 {
        trip.stage.put("", &trip.queue(), letter.body.as_bytes(), &replay).await;
    }
    trip.until_done(1).await;
    service.stop().await;
    assert_eq!(trip.books.effects(1), 1, "pressed twice, done once");
    trip.end().await;
}

fn crossing_text(body: &str) -> String {
    events::Event::from_json(body.as_bytes()).unwrap().to_json().unwrap()
}

#[tokio::test]
async fn a_panic_is_a_dead_job_and_hurts_no_other() {
    let trip = Trip::begin().await;
    trip.set_up().await;
    trip.books.script(1, Act::Panic);
    for order in 1..=3 {
        trip.send(order).await;
    }
    let service = trip.service();
    trip.until_effects(2..=3).await;
    trip.stage.until("dead", LONG, || async { trip.stage.waiting(&trip.dead()).await == 1 }).await;
    service.stop().await;
    let letter = trip.stage.take(&trip.dead()).await.unwrap();
    assert_eq!(letter.headers["x-parom-code"], "panic");
    trip.end().await;
}

/// No JSON, no UTF-8, and with somebody's phone in it.
const UNREADABLE: &[u8] =
    b"{\"specversion\":\"1.0\",\"phone\":\"+79001234567\",\"name\":\"\xc8\xe2\xe0\xed";

#[tokio::test]
async fn what_nobody_can_read_is_a_dead_letter_with_its_bytes() {
    let trip = Trip::begin().await;
    trip.set_up().await;
    trip.stage.put("", &trip.queue(), UNREADABLE, &[]).await;
    let service = trip.service();
    trip.stage.until("dead", LONG, || async { trip.stage.waiting(&trip.dead()).await == 1 }).await;
    service.stop().await;
    let letter = trip.stage.take(&trip.dead()).await.unwrap();
    assert_eq!(letter.headers["x-parom-code"], "message_unreadable");
    assert!(!letter.headers["x-parom-reason"].contains("900123"), "no personal data in a reason");
    assert_eq!(letter.bytes, UNREADABLE, "the bytes are the message's own");
    trip.end().await;
}

#[tokio::test]
async fn a_job_that_never_succeeds_dies_when_its_attempts_are_over() {
    let trip = Trip::begin().await;
    trip.set_up().await;
    trip.books.script(1, Act::Fail);
    trip.send(1).await;
    let mut common = trip.stage.common();
    common.retry_attempts = Some(3);
    let service = Service::start::<Ferry>(common, Config { books: trip.books.clone() });
    trip.stage.until("dead", LONG, || async { trip.stage.waiting(&trip.dead()).await == 1 }).await;
    service.stop().await;
    let letter = trip.stage.take(&trip.dead()).await.unwrap();
    assert_eq!(letter.headers["x-parom-code"], "attempts_exhausted");
    assert_eq!(trip.books.with(|register| register.calls), 3);
    trip.end().await;
}

#[tokio::test]
async fn a_register_that_is_away_burns_no_attempt_and_stops_the_worker() {
    let trip = Trip::begin().await;
    trip.set_up().await;
    trip.books.with(|register| register.away = true);
    for order in 1..=40 {
        trip.send(order).await;
    }
    let mut common = trip.stage.common();
    common.retry_attempts = Some(2);
    common.job_prefetch = Some(4);
    let service = Service::start::<Ferry>(common, Config { books: trip.books.clone() });
    trip.stage.until("found away", LONG, || async { trip.books.with(|r| r.calls) >= 8 }).await;
    trip.books.with(|register| register.away = false);
    trip.until_done(40).await;
    service.stop().await;
    assert_eq!(trip.stage.waiting(&trip.dead()).await, 0);
    assert!((1..=40).all(|order| trip.books.effects(order) == 1));
    trip.end().await;
}

#[tokio::test]
async fn jobs_whose_queues_were_deleted_all_finish() {
    let trip = Trip::begin().await;
    trip.set_up().await;
    for order in 1..=500 {
        trip.books.script(order, Act::Look(3));
        trip.send(order).await;
    }
    let service = trip.service();
    trip.stage
        .until("taken up", LONG, || async {
            let (open, done) = (trip.jobs("open").await, trip.jobs("done").await);
            open.unwrap_or(0) + done.unwrap_or(0) >= 500
        })
        .await;
    trip.stage.delete_queues(&trip.stage.queues("ferry")).await;
    trip.until_done(500).await;
    service.stop().await;
    assert!((1..=500).all(|order| trip.books.effects(order) == 1));
    trip.end().await;
}

#[tokio::test]
async fn a_killed_replica_is_followed_by_another() {
    let trip = Trip::begin().await;
    trip.set_up().await;
    for order in 1..=100 {
        trip.books.script(order, Act::Look(2));
        trip.send(order).await;
    }
    for _ in 0..5 {
        let service = trip.service();
        let before = trip.books.with(|register| register.calls);
        trip.stage
            .until("a few steps", LONG, || async {
                trip.books.with(|register| register.calls) > before + 10
                    || trip.jobs("done").await == Some(100)
            })
            .await;
        service.kill().await;
    }
    let service = trip.service();
    trip.until_done(100).await;
    service.stop().await;
    trip.end().await;
}

#[tokio::test]
async fn a_late_owner_is_refused_when_another_has_the_job() {
    let trip = Trip::begin().await;
    trip.set_up().await;
    trip.books.script(1, Act::Slow(Duration::from_millis(1_500)));
    trip.send(1).await;
    let mut common = trip.stage.common();
    common.job_lease = Duration::from_secs(2);
    let service = Service::start::<Ferry>(common, Config { books: trip.books.clone() });
    trip.stage.until("taken up", LONG, || async { trip.jobs("open").await == Some(1) }).await;
    // Another owner takes the job while the first is at the register.
    let pool = trip.stage.pool("ferry");
    trip.stage
        .until("another owner", LONG, || async {
            let sql =
                "UPDATE jobs SET fence = gen_random_uuid(), lease_until = now() + interval '1 s'
                   WHERE state LIKE '%Sending%'";
            sqlx::query(sql).execute(&pool).await.unwrap().rows_affected() == 1
        })
        .await;
    trip.stage.until("the effect", LONG, || async { trip.books.effects(1) >= 1 }).await;
    trip.until_done(1).await;
    service.stop().await;
    // The first owner's effect is not undone; what counts is that its save was refused and the
    // second owner found the write-ahead mark. This register has no look-up, so it did it again.
    assert_eq!(trip.books.effects(1), 2);
    trip.end().await;
}

/// What is taken up is not waited for on disk: a crash of PostgreSQL may forget it, and must not lose it.
#[tokio::test]
async fn a_job_that_postgresql_has_forgotten_is_taken_up_again() {
    let trip = Trip::begin().await;
    trip.set_up().await;
    trip.books.script(1, Act::Slow(Duration::from_millis(1_500)));
    trip.send(1).await;
    let service = trip.service();
    let pool = trip.stage.pool("ferry");
    let forget = || async {
        let gone = sqlx::query("DELETE FROM jobs WHERE phase = 'open'").execute(&pool).await;
        gone.unwrap().rows_affected() == 1
    };
    trip.stage.until("taken up and forgotten", LONG, forget).await;
    trip.until_done(1).await;
    service.stop().await;
    assert!(trip.books.effects(1) >= 1);
    trip.end().await;
}

#[tokio::test]
async fn stopping_finishes_what_is_in_hand() {
    let trip = Trip::begin().await;
    trip.set_up().await;
    for order in 1..=20 {
        trip.books.script(order, Act::Slow(Duration::from_millis(300)));
        trip.send(order).await;
    }
    let service = trip.service();
    trip.stage.until("in hand", LONG, || async { trip.books.with(|r| r.calls) >= 20 }).await;
    service.stop().await;
    assert_eq!(trip.jobs("done").await, Some(20));
    assert_eq!(trip.stage.waiting(&trip.queue()).await, 0);
    trip.end().await;
}

#[tokio::test]
async fn a_failure_is_told_to_the_shop() {
    let trip = Trip::begin().await;
    trip.set_up().await;
    trip.books.script(7, Act::RefuseOnce);
    let names = trip.stage.names();
    let listener = names.queue("listener");
    trip.stage.listen(&listener, &names.status(), "status.#").await;
    trip.stage.put("", &trip.queue(), webhook(7).to_json().unwrap().as_bytes(), &[]).await;
    let service = trip.service();
    trip.stage.until("told", LONG, || async { trip.stage.waiting(&listener).await == 1 }).await;
    service.stop().await;
    let letter = trip.stage.take(&listener).await.unwrap();
    let event = events::Event::from_json(letter.body.as_bytes()).unwrap();
    let events::Fact::StatusChanged(status) = event.fact else { panic!("a status") };
    assert_eq!(status.phase, events::Phase::Failed);
    assert_eq!((status.code.as_str(), status.order.number.as_str()), ("refused", "N7"));
    trip.stage.delete_queues(&[listener]).await;
    trip.end().await;
}
