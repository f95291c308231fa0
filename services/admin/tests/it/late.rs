//! Letters that come late, come again, or that nobody can keep as they are.

use events::Phase;
use runtime::Class;
use uuid::Uuid;

use crate::{
    desk::Desk,
    ferry::{LONG, crossing, key, status},
};

/// The headers of a letter of the ferry's that names no death unless one is given.
fn headers<'a>(class: &'a str, death: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![
        ("x-parom-service", "ferry"),
        ("x-parom-class", class),
        ("x-parom-code", "no"),
        ("x-parom-reason-ru", "Заказ: не вышло."),
        ("x-parom-reason", "It did not work."),
        ("x-parom-attempts", "1"),
    ];
    all.extend(death.map(|death| ("x-parom-death", death)));
    all
}

async fn until_said(desk: &Desk, code: &str) {
    let said = || async {
        let row: Option<i32> = sqlx::query_scalar("SELECT 1 FROM entries WHERE code = $1")
            .bind(code)
            .fetch_optional(&desk.pool)
            .await
            .unwrap();
        row.is_some()
    };
    desk.stage.until("it is heard", LONG, said).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_of_a_job_that_is_done_by_now_waits_for_nobody() {
    let desk = Desk::set(&[]).await;
    let event = crossing(7);
    let done = status("ferry", key(7), event.id(), Phase::Done, "over");
    desk.stage.tell(&done).await;
    until_said(&desk, "over").await;
    let death = Uuid::new_v4().to_string();
    let (body, dead) = (event.to_json().unwrap(), desk.stage.names().dead());
    desk.stage.put(&dead, "ferry", body.as_bytes(), &headers("invalid", Some(&death))).await;
    desk.until_letters("resolved", 1).await;
    assert_eq!(desk.letters("open").await, 0);
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_fails_anew_before_its_replay_is_noted_is_open_again() {
    let desk = Desk::set(&[]).await;
    let dead = desk.stage.names().dead();
    for state in ["queued", "sent", "discarded", "resolved"] {
        desk.stage.put(&dead, "ferry", b"no event", &headers("internal", None)).await;
        desk.until_letters("open", 1).await;
        // As far as the replay has come when the message is back.
        sqlx::query("UPDATE letters SET state = $1, body = '', headers = '{}'")
            .bind(state)
            .execute(&desk.pool)
            .await
            .unwrap();
        desk.stage.put(&dead, "ferry", b"no event", &headers("internal", None)).await;
        desk.until_letters("open", 1).await;
        let body: Vec<u8> =
            sqlx::query_scalar("SELECT body FROM letters").fetch_one(&desk.pool).await.unwrap();
        assert_eq!(body, b"no event", "{state}: what was forgotten is there again");
    }
    desk.end().await;
}

/// What no index takes: longer than a page, and without a pattern.
fn endless() -> String {
    (0..400).map(|part: u32| Uuid::new_v5(&Uuid::nil(), &part.to_be_bytes()).to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_hostile_order_keeps_no_other_from_coming_in() {
    let desk = Desk::set(&[]).await;
    let dead = desk.stage.names().dead();
    for (id, number) in [(1, "N\0-1".to_owned()), (2, endless())] {
        let mut order = key(id);
        order.number = number;
        let mut event = status("ferry", order, Uuid::new_v4(), Phase::Working, "hostile");
        if let events::Fact::StatusChanged(status) = &mut event.fact {
            status.text = events::Text::new("Плохо\0.", "Bad\0.");
            status.properties.insert("A\0".to_owned(), "B\0".to_owned());
        }
        let body = event.to_json().unwrap();
        let death = Uuid::new_v4().to_string();
        desk.stage.put(&dead, "ferry", body.as_bytes(), &headers("invalid", Some(&death))).await;
        // Nobody listens to that: another letter, with a reason of admin's own words.
        desk.stage.put(&desk.stage.names().deliver(), "nobody", body.as_bytes(), &[]).await;
        desk.stage.tell(&event).await;
    }
    desk.books.with(|books| books.wrong.insert(3, (Class::Invalid, "plain".to_owned())));
    desk.stage.tell(&crossing(3)).await;
    desk.until_letters("open", 5).await;
    let heard = || async {
        let count: i64 =
            sqlx::query_scalar("SELECT count(*) FROM orders").fetch_one(&desk.pool).await.unwrap();
        count == 3
    };
    desk.stage.until("each order has its way", LONG, heard).await;
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_handed_back_long_ago_is_forgotten_too_and_what_is_open_is_not() {
    let mut desk = Desk::set(&["--admin-keep=1d"]).await;
    let dead = desk.stage.names().dead();
    let states = ["open", "queued", "sent", "resolved", "again", "discarded", "settled"];
    for (order, state) in (1..).zip(states) {
        let death = Uuid::new_v4().to_string();
        let body = crossing(order).to_json().unwrap();
        desk.stage.put(&dead, "ferry", body.as_bytes(), &headers("invalid", Some(&death))).await;
        desk.until_letters("open", 1 + i64::from(order > 1)).await;
        sqlx::query("UPDATE letters SET state = $1 WHERE state = 'open' AND order_number = $2")
            .bind(state)
            .bind(format!("N-{order}"))
            .execute(&desk.pool)
            .await
            .unwrap();
    }
    // With what people wrote and did; an open one keeps its note.
    for sql in [
        "INSERT INTO notes (id, letter, who, text) SELECT gen_random_uuid(), id, 'anna', 'x' FROM letters",
        "INSERT INTO audit (who, action, subject, outcome) SELECT 'anna', 'note', id::text, 'done' FROM letters",
        "INSERT INTO replays (id, who, why, unknown, rate, state, finished_at, total)
         SELECT id, 'anna', 'x', false, 1, 'done', now() - interval '2 days', 1 FROM letters",
        "INSERT INTO replay_items (replay, letter) SELECT id, id FROM letters",
        "INSERT INTO groups (id, class, code, pattern_ru, pattern_en, last_at)
         VALUES (gen_random_uuid(), 'invalid', 'x', '', '', now() - interval '2 days')",
    ] {
        sqlx::query(sql).execute(&desk.pool).await.unwrap();
    }
    let old = "UPDATE letters SET arrived_at = now() - interval '2 days', state_at = now() - interval '2 days'";
    sqlx::query(old).execute(&desk.pool).await.unwrap();
    desk.kill_admin();
    desk.start_admin();
    desk.until_ready().await;
    let kept = || async {
        let kept: Vec<String> = sqlx::query_scalar("SELECT state FROM letters ORDER BY state")
            .fetch_all(&desk.pool)
            .await
            .unwrap();
        let counts: Vec<i64> = sqlx::query_scalar(
            "SELECT count(*) FROM notes UNION ALL SELECT count(*) FROM replay_items
             UNION ALL SELECT count(*) FROM replays UNION ALL SELECT count(*) FROM groups
             UNION ALL SELECT count(*) FROM audit WHERE action = 'note'",
        )
        .fetch_all(&desk.pool)
        .await
        .unwrap();
        kept == ["open", "queued"] && counts == [2, 2, 2, 1, 7]
    };
    desk.stage.until("what is closed is forgotten", LONG, kept).await;
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_with_an_open_letter_is_not_fine_and_an_unknown_one_is_counted_for_good() {
    let desk = Desk::set(&[]).await;
    // Failures of some workers are told to nobody but the people on duty: there is no status.
    let event = crossing(5);
    desk.stage.tell(&event).await;
    until_said(&desk, "crossed").await;
    let other = status("shop", key(5), Uuid::new_v4(), Phase::Working, "other");
    let death = Uuid::new_v4().to_string();
    let (body, dead) = (other.to_json().unwrap(), desk.stage.names().dead());
    desk.stage.put(&dead, "ferry", body.as_bytes(), &headers("unknown", Some(&death))).await;
    desk.until_letters("open", 1).await;
    let token = desk.token("viewer");
    let ask = async |path: &str| -> serde_json::Value {
        desk.get(&token, path).send().await.unwrap().json().await.unwrap()
    };
    let found = ask("/api/v1/orders?q=N-5").await;
    assert_eq!(found[0]["stuck"], serde_json::json!(["ferry"]));
    let overview = ask("/api/v1/overview").await;
    let services = overview["services"].as_array().unwrap();
    let ferry = services.iter().find(|service| service["service"] == "ferry").unwrap();
    assert_eq!((&ferry["dead"], &ferry["unknown"]), (&1.into(), &1.into()), "{ferry}");
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_moscows() {
    let desk = Desk::set(&[]).await;
    desk.stage.tell(&crossing(9)).await;
    until_said(&desk, "crossing").await;
    // Half past one in the night of the 22nd in Moscow.
    sqlx::query("UPDATE entries SET at = '2026-11-21 22:30Z'").execute(&desk.pool).await.unwrap();
    sqlx::query("UPDATE orders SET first_at = '2026-11-21 22:30Z', last_at = '2026-11-21 22:30Z'")
        .execute(&desk.pool)
        .await
        .unwrap();
    let token = desk.token("viewer");
    for (day, count) in [("2026-11-21", 0), ("2026-11-22", 1)] {
        let path = format!("/api/v1/orders?day={day}");
        let found = desk.get(&token, &path).send().await.unwrap();
        let found: Vec<serde_json::Value> = found.json().await.unwrap();
        assert_eq!(found.len(), count, "{day}");
    }
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_deaths_that_come_in_the_wrong_order_the_later_one_is_open() {
    let desk = Desk::set(&[]).await;
    let body = crossing(7).to_json().unwrap();
    let dead = desk.stage.names().dead();
    // As two replicas of admin may take them: each death says itself when it was.
    let first = Uuid::now_v7();
    let later = Uuid::now_v7();
    for (count, death) in [(1, later), (2, first)] {
        let death = death.to_string();
        desk.stage.put(&dead, "ferry", body.as_bytes(), &headers("invalid", Some(&death))).await;
        let kept = || async { desk.letters("open").await + desk.letters("again").await == count };
        desk.stage.until("it is kept", LONG, kept).await;
    }
    let open: Vec<Uuid> = sqlx::query_scalar("SELECT death FROM letters WHERE state = 'open'")
        .fetch_all(&desk.pool)
        .await
        .unwrap();
    assert_eq!(open, [later]);
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_of_letters_is_counted_as_far_as_that_is_quick() {
    let desk = Desk::set(&[]).await;
    let add = "INSERT INTO letters (id, worker, event_id, exchange, routing_key, headers, body, class, code, reason_ru,
            reason_en, attempts, group_id, arrived_at)
         SELECT gen_random_uuid(), CASE WHEN n % 10 > 0 THEN 'ferry' END, gen_random_uuid(), '', '', '{}', '', 'invalid',
            'x', '', '', 1, gen_random_uuid(), now() - n * interval '1 second'
         FROM generate_series(1, $1) n";
    let token = desk.token("viewer");
    let browser = crate::desk::Browser::sign_in(&desk, "viewer").await;
    for (more, all, exact) in [(10_000, 10_000, true), (1, 10_000, false)] {
        sqlx::query(add).bind(more).execute(&desk.pool).await.unwrap();
        let ask = async |query: &str| -> serde_json::Value {
            let path = format!("/api/v1/letters?limit=1&{query}");
            desk.get(&token, &path).send().await.unwrap().json().await.unwrap()
        };
        let found = ask("").await;
        assert_eq!(found["count"], all);
        assert_eq!(found["count_or_more"], !exact);
        for (worker, count) in [("ferry", 9_000), ("unrouted", 1_000), ("nobody", 0)] {
            let found = ask(&format!("worker={worker}")).await["count"].as_i64().unwrap();
            assert!((count..count + 2).contains(&found), "{worker}: {found}");
        }
        let page = browser.page("/letters").await;
        assert_eq!(page.contains("10 000+"), !exact);
        let last = browser.page("/letters?page=99").await;
        assert_eq!(last.contains("rel=\"next\""), !exact, "the last page has no next one");
    }
    drop(browser);
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_long_way_the_end_is_shown() {
    let desk = Desk::set(&[]).await;
    desk.books.with(|books| books.wrong.insert(7, (Class::Refused, "no".to_owned())));
    desk.stage.tell(&crossing(7)).await;
    desk.until_letters("open", 1).await;
    until_said(&desk, "crossing").await;
    sqlx::query(
        "INSERT INTO entries (event_id, order_key, at, topic, service, phase, code, text_ru, text_en, cause)
         SELECT gen_random_uuid(), 'main site 7', now() + n * interval '1 second', 'status.ferry', 'ferry', 'retrying',
            'line ' || n, 'line ' || n, 'line ' || n, (SELECT event_id FROM letters)
         FROM generate_series(1, 1100) n",
    )
    .execute(&desk.pool)
    .await
    .unwrap();
    let id: Uuid =
        sqlx::query_scalar("SELECT id FROM letters").fetch_one(&desk.pool).await.unwrap();
    let token = desk.token("viewer");
    let ask = async |path: &str| -> serde_json::Value {
        desk.get(&token, path).send().await.unwrap().json().await.unwrap()
    };
    let order = ask("/api/v1/orders/main%20site%207").await;
    let letter = ask(&format!("/api/v1/letters/{id}")).await;
    for (shown, first, length) in
        [(&order["timeline"], "line 101", 1_000), (&letter["way"], "line 901", 200)]
    {
        let lines = shown.as_array().unwrap();
        assert_eq!(lines.len(), length);
        assert_eq!(
            (&lines[0]["text_en"], &lines[length - 1]["text_en"]),
            (&first.into(), &"line 1100".into())
        );
    }
    desk.end().await;
}
