//! An order's way is kept, and found by what people know of it.

use events::Phase;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    desk::{Browser, Desk},
    ferry::{LONG, crossing, key, status},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_way_of_an_order_is_found_by_number_and_document() {
    let desk = Desk::set(&[]).await;
    let event = crossing(7);
    // Told five times, as by anybody who is not sure.
    for _ in 0..5 {
        desk.stage.tell(&event).await;
    }
    let done = || async {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM entries WHERE phase = 'done'")
            .fetch_one(&desk.pool)
            .await
            .unwrap();
        count == 1
    };
    desk.stage.until("the ferry is done", LONG, done).await;
    let token = desk.token("viewer");
    let ask = async |path: &str| -> Value {
        desk.get(&token, path).send().await.unwrap().json().await.unwrap()
    };
    for by in ["N-7", "n-7", "7", "%E2%84%96+N-7", "T-crossed", "t-CROSSED"] {
        let found = ask(&format!("/api/v1/orders?q={by}")).await;
        assert_eq!(found.as_array().unwrap().len(), 1, "{by}: {found}");
        assert_eq!(found[0]["number"], "N-7");
        assert_eq!(found[0]["stuck"], Value::Null);
    }
    assert_eq!(ask("/api/v1/orders?q=N-8").await, Value::Array(vec![]));
    let whole = ask("/api/v1/orders/main%20site%207").await;
    let way: Vec<&str> = whole["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["code"].as_str().unwrap())
        .collect();
    assert_eq!(way, ["crossing", "crossed"]);
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_stuck_until_its_service_is_done() {
    let desk = Desk::set(&[]).await;
    let cause = Uuid::new_v4();
    let token = desk.token("viewer");
    let stuck = async || -> Value {
        let answer = desk.get(&token, "/api/v1/orders?q=N-3").send().await.unwrap();
        answer.json::<Value>().await.unwrap()[0]["stuck"].clone()
    };
    for (phase, code, expected) in [
        (Phase::Failed, "no", serde_json::json!(["fiscal"])),
        (Phase::Done, "yes", Value::Null),
        // Late: what was said before the end.
        (Phase::Retrying, "late", Value::Null),
    ] {
        desk.stage.tell(&status("fiscal", key(3), cause, phase, code)).await;
        let heard = || async {
            let row: Option<i32> = sqlx::query_scalar("SELECT 1 FROM entries WHERE code = $1")
                .bind(code)
                .fetch_optional(&desk.pool)
                .await
                .unwrap();
            row.is_some()
        };
        desk.stage.until("heard", LONG, heard).await;
        assert_eq!(stuck().await, expected, "{code}");
    }
    desk.end().await;
}

/// What happened before and after a day did not happen on it.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_has_the_orders_that_something_happened_to() {
    let desk = Desk::set(&[]).await;
    for (number, at) in
        [("A", "2026-11-18 09:00Z"), ("A", "2026-11-20 20:59Z"), ("B", "2026-11-20 21:00Z")]
    {
        sqlx::query(
            "INSERT INTO orders AS o (key, shop, id, number, site, first_at, last_at)
             VALUES ('main site ' || $1, 'main', 1, $1, true, $2::timestamptz, $2::timestamptz)
             ON CONFLICT (key) DO UPDATE SET last_at = excluded.last_at",
        )
        .bind(number)
        .bind(at)
        .execute(&desk.pool)
        .await
        .unwrap();
        sqlx::query(
            "INSERT INTO entries (event_id, order_key, at, topic, text_ru, text_en)
             VALUES (gen_random_uuid(), 'main site ' || $1, $2::timestamptz, 'order.changed', '', '')",
        )
        .bind(number)
        .bind(at)
        .execute(&desk.pool)
        .await
        .unwrap();
    }
    let token = desk.token("viewer");
    for (day, expected) in [
        ("2026-11-17", &[][..]),
        ("2026-11-18", &["A"]),
        ("2026-11-19", &[]),
        ("2026-11-20", &["A"]),
        ("2026-11-21", &["B"]),
    ] {
        let path = format!("/api/v1/orders?day={day}");
        let found: Vec<Value> = desk.get(&token, &path).send().await.unwrap().json().await.unwrap();
        let numbers: Vec<&str> = found.iter().map(|o| o["number"].as_str().unwrap()).collect();
        assert_eq!(numbers, expected, "{day}");
    }
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_of_orders_goes_on_at_its_next_page() {
    let desk = Desk::set(&[]).await;
    sqlx::query(
        "INSERT INTO orders (key, shop, id, number, site, first_at, last_at)
         SELECT 'main site ' || n, 'main', n, 'S-' || n, true, now(), now() - n * interval '1 minute'
         FROM generate_series(1, 205) n",
    )
    .execute(&desk.pool)
    .await
    .unwrap();
    let browser = Browser::sign_in(&desk, "viewer").await;
    let (mut path, mut pages, mut seen) = ("/orders?q=".to_owned(), 0, 0);
    loop {
        let page = browser.page(&path).await;
        pages += 1;
        seen += page.matches("href=\"/order?key=").count();
        let next =
            page.split("rel=\"next\" href=\"").nth(1).map(|rest| rest.split('"').next().unwrap());
        let Some(next) = next else { break };
        path = next.replace("&amp;", "&");
    }
    assert_eq!((pages, seen), (3, 205));
    let token = desk.token("viewer");
    let ask = async |query: &str| -> Vec<Value> {
        let path = format!("/api/v1/orders?{query}");
        desk.get(&token, &path).send().await.unwrap().json().await.unwrap()
    };
    assert_eq!(ask("limit=150").await.len(), 150);
    assert_eq!(ask("offset=200").await.last().unwrap()["number"], "S-205");
    drop(browser);
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_knows_only_the_id_does_not_rename_an_order() {
    let desk = Desk::set(&[]).await;
    for (number, expected) in
        [("1042", "1042"), ("A-1042", "A-1042"), ("1042", "A-1042"), ("B-7", "B-7")]
    {
        let mut order = key(1042);
        order.number = number.to_owned();
        let cause = Uuid::new_v4();
        desk.stage.tell(&status("ingress", order, cause, Phase::Failed, "unreadable")).await;
        let heard = || async {
            let row: Option<i32> = sqlx::query_scalar("SELECT 1 FROM entries WHERE cause = $1")
                .bind(cause)
                .fetch_optional(&desk.pool)
                .await
                .unwrap();
            row.is_some()
        };
        desk.stage.until("heard", LONG, heard).await;
        let kept: String =
            sqlx::query_scalar("SELECT number FROM orders").fetch_one(&desk.pool).await.unwrap();
        assert_eq!(kept, expected, "{number}");
    }
    desk.end().await;
}
