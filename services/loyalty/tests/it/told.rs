//! 1C as the master: what it is told later, what it is told back, and whom it keeps waiting.

use std::time::Duration;

use axum::http::StatusCode;
use emulator::{Emulator, Fault, Kind, Listen, Running, System};
use events::Order;
use loyalty::config::Config;
use serde_json::json;

use crate::{
    order::{completed, created, order, paid, returned},
    restored::{cancelled, fresh},
    world::{FILE, LONG, PHONE, World},
};

const GUEST: &str = "+79163334455";

async fn world(change: impl FnOnce(&mut Config)) -> (World, Running) {
    rustls::crypto::ring::default_provider().install_default().ok();
    let onec = Emulator::start(emulator::Settings::default()).await.unwrap();
    let url = onec.onec_url();
    let file =
        FILE.replace("master = \"parom\"", "master = \"1c\"\n    when_1c_is_away = \"refuse\"");
    let change = |config: &mut Config| {
        config.onec_base_url = Some(url.parse().unwrap());
        config.onec_password = "emulator_onec_password".to_owned().into();
        config.onec_compare_after = Duration::from_secs(3600);
        change(config);
    };
    let world = World::with(&file, change).await;
    world.meet(42, PHONE).await;
    let body =
        json!({"type": "accrual", "amount": 500, "external_id": "start", "user_phone": PHONE});
    assert_eq!(world.transact(body).await.status, 200);
    onec.emulator.onec.books().customers.insert(PHONE.to_owned(), 50_000);
    (world, onec)
}

fn at_onec(onec: &Running, phone: &str) -> i64 {
    onec.emulator.onec.books().customers[phone]
}

fn told(onec: &Running) -> Vec<String> {
    let books = onec.emulator.onec.books();
    assert_eq!(books.violations.violation_count, 0);
    books.operations.iter().map(|told| told.operation.kind.clone()).collect()
}

/// What 1C holds for open holds.
fn held(onec: &Running) -> i64 {
    onec.emulator.onec.books().operations.iter().map(|told| told.held).sum()
}

fn guest() -> Order {
    let mut guest = order(1);
    guest.buyer.id = None;
    guest.buyer.phone = Some(GUEST.to_owned());
    guest.properties.clear();
    guest.updated_at = time::OffsetDateTime::now_utc();
    guest
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guests_points_are_told_to_1c_when_he_is_known() {
    let (world, onec) = world(|_| {}).await;
    world.tell(completed(guest())).await;
    world.until_jobs("done", 1).await;
    world.tell(returned(guest())).await;
    world.until_jobs("done", 2).await;
    // What a till brought 1C knows itself.
    let body =
        json!({"type": "accrual", "amount": 9, "external_id": "street", "user_phone": GUEST});
    assert_eq!(world.transact(body).await.status, 202);
    assert_eq!(told(&onec), Vec::<String>::new());
    onec.emulator.onec.books().customers.insert(GUEST.to_owned(), 900);
    // 1C does not answer at first.
    let deaf = Fault { code: Some(503), ..Fault::new(System::OneC, Kind::Status) };
    onec.emulator.faults.add(deaf.on("/v1/operations").times(1)).unwrap();
    world.meet(77, GUEST).await;
    assert_eq!(world.balance(GUEST).await, ["9.00", "38.11", "0.00", "0.00"]);
    let all = || async { at_onec(&onec, GUEST) == 900 + 3_811 };
    world.stage.until("1C knows", LONG, all).await;
    assert_eq!(told(&onec), ["accrual", "reversal"]);
    let none = || async { world.metric("loyalty_onec_untold").await < 0.5 };
    world.stage.until("nothing is untold", LONG, none).await;
    world.end().await;
}

/// 1C's web server answers 5xx, its answers get lost, or both in turn: after the time that the
/// settings give it the redemption is refused, and what 1C has noted of it is released there.
#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_that_1c_does_not_answer_is_refused_in_time_and_released_there() {
    for (kind, noted) in [(Kind::Status, false), (Kind::Reset, true)] {
        let (world, onec) = world(|config| {
            config.onec_refuse_after = Duration::from_secs(2);
        })
        .await;
        let code = (kind == Kind::Status).then_some(502);
        let deaf = Fault { code, ..Fault::new(System::OneC, kind) };
        onec.emulator.faults.add(deaf.on("/v1/operations")).unwrap();
        world.tell(created(order(1))).await;
        world.until_jobs("dead", 1).await;
        assert_eq!(world.balance(PHONE).await, ["500.00", "0.00", "0.00", "0.00"]);
        assert_eq!(told(&onec).first().is_some_and(|kind| kind == "hold"), noted);
        onec.emulator.faults.clear();
        let free = || async { held(&onec) == 0 };
        world.stage.until("nothing is held at 1C", LONG, free).await;
        if noted {
            let released = || async { told(&onec) == ["hold", "release"] };
            world.stage.until("the hold is released at 1C", LONG, released).await;
        }
        assert_eq!(at_onec(&onec, PHONE), 50_000);
        // A replay tries anew, under names of its own.
        let queue = world.stage.names().dead_queue("loyalty");
        let there = || async { world.stage.waiting(&queue).await > 0 };
        world.stage.until("the letter", LONG, there).await;
        let letter = world.stage.take(&queue).await.unwrap();
        let headers = format!("{:?}", letter.headers);
        assert!(headers.contains("onec_away"), "{headers}");
        let own = world.stage.names().queue("loyalty");
        world.stage.put("", &own, letter.body.as_bytes(), &[("x-parom-replay", "1")]).await;
        world.until_jobs("done", 1).await;
        assert_eq!(world.balance(PHONE).await, ["400.00", "0.00", "100.00", "0.00"]);
        assert_eq!(held(&onec), 10_000);
        world.end().await;
    }
}

