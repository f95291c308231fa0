//! What waits and what is kept: rows that cannot be read, retention, requests that take too long.

use std::time::Duration;

use loyalty::ledger::{Beyond, Lapse, What};
use serde_json::json;
use sqlx::Executor as _;

use crate::{
    books::{Shelf, meet},
    laws::request,
    world::{LONG, OFFICE, PHONE, TILL, World},
};

const BROKEN: &str = "INSERT INTO parked (source, external_id, waits, phone, request)
    VALUES ('1c_retail', 'broken', 'parked_unknown_customer', '+79161234567', '{\"a\": 1}')";

/// Of several that wait one cannot be read: the others are carried out, and a person sees the one.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_keeps_nothing_else_waiting() {
    let world = World::new().await;
    let pool = world.stage.pool("loyalty");
    pool.execute(BROKEN).await.unwrap();
    let body = json!({"type": "accrual", "amount": 10, "external_id": "a", "user_phone": PHONE});
    assert_eq!(world.transact(body).await.body["status"], "parked_unknown_customer");
    // Not through the interface: only the ticks look.
    let person = "WITH c AS (INSERT INTO customers (updated_at) VALUES (now()) RETURNING id)
        INSERT INTO phones (phone, customer_id) SELECT '+79161234567', id FROM c";
    pool.execute(person).await.unwrap();
    let there = || async { world.balance(PHONE).await[0] == "10.00" };
    world.stage.until("what can be read is carried out", LONG, there).await;
    let listed = ("parked_unreadable".to_owned(), "1c_retail/broken".to_owned());
    let seen = || async { world.exceptions().await.contains(&listed) };
    world.stage.until("a person sees it", LONG, seen).await;
    let counted = || async { world.metric("loyalty_parked_unreadable").await > 0.5 };
    world.stage.until("it is counted", LONG, counted).await;
    let parked = world.get(OFFICE, "/v1/parked").await;
    assert_eq!(parked.body["items"][0]["unreadable"], true, "{parked:?}");
    // Its sender repeats it: that can be read, and takes its place.
    let body =
        json!({"type": "accrual", "amount": 5, "external_id": "broken", "user_phone": PHONE});
    assert_eq!(world.transact(body).await.body["status"], "ok");
    assert_eq!(world.balance(PHONE).await[0], "15.00");
    assert_eq!(world.get(OFFICE, "/v1/parked").await.body["items"], json!([]));
    pool.close().await;
    world.end().await;
}

/// A named row that cannot be read does not stop who names it.
#[tokio::test]
async fn a_row_that_cannot_be_read_is_replaced_by_its_repeat() {
    let shelf = Shelf::new().await;
    let store = shelf.store(Lapse::Burn);
    shelf.pool.execute(BROKEN).await.unwrap();
    let what = What::Accrual { amount: 100, matures_at: None, expires_at: None };
    let answer = store.apply(vec![request(1, "broken", what)]).await.pop().unwrap().unwrap();
    assert_eq!(answer.answer.word(), "parked_unknown_customer");
    meet(&store, 1, PHONE).await;
    assert!(store.tend(100).await.unwrap() > 0);
    assert_eq!(store.counts().await.unwrap().parked, 0);
    shelf.check().await;
}

