//! The emulated 1C: its tills as callers, and 1C as the master.

use std::time::Duration;

use axum::http::StatusCode;
use emulator::{Emulator, Fault, Kind, Listen, Running, System};
use loyalty::config::Config;
use reqwest::Method;
use serde_json::json;

use crate::{
    order::{cancelled, completed, created, order, paid},
    world::{FILE, LONG, OFFICE, PHONE, SITE, TILL, World, exact},
};

async fn world(away: &str) -> (World, Running) {
    rustls::crypto::ring::default_provider().install_default().ok();
    let onec = Emulator::start(emulator::Settings::default()).await.unwrap();
    let url = onec.onec_url();
    let master = format!("master = \"1c\"\n    when_1c_is_away = \"{away}\"");
    let file = FILE.replace("master = \"parom\"", &master);
    let change = |config: &mut Config| {
        config.onec_base_url = Some(url.parse().unwrap());
        config.onec_password = "emulator_onec_password".to_owned().into();
        // Comparing has its own story: here only orders call.
        config.onec_compare_after = Duration::from_secs(3600);
    };
    let world = World::with(&file, change).await;
    world.meet(42, PHONE).await;
    let body =
        json!({"type": "accrual", "amount": 500, "external_id": "start", "user_phone": PHONE});
    assert_eq!(world.transact(body).await.status, 200);
    onec.emulator.onec.books().customers.insert(PHONE.to_owned(), 50_000);
    (world, onec)
}

