//! Dead letters come off the broker and are kept, whatever is killed.

use std::{collections::BTreeMap, time::Duration};

use runtime::Class;
use uuid::Uuid;

use crate::{
    desk::{Desk, reqwest_client},
    ferry::{LONG, crossing},
};

/// Classes and codes of twelve kinds.
fn kinds() -> Vec<(&'static str, String)> {
    ["invalid", "refused", "unavailable", "internal"]
        .into_iter()
        .flat_map(|class| (1..=3).map(move |n| (class, format!("code_{n}"))))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn twelve_kinds_of_letters_are_kept_once_each_while_admin_is_killed() {
    let count: u64 = std::env::var("PAROM_CHAOS").map_or(1_200, |_| 10_008);
    let mut desk = Desk::set(&[]).await;
    let dead = desk.stage.names().dead();
    let kinds = kinds();
    for letter in 0..count {
        let (class, code) = &kinds[usize::try_from(letter).unwrap() % kinds.len()];
        let death = Uuid::new_v5(&Uuid::nil(), &letter.to_be_bytes()).to_string();
        let ru = format!("Заказ N-{letter}: не вышло ({code}).");
        let headers = [
            ("x-parom-service", "ferry"),
            ("x-parom-class", *class),
            ("x-parom-code", code),
            ("x-parom-reason-ru", &ru),
            ("x-parom-reason", "It did not work."),
            ("x-parom-attempts", "3"),
            ("x-parom-death", &death),
        ];
        let body = crossing(letter).to_json().unwrap();
        // Each is told twice, as by a worker that died between its word and its note.
        for _ in 0..2 {
            desk.stage.put(&dead, "ferry", body.as_bytes(), &headers).await;
        }
        if letter % (count / 6) == count / 12 {
            desk.kill_admin();
            desk.start_admin();
        }
    }
    desk.until_ready().await;
    let all = i64::try_from(count).unwrap();
    let kept = || async { desk.letters("open").await == all };
    desk.stage.until("all are kept", Duration::from_secs(600), kept).await;
    let queue = desk.stage.names().dead_queue("ferry");
    desk.stage
        .until("nothing waits", LONG, || async { desk.stage.waiting(&queue).await == 0 })
        .await;
    assert_eq!(desk.letters("open").await, all, "no letter twice");
    let groups: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT class, code, count(*) FROM letters GROUP BY class, code, group_id ORDER BY 1, 2",
    )
    .fetch_all(&desk.pool)
    .await
    .unwrap();
    assert_eq!(groups.len(), 12, "{groups:?}");
    let each: BTreeMap<i64, usize> = groups.iter().fold(BTreeMap::new(), |mut each, group| {
        *each.entry(group.2).or_default() += 1;
        each
    });
    assert_eq!(each, BTreeMap::from([(all / 12, 12)]));
    quick(&desk).await;
    desk.end().await;
}

