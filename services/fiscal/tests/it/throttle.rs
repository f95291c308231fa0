//! A register that takes one receipt a second, in time that is let pass.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use emulator::System;
use fiscal::registers::RegisterName;
use runtime::testing::{End, Job};
use time::OffsetDateTime;

use crate::{
    order::{order, rules_with},
    world::{Changes, World, job, name},
};

/// A job of the `nth` order paid, a second after the one before.
fn paid(nth: u64, shop: &str) -> Job {
    let mut order = order();
    order.key.id = nth;
    order.key.shop = shop.parse().unwrap();
    order.updated_at += Duration::from_secs(nth);
    job(order)
}

fn now(world: &World) -> OffsetDateTime {
    world.emulator.emulator.clock.now()
}

async fn slow_world(register: RegisterName) -> World {
    let rules = Some(rules_with("seller_email = 'shop@acme.example'"));
    let world = World::with(Changes { register, rules, ..Changes::default() }).await;
    world.emulator.emulator.change(|settings| settings.registers.pace_ms = 1_000);
    world
}

/// ATOL says 429 and nothing else; OrangeData 503 and when to come back.
#[tokio::test]
async fn three_hundred_receipts_drain_in_the_order_of_their_payments() {
    for (register, system, receipts) in [
        (RegisterName::Atol, System::Atol, 300),
        (RegisterName::OrangeData, System::OrangeData, 60),
    ] {
        let world = slow_world(register).await;
        let fiscal = world.with_neighbour();
        let began = now(&world);
        let mut jobs: Vec<Job> = (1..=receipts).map(|nth| paid(nth, "acme")).collect();
        jobs.push(paid(999, "other"));
        let neighbour = jobs.len() - 1;
        // All are told at once; each comes back when it said, the earliest first.
        let told = (0..jobs.len()).map(|place| Reverse((began, place)));
        let mut agenda: BinaryHeap<_> = told.collect();
        let mut neighbour_done = None;
        while let Some(Reverse((wakes, place))) = agenda.pop() {
            let ahead = Duration::try_from(wakes - now(&world)).unwrap_or_default();
            if !ahead.is_zero() {
                let seconds = ahead.as_secs() + u64::from(ahead.subsec_nanos() > 0);
                world.emulator.emulator.clock.advance(u32::try_from(seconds).unwrap());
            }
            let pause = match jobs[place].run(&*fiscal).await {
                End::Done if place == neighbour => {
                    neighbour_done = Some(now(&world) - began);
                    continue;
                }
                End::Done => continue,
                End::Wait(pause) | End::Retry(_, Some(pause)) => pause,
                end => panic!("{}: {}", place + 1, name(&end)),
            };
            agenda.push(Reverse((now(&world) + pause, place)));
        }
        let till = world.emulator.emulator.till(system).unwrap();
        let summary = till.summary();
        assert_eq!(
            summary.processed,
            usize::try_from(receipts).unwrap(),
            "{register:?} {summary:?}"
        );
        assert_eq!(summary.violations.violation_count, 0, "{summary:?}");
        let at: Vec<i64> = till.books().receipts().iter().map(|r| r.at.unix_timestamp()).collect();
        let orders: Vec<String> = till.books().receipts().iter().map(|r| r.body.clone()).collect();
        let expected: Vec<String> = (1..=receipts)
            .map(|nth| match register {
                RegisterName::OrangeData => {
                    fiscal::registers::orangedata::document_id(&format!("acme:{nth}:55:sell:1:1"))
                }
                _ => format!("\"acme:{nth}:55:sell:1:1\""),
            })
            .collect();
        for (nth, (body, name)) in orders.iter().zip(&expected).enumerate() {
            assert!(body.contains(name), "{register:?}: receipt {nth} is not {name}");
        }
        let took = at.last().unwrap() - at.first().unwrap();
        // The emulator's clock goes in whole seconds, so that a turn takes up to two of them.
        let count = i64::try_from(receipts).unwrap();
        assert!((count - 1..=2 * count).contains(&took), "{register:?}: {count} took {took} s");
        let other = neighbour_done.unwrap();
        assert!(other < Duration::from_secs(60), "{register:?}: the neighbour waited {other}");
    }
}

#[tokio::test]
async fn a_receipt_that_waits_for_an_earlier_one_is_overdue_as_well() {
    let overdue = Some(Duration::from_secs(600));
    let world = World::with(Changes { overdue, ..Changes::default() }).await;
    let mut order = order();
    order.updated_at = now(&world);
    // Given back before the sale's receipt is there.
    let fact = events::RefundFact {
        order,
        payment: 55,
        sum: events::Money::from_kopecks(100),
        occurrence: 1,
    };
    let at = fact.order.updated_at;
    let fact = events::Fact::PaymentRefunded(Box::new(fact));
    let mut job = Job::new(events::Event::new(fact, at));
    assert!(matches!(job.run(&*world.fiscal).await, End::Wait(_)));
    assert_eq!(world.fiscal.watch().await.unwrap().receipts, 0, "it is young yet");
    world.pass(Duration::from_secs(700));
    for _ in 0..2 {
        assert!(matches!(job.run(&*world.fiscal).await, End::Wait(_)));
    }
    assert_eq!(world.fiscal.watch().await.unwrap().receipts, 1);
    let told: Vec<&str> = crate::world::told(&job).into_iter().map(|(_, code)| code).collect();
    assert_eq!(told, ["receipt_overdue"], "once");
}

#[tokio::test]
async fn overdue_receipts_are_counted_until_they_are_issued() {
    let overdue = Some(Duration::from_secs(600));
    let world = World::with(Changes { overdue, ..Changes::default() }).await;
    let mut order = order();
    order.updated_at = now(&world);
    let mut job = job(order);
    assert!(matches!(job.run(&*world.fiscal).await, End::Wait(_)));
    assert_eq!(world.fiscal.watch().await.unwrap().receipts, 0, "it is young yet");
    world.pass(Duration::from_secs(700));
    let overdue = world.fiscal.watch().await.unwrap();
    assert_eq!(overdue.receipts, 1);
    assert!((700..=760).contains(&overdue.oldest.as_secs()), "{overdue:?}");
    assert_eq!(world.gauge("receipts_overdue"), 1);
    // The shop learns it as well, once, from a look that finds it waiting.
    world.emulator.emulator.change(|settings| settings.cloudkassir.looks = 3);
    world.carry(&mut job).await;
    let told: Vec<&str> = crate::world::told(&job).into_iter().map(|(_, code)| code).collect();
    assert_eq!(told, ["receipt_accepted", "receipt_overdue", "receipt_done"]);
    assert_eq!(world.fiscal.watch().await.unwrap().receipts, 0);
    assert_eq!(world.gauge("receipts_overdue"), 0);
}