fn at_onec(onec: &Running) -> i64 {
    onec.emulator.onec.books().customers[PHONE]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_orders_do_is_written_through_once() {
    let (world, onec) = world("refuse").await;
    // Its answers get lost: it is asked again, and counts once.
    let lost = Fault::new(System::OneC, Kind::Reset).on("/v1/operations").times(2);
    onec.emulator.faults.add(lost).unwrap();
    let mut fresh = order(1);
    fresh.updated_at = time::OffsetDateTime::now_utc();
    for (count, fact) in [(1, created(order(1))), (2, paid(order(1))), (3, completed(fresh))] {
        world.tell(fact).await;
        world.until_jobs("done", count).await;
    }
    assert_eq!(world.balance(PHONE).await, ["400.00", "65.33", "0.00", "0.00"]);
    assert_eq!(at_onec(&onec), 46_533);
    let (told, violations) = {
        let books = onec.emulator.onec.books();
        let kinds = books.operations.iter().map(|told| told.operation.kind.clone());
        (kinds.collect::<Vec<_>>(), books.violations.violation_count)
    };
    assert_eq!((told, violations), (["hold", "capture", "accrual"].map(str::to_owned).to_vec(), 0));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_that_1c_refuses_is_taken_back_here() {
    let (world, onec) = world("refuse").await;
    onec.emulator.onec.books().customers.insert(PHONE.to_owned(), 5_000);
    world.tell(created(order(1))).await;
    world.until_jobs("dead", 1).await;
    assert_eq!(world.balance(PHONE).await, ["500.00", "0.00", "0.00", "0.00"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_1c_away_a_redemption_is_refused_or_queued_as_the_settings_say() {
    for (away, phase, balance) in [("refuse", "dead", "500.00"), ("queue", "open", "400.00")] {
        let (world, onec) = world(away).await;
        onec.emulator.listen(Listen::Closed);
        world.tell(created(order(1))).await;
        let sql = "SELECT count(*) FROM jobs WHERE phase = $1 AND first_error IS NOT NULL";
        let pool = world.stage.pool("loyalty");
        let there = || async {
            let count: i64 = sqlx::query_scalar(sql).bind(phase).fetch_one(&pool).await.unwrap();
            count == 1
        };
        world.stage.until("the job stands", LONG, there).await;
        assert_eq!(world.balance(PHONE).await[0], balance, "{away}");
        onec.emulator.listen(Listen::Open);
        if away == "queue" {
            world.until_jobs("done", 1).await;
            assert_eq!(onec.emulator.onec.books().operations.len(), 1);
            world.tell(cancelled(order(1))).await;
            world.until_jobs("done", 2).await;
            assert_eq!(world.balance(PHONE).await[0], "500.00");
        }
        assert_eq!(at_onec(&onec), 50_000);
        pool.close().await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_are_compared_and_the_masters_counts() {
    for (master, ours) in [("1c", "123.45"), ("parom", "100.00")] {
        rustls::crypto::ring::default_provider().install_default().ok();
        let onec = Emulator::start(emulator::Settings::default()).await.unwrap();
        onec.emulator.onec.books().customers.insert(PHONE.to_owned(), 12_345);
        let url = onec.onec_url();
        let file = FILE.replace("master = \"parom\"", &format!("master = \"{master}\""));
        let change = |config: &mut Config| {
            config.onec_base_url = Some(url.parse().unwrap());
            config.onec_password = "emulator_onec_password".to_owned().into();
        };
        let world = World::with(&file, change).await;
        world.meet(42, PHONE).await;
        let body =
            json!({"type": "accrual", "amount": 100, "external_id": "a", "user_phone": PHONE});
        world.transact(body).await;
        let listed = || async {
            let items = world.get(OFFICE, "/v1/exceptions").await.body["items"].clone();
            let items = items.as_array().unwrap().clone();
            items.iter().any(|item| {
                item["kind"] == "balance_differs" && item["details"]["theirs_kopecks"] == 12_345
            })
        };
        world.stage.until("the difference is listed", LONG, listed).await;
        let ours_is = || async { world.balance(PHONE).await[0] == ours };
        world.stage.until("the balance is the master's", LONG, ours_is).await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_till_that_was_offline_sends_its_day_and_repeats_count_once() {
    let onec = Emulator::start(emulator::Settings::default()).await.unwrap();
    let world = World::new().await;
    world.meet(42, PHONE).await;
    let http = reqwest::Client::builder().build().unwrap();
    let till = format!("{}/_onec/tills/1", onec.base_url);
    let url = format!("http://{}/v1", world.common.http_listen);
    let set = async |online: bool| {
        let body = json!({"url": url, "key": TILL, "online": online}).to_string();
        let answer = http.put(&till).body(body).send().await.unwrap();
        answer.text().await.unwrap()
    };
    let sell = async |from: usize, to: usize| {
        let operations: Vec<_> = (from..to)
            .map(|number| {
                json!({"type": "accrual", "amount": "1.50", "external_id": format!("s{number}"),
                "user_phone": "8 916 123-45-67", "created_at": "2026-11-20T10:00:00"})
            })
            .collect();
        let body = json!({"operations": operations, "times": 2}).to_string();
        http.post(format!("{till}/sell"))
            .body(body)
            .send()
            .await
            .unwrap()
            .error_for_status()
            .unwrap();
    };
    set(true).await;
    sell(0, 5).await;
    set(false).await;
    sell(0, 100).await;
    assert_eq!(world.balance(PHONE).await[0], "7.50");
    let answers = set(true).await;
    assert_eq!(answers.matches("already_exists").count(), 105, "{answers}");
    assert_eq!(world.balance(PHONE).await[0], "150.00");
    world.end().await;
}

/// Services of a 1C whose balances are compared.
async fn comparing(master: &str) -> (World, Running) {
    rustls::crypto::ring::default_provider().install_default().ok();
    let onec = Emulator::start(emulator::Settings::default()).await.unwrap();
    let url = onec.onec_url();
    let file = FILE.replace(
        "master = \"parom\"",
        &format!("master = \"{master}\"\n    when_1c_is_away = \"queue\""),
    );
    let change = |config: &mut Config| {
        config.onec_base_url = Some(url.parse().unwrap());
        config.onec_password = "emulator_onec_password".to_owned().into();
    };
    (World::with(&file, change).await, onec)
}

async fn compared(world: &World, user: i64) {
    let pool = world.stage.pool("loyalty");
    let sql = "SELECT checked_at >= updated_at FROM customers JOIN users ON customer_id = id WHERE user_id = $1";
    let done = || async {
        let done: Option<bool> = sqlx::query_scalar(sql).bind(user).fetch_one(&pool).await.unwrap();
        done == Some(true)
    };
    world.stage.until("balances are compared", LONG, done).await;
    pool.close().await;
}

async fn available(world: &World, user: i64) -> String {
    let said = world.post(OFFICE, "/v1/balance", json!({"user_id": user, "shop": "acme"})).await;
    exact(&said.text, "balance")
}

/// 1C knows customers by phone: by any of theirs, and by none that is another's too.
#[tokio::test(flavor = "multi_thread")]
async fn whose_balance_is_compared_is_not_guessed() {
    let (world, onec) = comparing("1c").await;
    let set = |phone: &str, kopecks: i64| {
        onec.emulator.onec.books().customers.insert(phone.to_owned(), kopecks);
    };
    set("+79169999999", 10_000);
    set("+79165555555", 10_000);
    let body = json!({"shop": "acme", "user_id": 1, "phones": ["+79161111111", "+79169999999"]});
    world.call(Method::PUT, SITE, "/v1/customers", &body.to_string()).await;
    let earn = |id: &str, phone: &str, amount: i64| json!({"type": "accrual", "amount": amount, "external_id": id, "user_phone": phone});
    world.transact(earn("a", "+79161111111", 100)).await;
    // The second and the third are a family: the phone is theirs both.
    for (user, phone, amount) in [(2, "+79162222222", 60), (3, "+79163333333", 40)] {
        let body = json!({"shop": "acme", "user_id": user, "phones": ["+79165555555", phone]});
        world.call(Method::PUT, SITE, "/v1/customers", &body.to_string()).await;
        set(phone, amount * 100);
        world.transact(earn(&format!("f{user}"), phone, amount)).await;
    }
    for user in 1..=3 {
        compared(&world, user).await;
    }
    let mut all = Vec::new();
    for user in 1..=3 {
        all.push(available(&world, user).await);
    }
    assert_eq!(all, ["100.00", "60.00", "40.00"]);
    world.end().await;
}

/// One customer for whom 1C never has an answer keeps nobody else waiting.
#[tokio::test(flavor = "multi_thread")]
async fn a_balance_that_1c_does_not_tell_keeps_no_other_back() {
    let answer = |body: String| async move {
        match body.contains("+79161111111") {
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
    for (user, phone) in [(1, "+79161111111"), (2, "+79162222222")] {
        world.meet(user, phone).await;
        let body =
            json!({"type": "accrual", "amount": 1, "external_id": phone, "user_phone": phone});
        world.transact(body).await;
    }
    compared(&world, 2).await;
    world.end().await;
}

/// 1C takes points that are partly pending here: what can be taken is, and the rest when it can.
#[tokio::test(flavor = "multi_thread")]
async fn a_correction_takes_what_is_there_and_does_not_try_for_ever() {
    let (world, onec) = comparing("1c").await;
    onec.emulator.onec.books().customers.insert(PHONE.to_owned(), 2_000);
    world.meet(42, PHONE).await;
    let body = json!([
        {"type": "accrual", "amount": 100, "external_id": "a", "user_phone": PHONE},
        {"type": "hold", "amount": 50, "external_id": "h", "user_phone": PHONE},
    ]);
    world.post(TILL, "/v1/transactions/batch", body).await;
    let gone = || async { world.balance(PHONE).await[0] == "0.00" };
    world.stage.until("what is there is taken", LONG, gone).await;
    compared(&world, 42).await;
    let pool = world.stage.pool("loyalty");
    let refused: i64 = sqlx::query_scalar("SELECT count(*) FROM operations WHERE outcome <> 'ok'")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(refused, 0);
    assert_eq!(world.balance(PHONE).await, ["0.00", "0.00", "50.00", "0.00"]);
    pool.close().await;
    world.end().await;
}

/// Points that a manager gives or takes here reach the master, each once.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_manager_adjusts_is_told_to_1c() {
    let (world, onec) = world("queue").await;
    // Its answers get lost: it is told again, and counts once.
    let lost = Fault::new(System::OneC, Kind::Reset).on("/v1/operations").times(1);
    onec.emulator.faults.add(lost).unwrap();
    let by_hand = |id: &str, amount: &str| {
        json!({"type": "adjustment", "external_id": id, "amount": amount, "user_phone": PHONE,
               "author": "office", "reason": "a broken till"})
    };
    for body in [by_hand("a-1", "100.50"), by_hand("a-2", "-30")] {
        for status in ["ok", "already_exists"] {
            let answer = world.post(OFFICE, "/v1/transactions", body.clone()).await;
            assert_eq!((answer.status, &answer.body["status"]), (200, &json!(status)), "{body}");
        }
    }
    let told = || async { onec.emulator.onec.books().operations.len() == 2 };
    world.stage.until("1C is told of both", LONG, told).await;
    assert_eq!((world.balance(PHONE).await[0].as_str(), at_onec(&onec)), ("570.50", 57_050));
    let kinds: Vec<String> = {
        let books = onec.emulator.onec.books();
        books.operations.iter().map(|known| known.operation.kind.clone()).collect()
    };
    assert_eq!(kinds, ["adjustment", "adjustment"]);
    world.end().await;
}

/// While 1C is not told yet, its balance is yesterday's, and ours is not brought back to it.
#[tokio::test(flavor = "multi_thread")]
async fn what_1c_was_not_told_yet_is_not_taken_for_a_difference() {
    let (world, onec) = comparing("1c").await;
    // Nothing is compared between the customer and his points.
    onec.emulator.listen(Listen::Closed);
    onec.emulator.onec.books().customers.insert(PHONE.to_owned(), 50_000);
    world.meet(42, PHONE).await;
    let body =
        json!({"type": "accrual", "amount": 500, "external_id": "start", "user_phone": PHONE});
    world.transact(body).await;
    onec.emulator.listen(Listen::Open);
    compared(&world, 42).await;
    // The operations are refused for a while, balances are answered.
    let deaf = Fault { code: Some(503), ..Fault::new(System::OneC, Kind::Status) };
    let deaf = deaf.on("/v1/operations").times(1);
    onec.emulator.faults.add(deaf).unwrap();
    let mut paid_order = order(1);
    paid_order.price = events::Money::ZERO;
    paid_order.payments.clear();
    world.tell(created(paid_order)).await;
    let spent = || async { world.balance(PHONE).await[0] == "400.00" };
    world.stage.until("the points are spent", LONG, spent).await;
    world.until_jobs("done", 1).await;
    compared(&world, 42).await;
    assert_eq!(at_onec(&onec), 40_000);
    assert_eq!(world.balance(PHONE).await[0], "400.00");
    let listed = world.get(OFFICE, "/v1/exceptions").await;
    assert_eq!(listed.body["open"], 0, "{listed:?}");
    world.end().await;
}

/// 1C hears of the payment before it hears of the order: it is told again, and nobody is called.
#[tokio::test(flavor = "multi_thread")]
async fn what_reaches_1c_before_what_it_refers_to_is_told_again() {
    let (world, onec) = world("queue").await;
    world.tell(created(order(1))).await;
    world.until_jobs("done", 1).await;
    // As if the hold were still on its way.
    let on_its_way = std::mem::take(&mut onec.emulator.onec.books().operations);
    assert!(on_its_way[0].operation.until.is_some(), "a hold says when it ends by itself");
    world.tell(paid(order(1))).await;
    let pool = world.stage.pool("loyalty");
    let failed = || async {
        let sql = "SELECT count(*) FROM jobs WHERE first_error IS NOT NULL AND phase = 'open'";
        sqlx::query_scalar::<_, i64>(sql).fetch_one(&pool).await.unwrap() == 1
    };
    world.stage.until("1C does not know the hold", LONG, failed).await;
    onec.emulator.onec.books().operations = on_its_way;
    world.until_jobs("done", 2).await;
    assert_eq!(at_onec(&onec), 40_000);
    pool.close().await;
    world.end().await;
}
