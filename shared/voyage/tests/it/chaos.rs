//! Thousands of orders while everything is killed: nothing lost, nothing doubled.
//!
//! `PAROM_CHAOS=long` makes it the long run, `PAROM_SEED` repeats a run's choices.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use voyage::{Harbour, SERVICES, Shop, Wharf, snapshot};

use crate::crew::{Berth, Crew, SECRET};

/// How much of what.
#[derive(Debug, Clone, Copy)]
struct Plan {
    orders: u64,
    /// How often each service and the broker is killed at least.
    kills: u32,
    broker_kills: u32,
    database_kills: u32,
    /// How long the last order may take after the last kill.
    patience: Duration,
}

const SHORT: Plan = Plan {
    orders: 1_000,
    kills: 3,
    broker_kills: 2,
    database_kills: 1,
    patience: Duration::from_secs(180),
};

const LONG: Plan = Plan {
    orders: 10_000,
    kills: 10,
    broker_kills: 10,
    database_kills: 2,
    patience: Duration::from_secs(900),
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Victim {
    Service(&'static str),
    Broker,
    Database,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_every_order_has_one_receipt_and_its_status() {
    let plan =
        if std::env::var("PAROM_CHAOS").is_ok_and(|long| long == "long") { LONG } else { SHORT };
    let seed = std::env::var("PAROM_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(rand::random);
    eprintln!("chaos: PAROM_SEED={seed} {plan:?}");
    let mut choices = StdRng::seed_from_u64(seed);

    let harbour = Arc::new(Harbour::open("chaos").unwrap());
    let crew = Crew::board(&Berth::of(&harbour), &[]).await;
    let began = Instant::now();
    let shop = Shop::new(SECRET, &crew.fleet.url("ingress"));
    let calls = calls(plan.orders, &mut choices);
    let sent_all = AtomicBool::new(false);
    let crew = Mutex::new(crew);

    let sending = async {
        let taken = send(&shop, calls).await;
        sent_all.store(true, Ordering::Relaxed);
        taken
    };
    let killing = rampage(&crew, &harbour, plan, &mut choices, &sent_all);
    let (taken, kills) = tokio::join!(sending, killing);
    let crew = crew.into_inner().unwrap();
    eprintln!("chaos: {} orders taken, kills {kills:?}, {:?}", taken.len(), began.elapsed());
    assert_eq!(u64::try_from(taken.len()), Ok(plan.orders), "a site sends until it is taken");

    arrive(&crew, &taken, plan.patience).await;
    eprintln!("chaos: all home after {:?}", began.elapsed());
    check(&crew, &taken).await;
    drop(crew);
}

/// Each order's call, a fifth of them twice, in any order: webhook id and order.
fn calls(orders: u64, choices: &mut StdRng) -> Vec<(String, u64)> {
    let once = 1..=orders;
    let twice = (1..=orders).filter(|order| order % 5 == 0);
    let mut calls: Vec<_> =
        once.chain(twice).map(|order| (format!("msg-{order}"), order)).collect();
    calls.shuffle(choices);
    calls
}

/// Sends all calls, eight at a time, each until it is answered 2xx. Tells whose were.
async fn send(shop: &Shop, calls: Vec<(String, u64)>) -> BTreeSet<u64> {
    let bodies: BTreeMap<u64, String> =
        calls.iter().map(|(_, order)| (*order, snapshot(*order, 1).to_string())).collect();
    let bodies = &bodies;
    let sent = stream::iter(calls).map(|(id, order)| async move {
        let body = bodies.get(&order).unwrap();
        loop {
            match shop.call(&id, body).await {
                Some(200..=299) => return order,
                Some(503) | None => tokio::time::sleep(Duration::from_millis(100)).await,
                Some(other) => panic!("ingress answered {other}"),
            }
        }
    });
    sent.buffer_unordered(8).collect().await
}

/// Kills by the plan and by chance, until everyone has been killed often enough and all is sent.
async fn rampage(
    crew: &Mutex<Crew>,
    harbour: &Arc<Harbour>,
    plan: Plan,
    choices: &mut StdRng,
    sent_all: &AtomicBool,
) -> BTreeMap<Victim, u32> {
    let mut victims: Vec<Victim> = Vec::new();
    for service in SERVICES {
        victims.extend((0..plan.kills).map(|_| Victim::Service(service)));
    }
    victims.extend((0..plan.broker_kills).map(|_| Victim::Broker));
    victims.extend((0..plan.database_kills).map(|_| Victim::Database));
    victims.shuffle(choices);
    let mut kills = BTreeMap::new();
    while let Some(victim) = victims.pop() {
        tokio::time::sleep(Duration::from_millis(choices.random_range(200..1_500))).await;
        let down = Duration::from_millis(choices.random_range(0..800));
        strike(crew, harbour, victim, down).await;
        *kills.entry(victim).or_default() += 1;
        // While orders still come in, the killing goes on among the services.
        if victims.is_empty() && !sent_all.load(Ordering::Relaxed) {
            victims.push(Victim::Service(SERVICES[choices.random_range(0..SERVICES.len())]));
        }
    }
    kills
}

async fn strike(crew: &Mutex<Crew>, harbour: &Arc<Harbour>, victim: Victim, down: Duration) {
    let wharf = match victim {
        Victim::Service(name) => {
            crew.lock().unwrap().fleet.kill(name).unwrap();
            tokio::time::sleep(down).await;
            return crew.lock().unwrap().fleet.start(name).unwrap();
        }
        Victim::Broker => Wharf::Broker,
        Victim::Database => Wharf::Database,
    };
    let harbour = Arc::clone(harbour);
    tokio::task::spawn_blocking(move || {
        harbour.kill(wharf).unwrap();
        std::thread::sleep(down);
        harbour.start(wharf).unwrap();
    })
    .await
    .unwrap();
}

/// Waits until every order's receipt and status are there.
async fn arrive(crew: &Crew, taken: &BTreeSet<u64>, patience: Duration) {
    let end = Instant::now() + patience;
    loop {
        let missing = missing(crew, taken);
        if missing.is_empty() {
            return;
        }
        if Instant::now() > end {
            let some: Vec<_> = missing.iter().take(5).collect();
            let dead = crew.dead_letters().await;
            panic!("{} orders are not home, such as {some:?}; {dead:?}", missing.len());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Orders whose receipt's numbers are not in the site's books.
fn missing(crew: &Crew, taken: &BTreeSet<u64>) -> Vec<u64> {
    let books = crew.emulator.emulator.site.books();
    let home = |order: &&u64| {
        books
            .orders
            .get(order)
            .is_some_and(|order| order.properties.contains_key("CLOUDKASSIR_FPD"))
    };
    taken.iter().filter(|order| !home(order)).copied().collect()
}

async fn check(crew: &Crew, taken: &BTreeSet<u64>) {
    let summary = crew.emulator.emulator.cloudkassir.summary();
    assert_eq!(summary.receipts, taken.len(), "one receipt for each order");
    assert_eq!(summary.distinct_invoices, taken.len());
    assert!(summary.duplicated.is_empty(), "{:?}", summary.duplicated);
    assert_eq!(summary.violations.violation_count, 0, "{:?}", summary.violations.violations);
    {
        let books = crew.emulator.emulator.site.books();
        assert_eq!(books.violations.violation_count, 0, "{:?}", books.violations.violations);
        for order in taken {
            let phase = &books.orders[order].statuses["fiscal"].phase;
            assert_eq!(phase, "done", "order {order}");
        }
    }
    let dead = crew.dead_letters().await;
    assert!(dead.values().all(|count| *count == 0), "{dead:?}");
}