/// List, search and groups answer at once, also unoptimised; the short run stands beside others.
#[expect(clippy::print_stdout, reason = "figures for the README")]
async fn quick(desk: &Desk) {
    let long = std::env::var("PAROM_CHAOS").is_ok();
    let bound = Duration::from_millis(if long { 100 } else { 2_000 });
    let token = desk.token("viewer");
    for path in [
        "/api/v1/letters?state=open",
        "/api/v1/letters?state=open&order=N-77",
        "/api/v1/letters?state=open&text=CODE_2",
        "/api/v1/letters?text=%D0%BD%D0%B5%20%D0%B2%D1%8B%D1%88%D0%BB%D0%BE",
        "/api/v1/letters?text=there+is+no+such+reason",
        "/api/v1/groups",
    ] {
        let mut quickest = Duration::MAX;
        for _ in 0..5 {
            let began = std::time::Instant::now();
            let answer = desk.get(&token, path).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            answer.bytes().await.unwrap();
            quickest = quickest.min(began.elapsed());
        }
        println!("{path}: {quickest:?}");
        assert!(quickest < bound, "{path} took {quickest:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_worker_gives_up_is_shown_in_its_words() {
    let desk = Desk::set(&[]).await;
    for (order, class) in [
        (1, Class::Invalid),
        (2, Class::Refused),
        (3, Class::Unavailable),
        (4, Class::Unknown),
        (5, Class::Internal),
    ] {
        desk.books.with(|books| books.wrong.insert(order, (class, "why".to_owned())));
        desk.send(order).await;
    }
    desk.until_letters("open", 5).await;
    let token = desk.token("operator");
    let listed = desk.get(&token, "/api/v1/letters?state=open").send().await.unwrap();
    let listed: serde_json::Value = listed.json().await.unwrap();
    let verdicts: BTreeMap<&str, (&str, bool)> = listed["letters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|letter| {
            assert!(letter["reason_ru"].as_str().unwrap().contains("регистр не принял"));
            let verdict = letter["verdict"].as_str().unwrap();
            let number = letter["order_number"].as_str().unwrap();
            (number, (verdict, letter["safe_to_replay"].as_bool().unwrap()))
        })
        .collect();
    let expected = BTreeMap::from([
        ("N-1", ("not_sent", true)),
        ("N-2", ("refused", true)),
        ("N-3", ("unsure", true)),
        ("N-4", ("unknown", false)),
        ("N-5", ("unsure", true)),
    ]);
    assert_eq!(verdicts, expected);
    let id = listed["letters"][0]["id"].as_str().unwrap();
    let whole = desk.get(&token, &format!("/api/v1/letters/{id}")).send().await.unwrap();
    let whole: serde_json::Value = whole.json().await.unwrap();
    assert_eq!(whole["evidence"], "HTTP 400 {\"no\":true}");
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_listens_to_and_nobody_can_read_is_kept_too() {
    let desk = Desk::set(&[]).await;
    let names = desk.stage.names();
    let stray = crossing(1).to_json().unwrap();
    desk.stage.put(&names.deliver(), "nobody.listens", stray.as_bytes(), &[]).await;
    desk.stage.put("", &names.queue("ferry"), b"\xff\xfe no event", &[]).await;
    desk.until_letters("open", 2).await;
    let rows: Vec<(Option<String>, String, String, Vec<u8>)> =
        sqlx::query_as("SELECT worker, class, code, body FROM letters ORDER BY class")
            .fetch_all(&desk.pool)
            .await
            .unwrap();
    assert_eq!(rows[0].0.as_deref(), Some("ferry"));
    assert_eq!((rows[0].1.as_str(), rows[0].2.as_str()), ("internal", "message_unreadable"));
    assert_eq!(rows[0].3, b"\xff\xfe no event", "to the byte");
    assert_eq!((rows[1].0.as_deref(), rows[1].1.as_str()), (None, "unrouted"));
    desk.end().await;
}

/// What alarms look at: counted as soon as admin runs, by service and class, and gone once nothing is open.
#[tokio::test(flavor = "multi_thread")]
async fn open_letters_are_counted_with_their_age() {
    let mut desk = Desk::set(&[]).await;
    let dead = desk.stage.names().dead();
    for (letter, class) in [(1, "unknown"), (2, "refused"), (3, "refused")] {
        let death = Uuid::new_v4().to_string();
        let headers = [
            ("x-parom-service", "ferry"),
            ("x-parom-class", class),
            ("x-parom-code", "code"),
            ("x-parom-reason-ru", "Заказ: не вышло."),
            ("x-parom-reason", "It did not work."),
            ("x-parom-attempts", "1"),
            ("x-parom-death", &death),
        ];
        let body = crossing(letter).to_json().unwrap();
        desk.stage.put(&dead, "ferry", body.as_bytes(), &headers).await;
    }
    desk.until_letters("open", 3).await;
    sqlx::query(
        "UPDATE letters SET arrived_at = now() - interval '1 hour' WHERE class = 'unknown'",
    )
    .execute(&desk.pool)
    .await
    .unwrap();
    // It counts when it starts, and then four times a minute.
    desk.kill_admin();
    desk.start_admin();
    desk.until_ready().await;
    let read = async || {
        let answer = reqwest_client().get(desk.url("/metrics")).send().await;
        answer.unwrap().text().await.unwrap()
    };
    let open = r#"letters_open{class="unknown",service="ferry"} 1"#;
    desk.stage.until("they are counted", LONG, || async { read().await.contains(open) }).await;
    let text = read().await;
    assert!(text.contains(r#"letters_open{class="refused",service="ferry"} 2"#), "{text}");
    let age = r#"letters_oldest_seconds{class="unknown",service="ferry"} "#;
    let age = text.lines().find_map(|line| line.strip_prefix(age)).unwrap();
    let age: u64 = age.parse().unwrap();
    assert!((3_600..3_900).contains(&age), "{age} s");
    desk.end().await;
}