#[tokio::test]
async fn what_is_old_enough_is_forgotten_and_what_was_waiting_is_told() {
    let shelf = Shelf::new().await;
    let store = shelf.store(Lapse::Burn);
    let debit = |id, name| request(id, name, What::Debit { amount: 5, beyond: Beyond::Refuse });
    for asked in [debit(1, "old"), debit(2, "new")] {
        store.apply(vec![asked]).await.pop().unwrap().unwrap();
    }
    for sql in [
        "UPDATE parked SET parked_at = timestamptz '2026-01-10 10:00Z' - interval '31 days' WHERE external_id = 'old'",
        "UPDATE parked SET parked_at = timestamptz '2026-01-10 10:00Z' - interval '29 days' WHERE external_id = 'new'",
        "INSERT INTO exceptions (kind, subject, details, opened_at, closed_at) VALUES
            ('conflict', 'old', '{}', timestamptz '2025-01-01', timestamptz '2025-12-01'),
            ('conflict', 'new', '{}', timestamptz '2025-01-01', timestamptz '2026-01-09'),
            ('conflict', 'open', '{}', timestamptz '2025-01-01', NULL)",
        "INSERT INTO sync_log (at, route, status, result, millis) VALUES
            (timestamptz '2025-12-01', '/old', 200, 'ok', 1), (timestamptz '2026-01-09', '/new', 200, 'ok', 1)",
    ] {
        shelf.pool.execute(sql).await.unwrap();
    }
    let month = Duration::from_secs(30 * 86_400);
    let keep = loyalty::store::Keep { log: month, exceptions: month, parked: month };
    store.forget(keep).await.unwrap();
    let left = |sql: &'static str| {
        let pool = shelf.pool.clone();
        async move { sqlx::query_scalar::<_, String>(sql).fetch_all(&pool).await.unwrap() }
    };
    assert_eq!(left("SELECT external_id FROM parked").await, ["new"]);
    assert_eq!(left("SELECT route FROM sync_log").await, ["/new"]);
    assert_eq!(
        left("SELECT kind || ' ' || subject FROM exceptions ORDER BY 1").await,
        ["conflict new", "conflict open", "parked_forgotten 1c_retail/old"]
    );
    assert_eq!(store.counts().await.unwrap().parked, 1);
}

/// The number of what waits is exact whatever comes and goes, without reading all of it.
#[tokio::test]
async fn what_waits_is_counted_without_reading_it() {
    let shelf = Shelf::new().await;
    let store = shelf.store(Lapse::Burn);
    for number in 1..=50_usize {
        let what = What::Accrual { amount: 1, matures_at: None, expires_at: None };
        store.apply(vec![request(number, &number.to_string(), what)]).await;
    }
    assert_eq!(store.counts().await.unwrap().parked, 50);
    let (one, two) = tokio::join!(store.tidy_count(), store.tidy_count());
    one.and(two).unwrap();
    assert_eq!(store.counts().await.unwrap().parked, 50);
    meet(&store, 1, PHONE).await;
    while store.tend(20).await.unwrap() > 0 {}
    assert_eq!(store.counts().await.unwrap().parked, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_takes_too_long_is_answered_in_our_form_and_logged() {
    let change = |config: &mut loyalty::config::Config| {
        config.loyalty_patience = Duration::from_secs(3);
    };
    let world = World::with(crate::world::FILE, change).await;
    world.meet(42, PHONE).await;
    let pool = world.stage.pool("loyalty");
    let mut holder = pool.begin().await.unwrap();
    holder.execute("SELECT id FROM customers FOR UPDATE").await.unwrap();
    let body = json!({"type": "accrual", "amount": 10, "external_id": "a", "user_phone": PHONE});
    let said = world.post(TILL, "/v1/transactions", body.clone()).await;
    assert_eq!(
        (said.status, &said.body["error"], said.retry_after.as_deref()),
        (503, &json!("unavailable"), Some("5")),
        "{said:?}"
    );
    holder.rollback().await.unwrap();
    // What was on its way may be carried out meanwhile: the repeat says, and it counts once.
    let done = || async { world.transact(body.clone()).await.status == 200 };
    world.stage.until("the repeat is answered", LONG, done).await;
    assert_eq!(world.balance(PHONE).await[0], "10.00");
    let sql = "SELECT count(*) FROM sync_log WHERE status = 503 AND register = 'till-1'";
    let logged =
        || async { sqlx::query_scalar::<_, i64>(sql).fetch_one(&pool).await.unwrap() >= 1 };
    world.stage.until("it is logged", LONG, logged).await;
    pool.close().await;
    world.end().await;
}
