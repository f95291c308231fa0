//! Many registers at once, with repeats and a service that is killed; how long a batch and a
//! balance take. Short by default, the full numbers with `PAROM_CHAOS=long`.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use loyalty::ledger::{Beyond, What};
use serde_json::{Value, json};

use crate::{
    books::{agree_with_the_journal, check},
    world::{FILE, LONG, World},
};

fn long() -> bool {
    std::env::var("PAROM_CHAOS").is_ok_and(|value| value == "long")
}

/// How much is done: registers, operations of each, customers.
fn size() -> (usize, usize, usize) {
    if long() { (100, 500, 1000) } else { (20, 50, 40) }
}

fn key(register: usize) -> String {
    format!("load-key-0123456789-{register}")
}

fn phone(customer: usize) -> String {
    format!("+7917{customer:07}")
}

/// A world with so many registers, and customers that are known.
async fn world() -> World {
    let (registers, _, customers) = size();
    let mut file = FILE.to_owned();
    for register in 0..registers {
        file += &format!(
            "\n[registers.load-{register}]\nkey = \"plain:{}\"\nrate = 100000\nburst = 100000\nstore = \"s{register}\"\n",
            key(register)
        );
    }
    let world = World::with(&file, |_| {}).await;
    let pool = world.stage.pool("loyalty");
    let sql = "WITH new AS (INSERT INTO customers (updated_at) SELECT now() FROM generate_series(1, $1) RETURNING id),
        numbered AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM new)
        INSERT INTO phones SELECT '+7917' || lpad(n::text, 7, '0'), id FROM numbered";
    sqlx::query(sql).bind(i64::try_from(customers).unwrap()).execute(&pool).await.unwrap();
    pool.close().await;
    world
}

/// The operations of one register: accruals, debits, holds, captures, releases, reversals.
fn operations(register: usize) -> Vec<(String, Value, What)> {
    let (_, count, customers) = size();
    let mut dice = u64::try_from(register).unwrap() * 2_654_435_761 + 12_345;
    let mut roll = |sides: usize| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(dice >> 33).unwrap() % sides
    };
    let mut all: Vec<(String, Value, What)> = Vec::new();
    for number in 0..count {
        let name = format!("{register}-{number}");
        let mut user = phone(roll(customers));
        let amount = i64::try_from(roll(9_900) + 100).unwrap();
        let earlier = all.get(all.len().saturating_sub(roll(6) + 1)).cloned();
        let undo = roll(10);
        let (kind, what) = match (undo, &earlier) {
            (0, Some((of, body, What::Hold { .. }))) => {
                user = body["user_phone"].as_str().unwrap().to_owned();
                ("capture", What::Capture { of: crate::laws::key(of), amount: None })
            }
            (1, Some((of, body, What::Debit { .. } | What::Hold { .. }))) => {
                user = body["user_phone"].as_str().unwrap().to_owned();
                ("release", What::Release { of: crate::laws::key(of), amount: None })
            }
            (2, Some((of, body, What::Accrual { .. }))) => {
                user = body["user_phone"].as_str().unwrap().to_owned();
                ("reversal", What::Reversal { of: crate::laws::key(of), amount: None })
            }
            (3 | 4, _) => ("hold", What::Hold { amount, until: time::OffsetDateTime::UNIX_EPOCH }),
            (5..=7, _) => ("debit", What::Debit { amount, beyond: Beyond::Refuse }),
            _ => ("accrual", What::Accrual { amount, matures_at: None, expires_at: None }),
        };
        let mut body = json!({"type": kind, "external_id": name, "user_phone": user});
        if what.amount().is_some() {
            body["amount"] = json!(format!("{}.{:02}", amount / 100, amount % 100));
        }
        if let Some(of) = what.of() {
            body["reference"] = json!(of.external_id);
        }
        all.push((name, body, what));
    }
    all
}

