//! A register that was away is back: what stopped for it goes on by itself, once.

use runtime::Class;

use crate::{desk::Desk, ferry::LONG, outside::Metrics};

type Line = (String, String, String, String);

/// What is in the audit log of replays.
async fn log(desk: &Desk) -> Vec<Line> {
    sqlx::query_as(
        "SELECT who, action, subject, why FROM audit WHERE action LIKE 'replay%' ORDER BY id",
    )
    .fetch_all(&desk.pool)
    .await
    .unwrap()
}

async fn stop(desk: &Desk, order: u64, class: Class) {
    desk.books.with(|books| books.wrong.insert(order, (class, "away".to_owned())));
    desk.send(order).await;
}

async fn until_condition(desk: &Desk, what: &str, holds: &str) {
    let look = || async {
        let text = format!("SELECT count(*) FROM conditions WHERE kind = 'away' AND {holds}");
        let count: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(text)).fetch_one(&desk.pool).await.unwrap();
        count == 1
    };
    desk.stage.until(what, LONG, look).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_for_a_register_is_replayed_once_by_two_replicas_of_which_one_is_killed() {
    let (metrics, address) = Metrics::open().await;
    metrics.say("breaker_open 0\n");
    let mut desk = Desk::set(&[
        &format!("--admin-services=ferry={address}"),
        "--admin-services-every=50ms",
        "--admin-calm=1s",
        "--admin-replay-when-back=true",
        "--admin-replay-rate=20",
    ])
    .await;
    desk.start_second();
    for order in 1..=30 {
        stop(&desk, order, Class::Unavailable).await;
    }
    stop(&desk, 31, Class::Unknown).await;
    stop(&desk, 32, Class::Refused).await;
    desk.until_letters("open", 32).await;
    metrics.say("breaker_open 1\n");
    until_condition(&desk, "the register is away", "over_at IS NULL").await;
    assert_eq!(log(&desk).await, [], "nothing is handed back while it is away");

    // It is back, and the first replica dies in the middle of the replay.
    desk.books.with(|books| books.mended.extend(1..=32));
    metrics.say("breaker_open 0\n");
    let some = || async { desk.books.with(|books| books.effects.len()) >= 5 };
    desk.stage.until("a part is handed back", LONG, some).await;
    desk.kill_admin();
    desk.start_admin();
    desk.until_letters("resolved", 30).await;
    let effects = desk.books.with(|books| books.effects.clone());
    assert_eq!(effects.len(), 30);
    assert!(effects.values().all(|times| *times == 1), "{effects:?}");
    assert_eq!(desk.letters("open").await, 2, "the unknown and the refused one wait for a person");
    let first = log(&desk).await;
    assert_eq!(first.len(), 1, "{first:?}");
    assert_eq!((first[0].0.as_str(), first[0].1.as_str()), ("Parom", "replay"));
    assert!(first[0].3.contains("ferry"), "{first:?}");

    // Another time is another replay.
    desk.until_ready().await;
    desk.books.with(|books| books.mended.clear());
    stop(&desk, 40, Class::Unavailable).await;
    desk.until_letters("open", 3).await;
    metrics.say("breaker_open 1\n");
    until_condition(&desk, "it is away again", "over_at IS NULL").await;
    desk.books.with(|books| books.mended.insert(40));
    metrics.say("breaker_open 0\n");
    desk.until_letters("resolved", 31).await;
    let second = log(&desk).await;
    assert_eq!(second.len(), 2);
    assert_ne!(second[0].2, second[1].2, "a replay of its own");
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_replayed_by_itself_unless_the_settings_say_so() {
    let (metrics, address) = Metrics::open().await;
    metrics.say("breaker_open 1\n");
    let desk = Desk::set(&[
        &format!("--admin-services=ferry={address}"),
        "--admin-services-every=50ms",
        "--admin-calm=100ms",
    ])
    .await;
    stop(&desk, 1, Class::Unavailable).await;
    desk.until_letters("open", 1).await;
    until_condition(&desk, "away", "over_at IS NULL").await;
    desk.books.with(|books| books.mended.insert(1));
    metrics.say("breaker_open 0\n");
    // Twice as long as a look and the calm together.
    until_condition(&desk, "over for long", "over_at < now() - interval '3 seconds'").await;
    assert_eq!(log(&desk).await, []);
    assert_eq!(desk.letters("open").await, 1);
    desk.end().await;
}
