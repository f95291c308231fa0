//! One worker in 1, 2 and 4 replicas under load: the queue drains in proportion until the register's limit, which more
//! replicas do not lift; and no effect is doubled while replicas come and go.
//!
//! `PAROM_CHAOS=long` makes it the long run; `PAROM_SEED` repeats a run's choices.

use std::time::{Duration, Instant};

use emulator::{Fault, Kind, System};
use futures_util::{StreamExt, stream};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use voyage::{SERVICES, Shop, snapshot};

use crate::crew::{Crew, SECRET, START, Servers};

/// How much of what.
#[derive(Debug, Clone, Copy)]
struct Plan {
    /// Orders for each number of replicas.
    orders: u64,
    /// How often a replica goes and another one comes.
    changes: u32,
    /// How long a replica stays at most.
    stay: Duration,
}

const SHORT: Plan = Plan { orders: 40, changes: 4, stay: Duration::from_millis(1_500) };
const LONG: Plan = Plan { orders: 400, changes: 30, stay: Duration::from_secs(4) };

/// The register takes this long for each call, and a replica has so many jobs in hand: what a replica can do follows
/// from both, 2.5 receipts a second, and not from the processor, as with real registers.
const CALL: Duration = Duration::from_millis(800);
const IN_HAND: u32 = 2;
/// So many calls the register serves at once: as many as four replicas make.
const AT_ONCE: u32 = 4 * IN_HAND;

/// A run: its crew and how many orders have been sent so far.
struct Run {
    crew: Crew,
    shop: Shop,
    sent: u64,
}

impl Run {
    fn receipts(&self) -> u64 {
        u64::try_from(self.crew.emulator.emulator.cloudkassir.summary().receipts).unwrap()
    }

    /// Sends so many orders, each until it is taken.
    async fn send(&mut self, orders: u64) {
        let first = self.sent + 1;
        self.sent += orders;
        let shop = &self.shop;
        let calls = stream::iter(first..=self.sent).map(|order| async move {
            let taken = shop.call(&format!("msg-{order}"), &snapshot(order, 1).to_string()).await;
            assert_eq!(taken, Some(202), "order {order}");
        });
        calls.buffer_unordered(8).collect::<()>().await;
    }

    /// Waits until there are so many receipts.
    async fn receipted(&self, receipts: u64, limit: Duration) {
        let end = Instant::now() + limit;
        while self.receipts() < receipts {
            assert!(Instant::now() < end, "{} of {receipts} receipts in time", self.receipts());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Receipts in 100 s with so many replicas, between a tenth and all of the orders: starts are not measured.
    async fn rate(&mut self, replicas: usize, orders: u64) -> u64 {
        let before = self.sent;
        self.send(orders).await;
        // All are read before anybody takes one, else it is ingress that is measured.
        let (end, all) = (Instant::now() + START, u32::try_from(orders).unwrap());
        while self.crew.work("fiscal").await < all {
            assert!(Instant::now() < end, "not all orders were read in time");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        for _ in 0..replicas {
            self.crew.fleet.join("fiscal").unwrap();
        }
        self.receipted(before + orders / 10, START).await;
        let began = (Instant::now(), self.receipts());
        self.receipted(self.sent, START * 5).await;
        let millis = u64::try_from(began.0.elapsed().as_millis()).unwrap().max(1);
        let made = self.receipts() - began.1;
        for _ in 0..replicas {
            self.crew.fleet.leave("fiscal", false).unwrap();
        }
        made * 100_000 / millis
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_replicas_drain_in_proportion_and_double_nothing_when_they_come_and_go() {
    let long = std::env::var("PAROM_CHAOS").is_ok_and(|long| long == "long");
    let plan = if long { LONG } else { SHORT };
    let seed = std::env::var("PAROM_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(rand::random);
    eprintln!("scaling: PAROM_SEED={seed} {plan:?}");
    let servers = Servers::lend("scaling").await;
    // Looks at accepted receipts would be calls too, of orders of before: here only handing over is measured.
    let more = [("JOB_PREFETCH", IN_HAND.to_string()), ("CLOUDKASSIR_POLL", "10m".to_owned())];
    let mut crew = Crew::beside(&servers.berth(), &more, AT_ONCE).await;
    // Its queue is bound by now; from here on only replicas that join take from it.
    crew.fleet.kill("fiscal").unwrap();
    let slow = Fault {
        ms: Some(u64::try_from(CALL.as_millis()).unwrap()),
        ..Fault::new(System::CloudKassir, Kind::Slow)
    };
    crew.emulator.emulator.faults.add(slow).unwrap();
    let shop = Shop::new(SECRET, &crew.fleet.url("ingress"));
    let mut run = Run { crew, shop, sent: 0 };

    let mut rates = Vec::new();
    for replicas in [1, 2, 4, 6] {
        let rate = run.rate(replicas, plan.orders).await;
        eprintln!("scaling: {replicas} replicas make {}.{:02} receipts/s", rate / 100, rate % 100);
        rates.push(rate);
    }
    let [one, two, four, six] = rates[..] else { unreachable!("a rate for each") };
    assert!(two * 10 > one * 16, "2 replicas: {rates:?}");
    assert!(four * 10 > one * 28, "4 replicas: {rates:?}");
    // The register refuses what is above its limit: that costs something, and nothing is gained.
    let limit = u64::from(AT_ONCE) * 100_000 / u64::try_from(CALL.as_millis()).unwrap();
    assert!(six * 10 > four * 3 && six <= limit + limit / 10, "6 replicas, {limit}: {rates:?}");
    let killed = come_and_go(&mut run, plan, &mut StdRng::seed_from_u64(seed)).await;
    eprintln!("scaling: {} replicas came and went, {killed} of them killed", plan.changes);
    check(&run).await;
    drop(run);
    servers.give_back(&SERVICES).await;
}

/// Replicas join and leave, some drained and some killed; how many were killed.
async fn come_and_go(run: &mut Run, plan: Plan, choices: &mut StdRng) -> u32 {
    run.send(plan.orders * 2).await;
    run.crew.fleet.join("fiscal").unwrap();
    let mut killed = 0;
    for _ in 0..plan.changes {
        run.crew.fleet.join("fiscal").unwrap();
        let most = u64::try_from(plan.stay.as_millis()).unwrap();
        tokio::time::sleep(Duration::from_millis(choices.random_range(300..most))).await;
        let kill = choices.random_bool(0.5);
        killed += u32::from(kill);
        run.crew.fleet.leave("fiscal", kill).unwrap();
    }
    assert_eq!(run.crew.fleet.joined("fiscal"), 1);
    run.crew.fleet.join("fiscal").unwrap();
    run.receipted(run.sent, START * 5).await;
    killed
}

/// One receipt for each order, none twice, and none that is only on its way.
async fn check(run: &Run) {
    let summary = run.crew.emulator.emulator.cloudkassir.summary();
    assert_eq!(u64::try_from(summary.receipts), Ok(run.sent), "one receipt for each order");
    assert_eq!(u64::try_from(summary.distinct_invoices), Ok(run.sent));
    assert!(summary.duplicated.is_empty(), "{:?}", summary.duplicated);
    assert_eq!(summary.violations.violation_count, 0, "{:?}", summary.violations.violations);
    let dead = run.crew.dead_letters().await;
    assert!(dead.values().all(|count| *count == 0), "{dead:?}");
}