#[expect(
    clippy::disallowed_methods,
    reason = "a till that finds nobody tries again a little later"
)]
async fn breath(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// Sends each operation until it is answered, and every third once more.
async fn register(url: String, number: usize, answered: Arc<AtomicUsize>, calls: Arc<AtomicUsize>) {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
    for (place, (_, body, _)) in operations(number).into_iter().enumerate() {
        let mut wanted = if place % 3 == 0 { 2 } else { 1 };
        while wanted > 0 {
            calls.fetch_add(1, Ordering::Relaxed);
            let request = http.post(&url).header("x-api-key", key(number)).body(body.to_string());
            match request.send().await {
                Ok(answer) if matches!(answer.status().as_u16(), 200 | 202 | 422) => wanted -= 1,
                Ok(answer) if answer.status().as_u16() == 503 => breath(50).await,
                Ok(answer) => panic!("{}: {}", answer.status(), answer.text().await.unwrap()),
                Err(_) => breath(50).await,
            }
        }
        answered.fetch_add(1, Ordering::Relaxed);
    }
}

fn all_operations() -> BTreeMap<String, What> {
    (0..size().0).flat_map(operations).map(|(name, _, what)| (name, what)).collect()
}

/// Everything was counted once, and the balances are those of the sheet of paper.
async fn settle(world: &World) -> usize {
    let pool = world.stage.pool("loyalty");
    let waiting = || async {
        let sql = "SELECT count(*) FROM parked";
        sqlx::query_scalar::<_, i64>(sql).fetch_one(&pool).await.unwrap() == 0
    };
    world.stage.until("nothing waits", LONG, waiting).await;
    check(&pool).await;
    let recorded = agree_with_the_journal(&pool, &all_operations()).await;
    pool.close().await;
    recorded
}

#[tokio::test(flavor = "multi_thread")]
async fn chaos_every_operation_is_counted_once_while_the_service_is_killed() {
    let mut world = world().await;
    let (registers, each, _) = size();
    let (answered, calls) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let url = format!("http://{}/v1/transactions", world.common.http_listen);
    let began = Instant::now();
    let tills: Vec<_> = (0..registers)
        .map(|number| {
            let (answered, calls) = (Arc::clone(&answered), Arc::clone(&calls));
            tokio::spawn(register(url.clone(), number, answered, calls))
        })
        .collect();
    let mut kills = 0;
    let all = registers * each;
    while answered.load(Ordering::Relaxed) < all && !tills.iter().all(|till| till.is_finished()) {
        let wait = if long() { 3_000 } else { 400 };
        breath(wait).await;
        if kills < 100 {
            world.kill().await;
            kills += 1;
            world.start().await;
        }
    }
    for till in tills {
        till.await.unwrap();
    }
    let took = began.elapsed();
    assert_eq!(settle(&world).await, all, "each was counted once");
    assert!(kills > 0);
    eprintln!(
        "{registers} registers, {all} operations in {} calls, {kills} kills: {:.1} s",
        calls.load(Ordering::Relaxed),
        took.as_secs_f64()
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chaos_a_balance_is_quick_beside_the_load_and_so_is_a_large_batch() {
    let world = world().await;
    let (registers, each, customers) = size();
    let (answered, calls) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let url = format!("http://{}/v1/transactions", world.common.http_listen);
    let began = Instant::now();
    let tills: Vec<_> = (0..registers)
        .map(|number| {
            let (answered, calls) = (Arc::clone(&answered), Arc::clone(&calls));
            tokio::spawn(register(url.clone(), number, answered, calls))
        })
        .collect();
    let over = Arc::new(AtomicBool::new(false));
    let asking = tokio::spawn(ask_balances(
        format!("http://{}/v1/balance", world.common.http_listen),
        customers,
        Arc::clone(&over),
    ));
    for till in tills {
        till.await.unwrap();
    }
    let took = began.elapsed();
    over.store(true, Ordering::Relaxed);
    let mut times = asking.await.unwrap();
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    eprintln!(
        "{registers} registers, {} operations: {:.1} s; {} balances: p50 {:?}, p95 {:?}, p99 {:?}",
        registers * each,
        took.as_secs_f64(),
        times.len(),
        at(50),
        at(95),
        at(99)
    );
    assert_eq!(settle(&world).await, registers * each);
    if long() {
        assert!(at(99) < Duration::from_millis(20), "p99 of a balance is {:?}", at(99));
    }

    let batch: Vec<Value> = (0..10_000)
        .map(|number| {
            json!({"type": "accrual", "amount": 1, "external_id": format!("batch-{number}"),
                "user_phone": phone(number % customers)})
        })
        .collect();
    let began = Instant::now();
    let said = world.post(&key(0), "/v1/transactions/batch", json!(batch)).await;
    let took = began.elapsed();
    let results = said.body["results"].as_array().unwrap();
    assert_eq!(results.len(), 10_000);
    assert!(results.iter().all(|item| item["status"] == "ok"));
    eprintln!("a batch of 10 000: {:.1} s", took.as_secs_f64());
    assert!(took < Duration::from_secs(30), "{took:?}");
    world.end().await;
}

/// Asks for 200 balances a second until the load is over.
async fn ask_balances(url: String, customers: usize, over: Arc<AtomicBool>) -> Vec<Duration> {
    let http = reqwest::Client::builder().build().unwrap();
    let mut beat = tokio::time::interval(Duration::from_millis(5));
    let mut asked = Vec::new();
    let mut number = 0;
    while !over.load(Ordering::Relaxed) || number < 200 {
        beat.tick().await;
        number += 1;
        let customer = number * 7919 % customers;
        let request = http
            .get(format!("{url}?user_phone={}", phone(customer).replace('+', "%2B")))
            .header("x-api-key", key(0));
        asked.push(tokio::spawn(async move {
            let began = Instant::now();
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status().as_u16(), 200);
            answer.bytes().await.unwrap();
            began.elapsed()
        }));
    }
    let mut times = Vec::new();
    for one in asked {
        times.push(one.await.unwrap());
    }
    times
}
