//! The emulated 1C: its tills as callers, and 1C as the master.

use std::time::Duration;

use emulator::{Emulator, Fault, Kind, Listen, Running, System};
use loyalty::config::Config;
use serde_json::json;

use crate::{
    order::{cancelled, completed, created, order, paid},
    world::{FILE, LONG, OFFICE, PHONE, TILL, World},
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
