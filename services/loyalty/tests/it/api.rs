//! The interface for 1C: the brief's names, clear errors, nothing half done.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::http::StatusCode;
use loyalty::Loyalty;
use reqwest::Method;
use runtime::testing::Service;
use serde_json::{Value, json};

use crate::world::{FILE, LONG, OFFICE, PHONE, SITE, STRICT, TILL, World, exact};

#[expect(clippy::needless_pass_by_value, reason = "calls read like the JSON they make")]
fn accrual(id: &str, amount: Value) -> Value {
    json!({"type": "accrual", "amount": amount, "external_id": id, "user_phone": PHONE})
}

#[expect(clippy::needless_pass_by_value, reason = "calls read like the JSON they make")]
fn debit(id: &str, amount: Value) -> Value {
    json!({"type": "debit", "amount": amount, "external_id": id, "user_phone": PHONE})
}

async fn world() -> World {
    let world = World::new().await;
    world.meet(42, PHONE).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn the_briefs_conversation_works_under_its_own_paths() {
    let world = world().await;
    let base = "/local/api/cashback/v1";
    let body = json!({"type": "accrual", "amount": 500.50, "external_id": "НачБонусов_0001_20261110",
        "user_phone": "8 (916) 123-45-67", "description": "Тверская, 1", "created_at": "2026-11-10T12:00:00"});
    let first = world.post(TILL, &format!("{base}/transactions"), body.clone()).await;
    assert_eq!((first.status, &first.body["status"]), (200, &json!("ok")), "{first:?}");
    assert_eq!(exact(&first.text, "balance"), "500.50");
    let again = world.post(TILL, &format!("{base}/transactions"), body).await;
    assert_eq!((again.status, &again.body["status"]), (200, &json!("already_exists")));
    assert_eq!(again.body["idempotent"], true);
    assert_eq!(again.body["transaction_id"], first.body["transaction_id"]);
    let path = format!("{base}/balance?user_phone=79161234567");
    let balance = world.get(TILL, &path).await;
    assert_eq!((balance.status, &balance.body["user_id"]), (200, &json!(42)));
    assert_eq!(exact(&balance.text, "balance"), "500.50");
    assert!(balance.body["updated_at"].is_string());
    let nobody = world.get(TILL, "/v1/balance?user_phone=79990000000").await;
    assert_eq!((nobody.status, &nobody.body["error"]), (404, &json!("user_not_found")));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_answers_each_in_order_and_a_repeat_answers_the_same() {
    let world = world().await;
    let batch = json!([
        accrual("b1", json!(100)),
        {"type": "release", "external_id": "b3r", "user_phone": PHONE, "reference": "b3"},
        {"type": "debit", "amount": "40.00", "external_id": "b3", "user_phone": PHONE},
        accrual("b1", json!(100)),
        debit("b4", json!(1000)),
        accrual("b5", json!("1.001")),
        accrual("b1", json!(101)),
    ]);
    let words = |said: &crate::world::Said| -> Vec<String> {
        said.body["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["status"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = world.post(STRICT, "/v1/transactions/batch", batch.clone()).await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(
        words(&first),
        [
            "ok",
            "parked",
            "ok_then_reversed",
            "already_exists",
            "insufficient_balance",
            "invalid",
            "conflict_payload_mismatch"
        ]
    );
    let results = first.body["results"].as_array().unwrap();
    let kinds: Vec<_> = results.iter().map(|item| item["result"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["success", "success", "success", "duplicate", "error", "error", "error"]);
    assert_eq!(results[5]["error"], "amount_too_precise");
    assert_eq!(results[6]["recorded"]["amount"], json!(100.0));
    assert_eq!(results[6]["given"]["amount"], json!(101.0));
    assert_eq!(world.balance(PHONE).await[0], "100.00");
    let again = world.post(STRICT, "/v1/transactions/batch", json!({"transactions": batch})).await;
    assert_eq!(
        words(&again),
        [
            "already_exists",
            "already_exists",
            "already_exists",
            "already_exists",
            "insufficient_balance",
            "invalid",
            "conflict_payload_mismatch"
        ]
    );
    assert_eq!(world.balance(PHONE).await[0], "100.00");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offline_debit_beyond_the_balance_follows_the_policy() {
    let world = world().await;
    world.transact(accrual("a", json!(100))).await;
    // Online it is refused, whatever the policy.
    let said = world.transact(debit("d1", json!(250))).await;
    assert_eq!(
        (said.status, &said.body["error"]),
        (422, &json!("insufficient_balance")),
        "{said:?}"
    );
    let mut late = debit("d2", json!(250));
    late["offline"] = json!(true);
    let said = world.transact(late).await;
    assert_eq!((said.status, &said.body["status"]), (200, &json!("ok_overdraft")), "{said:?}");
    assert_eq!(world.balance(PHONE).await, ["0.00", "0.00", "0.00", "150.00"]);
    // The limit of 300.00 is the customer's, not the operation's.
    let said = world.post(TILL, "/v1/transactions/batch", json!([debit("d3", json!(151))])).await;
    assert_eq!(said.body["results"][0]["status"], "insufficient_balance");
    // What is earned next pays first.
    world.transact(accrual("a2", json!(200))).await;
    assert_eq!(world.balance(PHONE).await, ["50.00", "0.00", "0.00", "0.00"]);
    let exceptions = world.get(OFFICE, "/v1/exceptions").await;
    assert_eq!(exceptions.body["items"][0]["kind"], "overdraft");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one table")]
async fn what_is_wrong_is_said_and_nothing_is_half_done() {
    let world = world().await;
    let table: [(Value, u16, &str); 22] = [
        (accrual("x", json!(0)), 400, "amount_not_positive"),
        (accrual("x", json!(-5)), 400, "amount_not_positive"),
        (accrual("x", json!(5.001)), 400, "amount_too_precise"),
        (accrual("x", json!("пять")), 400, "invalid_amount"),
        (accrual("x", json!(1e30)), 400, "invalid_amount"),
        (accrual("x", json!(99_000_000_000_i64)), 400, "amount_too_large"),
        (accrual("x", Value::Null), 400, "invalid_amount"),
        (accrual("", json!(5)), 400, "invalid_external_id"),
        (accrual(&"x".repeat(201), json!(5)), 400, "invalid_external_id"),
        (
            json!({"type": "gift", "amount": 5, "external_id": "x", "user_phone": PHONE}),
            400,
            "unknown_type",
        ),
        (json!({"amount": 5, "external_id": "x", "user_phone": PHONE}), 400, "unknown_type"),
        (json!({"type": "accrual", "amount": 5, "user_phone": PHONE}), 400, "invalid_external_id"),
        (json!({"type": "accrual", "amount": 5, "external_id": "x"}), 400, "phone_missing"),
        (
            json!({"type": "accrual", "amount": 5, "external_id": "x", "user_phone": "7999"}),
            400,
            "invalid_phone",
        ),
        (
            json!({"type": "accrual", "amount": 5, "external_id": "x", "user_phone": PHONE, "amout": 5}),
            400,
            "unknown_field",
        ),
        (
            json!({"type": "accrual", "amount": 5, "external_id": "x", "user_phone": PHONE, "created_at": "2025-11-10T12:00:00"}),
            400,
            "clock_wrong",
        ),
        (
            json!({"type": "accrual", "amount": 5, "external_id": "x", "user_phone": PHONE, "created_at": "2027-11-10T12:00:00"}),
            400,
            "clock_wrong",
        ),
        (
            json!({"type": "accrual", "amount": 5, "external_id": "x", "user_phone": PHONE, "created_at": "вчера"}),
            400,
            "invalid_time",
        ),
        (
            json!({"type": "release", "external_id": "x", "user_phone": PHONE}),
            400,
            "reference_missing",
        ),
        (
            json!({"type": "release", "external_id": "x", "reference": "x"}),
            400,
            "reference_to_itself",
        ),
        (
            json!({"type": "adjustment", "amount": 5, "external_id": "x", "user_phone": PHONE, "author": "a", "reason": "b"}),
            400,
            "forbidden",
        ),
        (json!([1, 2]), 400, "invalid_json"),
    ];
    for (body, status, code) in table {
        let said = world.transact(body.clone()).await;
        assert_eq!((said.status, &said.body["error"]), (status, &json!(code)), "{body} {said:?}");
        assert!(said.body["message"].as_str().unwrap().len() > 10, "{said:?}");
    }
    let big = format!("[\"{}\"]", "x".repeat(5 * 1024 * 1024));
    for path in ["/v1/transactions", "/v1/transactions/batch"] {
        let said = world.call(Method::POST, TILL, path, &big).await;
        assert_eq!((said.status, &said.body["error"]), (413, &json!("body_too_large")), "{path}");
    }
    let many = json!(vec![1; 10_001]);
    let said = world.post(TILL, "/v1/transactions/batch", many).await;
    assert_eq!((said.status, &said.body["error"]), (413, &json!("too_many_items")));
    assert_eq!(world.balance(PHONE).await[0], "0.00");
    assert_eq!(world.transact(accrual("x", json!(5))).await.status, 200, "the name is still free");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_say_who_calls_and_what_he_may() {
    let world = world().await;
    for key in ["", "wrong", "till-one-key-012345678", "till-one-key-01234567890"] {
        let said = world.post(key, "/v1/transactions", accrual("x", json!(5))).await;
        assert_eq!((said.status, &said.body["error"]), (401, &json!("unauthorized")), "{key}");
    }
    for (key, method, path) in [
        (TILL, Method::GET, "/v1/history"),
        (TILL, Method::GET, "/v1/exceptions"),
        (TILL, Method::PUT, "/v1/customers"),
        (SITE, Method::POST, "/v1/transactions"),
        (SITE, Method::POST, "/local/api/cashback/v1/transactions/batch"),
    ] {
        let said = world.call(method, key, path, "{}").await;
        assert_eq!((said.status, &said.body["error"]), (403, &json!("forbidden")), "{path}");
    }
    let slow = "slow-till-key-0123456789";
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(world.get(slow, "/v1/balance?user_phone=79161234567").await);
    }
    let last = answers.last().unwrap();
    assert_eq!((last.status, last.retry_after.is_some()), (429, true), "{last:?}");
    assert_eq!(answers[0].status, 200);
    // A caller's haste is his own.
    assert_eq!(world.balance(PHONE).await[0], "0.00");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_it_is_is_never_guessed() {
    let world = World::new().await;
    let said = world.transact(accrual("a", json!(10))).await;
    assert_eq!((said.status, &said.body["status"]), (202, &json!("parked_unknown_customer")));
    world.meet(42, PHONE).await;
    assert_eq!(world.balance(PHONE).await[0], "10.00");
    assert_eq!(world.transact(accrual("a", json!(10))).await.body["status"], "already_exists");
    // Another user with the same phone: from now on nobody is meant.
    world.meet(43, PHONE).await;
    let said = world.transact(accrual("b", json!(5))).await;
    assert_eq!(
        (said.status, &said.body["status"]),
        (202, &json!("ambiguous_customer")),
        "{said:?}"
    );
    let said = world.get(TILL, "/v1/balance?user_phone=79161234567").await;
    assert_eq!((said.status, &said.body["error"]), (409, &json!("ambiguous_customer")));
    let listed = world.get(OFFICE, "/v1/exceptions").await;
    let exception = &listed.body["items"][0];
    assert_eq!(
        (&exception["kind"], &exception["subject"]),
        (&json!("ambiguous_phone"), &json!(PHONE))
    );
    // A person decides: the phone is the first one's alone.
    let body = json!({"shop": "acme", "user_id": 43, "phones": ["+79162222222"], "all": true});
    assert_eq!(
        world.call(Method::PUT, OFFICE, "/v1/customers", &body.to_string()).await.status,
        200
    );
    assert_eq!(world.balance(PHONE).await[0], "15.00");
    let close = format!("/v1/exceptions/{}/close", exception["id"]);
    let said = world.post(OFFICE, &close, json!({"by": "Петрова", "note": "номер сменился"})).await;
    assert_eq!(said.status, 200);
    assert_eq!(world.get(OFFICE, "/v1/exceptions").await.body["open"], 0);
    assert_eq!(world.post(OFFICE, &close, json!({"by": "П", "note": "-"})).await.status, 404);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_personal_account_shows_where_points_came_from_and_what_there_was() {
    let world = world().await;
    world.transact(accrual("a", json!(100))).await;
    let between = time::OffsetDateTime::now_utc();
    let between = between.format(&time::format_description::well_known::Rfc3339).unwrap();
    let mut bought = debit("d", json!(30));
    bought["description"] = json!("Арбат, 2");
    world.transact(bought).await;
    world.transact(debit("refused", json!(1000))).await;
    let adjustment = json!({"type": "adjustment", "amount": -20, "external_id": "m1", "user_phone": PHONE,
        "author": "Петрова", "reason": "ошибка кассира"});
    assert_eq!(world.post(OFFICE, "/v1/transactions", adjustment).await.status, 200);
    let said = world.get(SITE, "/v1/history?user_id=42&shop=acme").await;
    let items = said.body["items"].as_array().unwrap();
    let seen: Vec<_> = items
        .iter()
        .map(|item| {
            (
                item["title"].as_str().unwrap(),
                item["amount"].as_f64().unwrap(),
                item["description"].as_str().unwrap_or("-"),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("Adjustment", -20.0, "-"),
            ("In-store purchase", -30.0, "Арбат, 2"),
            ("In-store purchase", 100.0, "Москва, Тверская, 1")
        ]
    );
    let page = world.post(SITE, "/v1/history", json!({"user_phone": PHONE, "limit": 2})).await;
    let before = &page.body["next_before"];
    let rest =
        world.post(SITE, "/v1/history", json!({"user_phone": PHONE, "before": before})).await;
    assert_eq!(rest.body["items"].as_array().unwrap().len(), 1);
    let then = world.post(SITE, "/v1/balance", json!({"user_phone": PHONE, "at": between})).await;
    assert_eq!(exact(&then.text, "balance"), "100.00");
    assert_eq!(world.balance(PHONE).await[0], "50.00");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_call_does_not_know_is_refused_and_not_passed_over() {
    let world = world().await;
    let then = "2026-01-01T00:00:00Z";
    for (path, extra, value) in [
        ("balance", "limit", json!(1)),
        ("balance", "before", json!(1)),
        ("history", "at", json!(then)),
        ("account", "at", json!(then)),
        ("account", "limit", json!(1)),
    ] {
        let mut asked = json!({"user_phone": PHONE});
        let plain = world.post(SITE, &format!("/v1/{path}"), asked.clone()).await;
        assert_eq!(plain.status, 200, "{path}");
        asked[extra] = value;
        let said = world.post(SITE, &format!("/v1/{path}"), asked).await;
        assert_eq!(
            (said.status, &said.body["error"]),
            (400, &json!("invalid_query")),
            "{path} {extra}"
        );
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_stands_in_the_log() {
    let world = world().await;
    world.transact(accrual("a", json!(1))).await;
    world.transact(accrual("a", json!(2))).await;
    world.post("wrong", "/v1/transactions", json!({})).await;
    let pool = world.stage.pool("loyalty");
    let sql = "SELECT route, external_id, status, result, register FROM sync_log WHERE route LIKE '/trans%' ORDER BY id";
    type Row = (String, Option<String>, i32, String, Option<String>);
    let read = || async { sqlx::query_as::<_, Row>(sql).fetch_all(&pool).await.unwrap() };
    world.stage.until("the log", LONG, || async { read().await.len() == 3 }).await;
    let rows: Vec<_> = read().await.into_iter().map(|row| (row.1, row.2, row.3, row.4)).collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        rows,
        [
            (text("a"), 200, "ok".to_owned(), text("till-1")),
            (text("a"), 409, "conflict_payload_mismatch".to_owned(), text("till-1")),
            (None, 401, "refused".to_owned(), None),
        ]
    );
    pool.close().await;
    world.end().await;
}

/// Two replicas watch one store, and the receiver of alerts refuses the first one.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story")]
async fn each_silence_of_a_store_is_told_once() {
    let file =
        FILE.replace("store = \"tverskaya\"", "store = \"tverskaya\"\nsilent_after = \"3s\"");
    let (alerts, mut taken) = tokio::sync::mpsc::unbounded_channel();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/alert", listener.local_addr().unwrap());
    let refused = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&refused);
    let take = move |body: String| async move {
        if seen.fetch_add(1, Ordering::Relaxed) == 0 {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        alerts.send(body).ok();
        StatusCode::NO_CONTENT
    };
    let router = axum::Router::new().route("/alert", axum::routing::post(take));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let world =
        World::with(&file, |config| config.loyalty_alert_url = Some(url.parse().unwrap())).await;
    let mut common = world.common.clone();
    common.http_listen = "127.0.0.1:0".parse().unwrap();
    let replica = Service::start::<Loyalty>(common, world.config.clone());
    world.meet(42, PHONE).await;
    world.transact(accrual("a", json!(1))).await;

    let alert: Value = serde_json::from_str(&taken.recv().await.unwrap()).unwrap();
    assert_eq!((&alert["kind"], &alert["store"]), (&json!("silent_store"), &json!("tverskaya")));
    assert!(alert["text"].as_str().unwrap().contains("tverskaya"), "{alert}");
    assert!(refused.load(Ordering::Relaxed) >= 2, "the first was refused, and told again");
    let open = || async {
        let items = world.get(OFFICE, "/v1/exceptions").await.body["items"].clone();
        let items = items.as_array().unwrap().clone();
        items.into_iter().find(|item| item["kind"] == "silent_store")
    };
    // A person who closes it has heard. What is no operation does not end a silence.
    let close = format!("/v1/exceptions/{}/close", open().await.unwrap()["id"]);
    assert_eq!(world.post(OFFICE, &close, json!({"by": "П", "note": "ремонт"})).await.status, 200);
    let pool = world.stage.pool("loyalty");
    let heard = || async {
        let sql = "SELECT last_seen FROM stores WHERE store = 'tverskaya'";
        sqlx::query_scalar::<_, time::OffsetDateTime>(sql).fetch_one(&pool).await.unwrap()
    };
    let logged = |result: &'static str| {
        let pool = pool.clone();
        async move {
            let sql = "SELECT count(*) FROM sync_log WHERE register = 'till-1' AND result = $1";
            sqlx::query_scalar::<_, i64>(sql).bind(result).fetch_one(&pool).await.unwrap() > 0
        }
    };
    let before = heard().await;
    world.transact(accrual("b", json!(0))).await;
    let written = || logged("amount_not_positive");
    world.stage.until("the refusal is logged", LONG, written).await;
    world.balance(PHONE).await;
    assert_eq!(heard().await, before, "neither an error nor a question is an operation");
    // It speaks, and falls silent again: another silence.
    world.transact(accrual("c", json!(1))).await;
    world.stage.until("it is heard", LONG, || async { heard().await > before }).await;
    taken.recv().await.unwrap();
    assert!(open().await.is_some());
    world.transact(accrual("d", json!(1))).await;
    world.stage.until("the end of the silence", LONG, || async { open().await.is_none() }).await;
    assert!(taken.try_recv().is_err(), "each silence is told once");
    pool.close().await;
    replica.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_bounded_everywhere_and_strange_signs_are_refused() {
    let world = world().await;
    let big = json!({"user_phone": "x".repeat(5 * 1024 * 1024)}).to_string();
    for (method, path) in [
        (Method::POST, "/v1/balance"),
        (Method::POST, "/v1/history"),
        (Method::PUT, "/v1/customers"),
        (Method::POST, "/v1/exceptions/1/close"),
    ] {
        let said = world.call(method, OFFICE, path, &big).await;
        assert_eq!((said.status, &said.body["error"]), (413, &json!("body_too_large")), "{path}");
    }
    let nowhere = json!({"user_id": 1, "shop": "a\u{0}b"});
    let said = world.post(OFFICE, "/v1/balance", nowhere).await;
    assert_eq!((said.status, &said.body["error"]), (400, &json!("invalid_shop")));
    let close = json!({"by": "\u{0}", "note": "x"});
    let said = world.post(OFFICE, "/v1/exceptions/1/close", close).await;
    assert_eq!((said.status, &said.body["error"]), (400, &json!("invalid_text")));
    let mut long = accrual("x", json!(5));
    long["reason"] = json!("x".repeat(501));
    let said = world.transact(long).await;
    assert_eq!(
        (&said.body["error"], &said.body["field"]),
        (&json!("invalid_text"), &json!("reason"))
    );
    // What a key may not read it may not ask the size of either.
    let head = world.call(Method::HEAD, TILL, "/v1/history?user_phone=79161234567", "").await;
    assert_eq!(head.status, 403);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_from_the_till_to_the_balance_is_a_metric() {
    let world = world().await;
    let at = time::OffsetDateTime::now_utc() - time::Duration::minutes(10);
    let at = at.format(&time::format_description::well_known::Rfc3339).unwrap();
    let mut bought = accrual("a", json!(100));
    bought["created_at"] = json!(at);
    world.transact(bought.clone()).await;
    world.transact(bought).await;
    let metrics = world.get(OFFICE, "/metrics").await.text;
    let value = |name: &str| -> f64 {
        let line = metrics.lines().find(|line| line.starts_with(name)).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!((value("loyalty_visible_seconds_count") - 1.0).abs() < 0.5, "a repeat is none");
    let seconds = value("loyalty_visible_seconds_sum");
    assert!((600.0..660.0).contains(&seconds), "{seconds}");
    // Phones are nobody's label.
    assert!(!metrics.contains("9161234567"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voided_purchase_is_shown_as_a_return() {
    let world = world().await;
    world.transact(accrual("a", json!(100))).await;
    world.transact(debit("d", json!(30))).await;
    let of = |kind: &str, id: &str, of: &str| json!({"type": kind, "external_id": id, "reference": of, "user_phone": PHONE});
    world.transact(of("release", "r", "d")).await;
    let hold = json!({"type": "hold", "amount": 5, "external_id": "h", "user_phone": PHONE});
    world.transact(hold).await;
    world.transact(of("release", "hr", "h")).await;
    let said = world.get(SITE, "/v1/history?user_id=42&shop=acme").await;
    let items = said.body["items"].as_array().unwrap();
    let titles: Vec<_> = items.iter().map(|item| item["title"].as_str().unwrap()).collect();
    assert_eq!(
        titles,
        ["Points released", "Points held", "Return", "In-store purchase", "In-store purchase"]
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_a_repeat_finds_what_was_answered() {
    let mut world = world().await;
    let first = world.transact(accrual("a", json!(100))).await;
    world.kill().await;
    world.start().await;
    let again = world.transact(accrual("a", json!(100))).await;
    assert_eq!(again.body["status"], "already_exists");
    assert_eq!(again.body["transaction_id"], first.body["transaction_id"]);
    assert_eq!(world.balance(PHONE).await[0], "100.00");
    world.end().await;
}