/// The payment is quicker than the order: points are held and spent in one breath, and 1C does
/// not have them.
#[tokio::test(flavor = "multi_thread")]
async fn what_1c_refuses_is_taken_back_here_also_when_it_is_spent_already() {
    let (world, onec) = world(|_| {}).await;
    onec.emulator.onec.books().customers.insert(PHONE.to_owned(), 5_000);
    world.tell(paid(order(1))).await;
    world.until_jobs("dead", 1).await;
    assert_eq!(world.balance(PHONE).await, ["500.00", "0.00", "0.00", "0.00"]);
    assert_eq!(at_onec(&onec, PHONE), 5_000);
    let none = || async { world.metric("loyalty_onec_untold").await < 0.5 };
    world.stage.until("nothing is untold", LONG, none).await;
    world.end().await;
}

/// Of an order that came back 1C takes the points earned and refuses those to be spent: the shop
/// hears what 1C knows.
#[tokio::test(flavor = "multi_thread")]
async fn what_1c_took_before_it_refused_is_told_to_the_shop() {
    let (world, onec) = world(|_| {}).await;
    let facts = [created(order(1)), paid(order(1)), cancelled(4, 1)];
    world.tell_each(facts).await;
    onec.emulator.onec.books().customers.insert(PHONE.to_owned(), 0);
    world.listen().await;
    world.tell(completed(fresh(5))).await;
    world.until_jobs("dead", 1).await;
    assert_eq!(world.balance(PHONE).await, ["500.00", "65.33", "0.00", "0.00"]);
    assert_eq!(at_onec(&onec, PHONE), 6_533);
    let heard: Vec<_> = world.heard().await.into_iter().map(|(_, code, _)| code).collect();
    assert_eq!(heard, ["points_earned", "points_insufficient"]);
    world.end().await;
}

/// The payment and the order ask for one hold, in different seconds: 1C hears of it twice, and the
/// same.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_again_is_what_was_recorded() {
    let (world, onec) = world(|_| {}).await;
    world.tell(paid(order(1))).await;
    world.until_jobs("done", 1).await;
    let second = || time::OffsetDateTime::now_utc().unix_timestamp();
    let then = second();
    world.stage.until("another second", LONG, || async { second() > then }).await;
    world.tell(created(order(1))).await;
    world.until_jobs("done", 2).await;
    assert_eq!(told(&onec), ["hold", "capture"]);
    let often: Vec<_> = {
        let books = onec.emulator.onec.books();
        books.operations.iter().map(|told| told.told).collect()
    };
    assert_eq!((often, at_onec(&onec, PHONE)), (vec![2, 1], 40_000));
    world.end().await;
}

/// 1C has taken the hold, and goes away before it hears that it is spent.
#[tokio::test(flavor = "multi_thread")]
async fn what_1c_has_taken_is_not_refused_because_it_goes_away() {
    let (world, onec) = world(|_| {}).await;
    let deaf = Fault { code: Some(503), after: 1, ..Fault::new(System::OneC, Kind::Status) };
    onec.emulator.faults.add(deaf.on("/v1/operations")).unwrap();
    world.tell(paid(order(1))).await;
    let pool = world.stage.pool("loyalty");
    let failures = async |least: i32| {
        let sql = "SELECT count(*) FROM jobs WHERE first_error IS NOT NULL AND attempts >= $1";
        let there = || async {
            sqlx::query_scalar::<_, i64>(sql).bind(least).fetch_one(&pool).await.unwrap() == 1
        };
        world.stage.until("it has failed", LONG, there).await;
    };
    failures(1).await;
    onec.emulator.listen(Listen::Closed);
    onec.emulator.faults.clear();
    failures(2).await;
    assert_eq!(world.balance(PHONE).await, ["400.00", "0.00", "0.00", "0.00"]);
    onec.emulator.listen(Listen::Open);
    world.until_jobs("done", 1).await;
    assert_eq!(
        (told(&onec), at_onec(&onec, PHONE)),
        (vec!["hold".into(), "capture".into()], 40_000)
    );
    pool.close().await;
    world.end().await;
}

/// As many customers for whom 1C never has an answer as are asked about at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_balances_that_1c_does_not_tell_keep_no_other_back() {
    let answer = |body: String| async move {
        match body.contains("+7916111") {
            true => (StatusCode::INTERNAL_SERVER_ERROR, ""),
            false => (StatusCode::OK, r#"{"balance":1.00}"#),
        }
    };
    let onec = axum::Router::new().route("/v1/balance", axum::routing::post(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, onec).await });
    let change = |config: &mut Config| config.onec_base_url = Some(url.parse().unwrap());
    let world = World::with(FILE, change).await;
    let pool = world.stage.pool("loyalty");
    let people = "WITH c AS (
            INSERT INTO customers (updated_at) SELECT now() - interval '1 day' FROM generate_series(1, 120) RETURNING id
        ) INSERT INTO phones (phone, customer_id) SELECT '+7916111' || lpad(id::text, 4, '0'), id FROM c";
    sqlx::query(people).execute(&pool).await.unwrap();
    world.meet(2, "+79162222222").await;
    let body =
        json!({"type": "accrual", "amount": 1, "external_id": "a", "user_phone": "+79162222222"});
    world.transact(body).await;
    let sql = "SELECT checked_at >= updated_at FROM customers JOIN users ON customer_id = id WHERE user_id = 2";
    let done = || async {
        let done: Option<bool> = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
        done == Some(true)
    };
    world.stage.until("the balance is compared", LONG, done).await;
    pool.close().await;
    world.end().await;
}
