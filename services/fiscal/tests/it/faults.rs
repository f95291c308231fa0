//! Every way in which a call can fail: what follows, and that the books hold one receipt.

use std::time::Duration;

use emulator::{Kind, Listen};
use events::Phase;
use runtime::{Class, testing::End};
use time::OffsetDateTime;

use crate::{
    order::order,
    world::{Changes, World, dead, job, on_receipt, told},
};

fn hasty() -> Changes {
    Changes { timeout: Some(Duration::from_millis(1500)), ..Changes::default() }
}

#[tokio::test]
async fn a_time_out_after_the_body_was_sent_is_asked_again_under_the_same_key() {
    let world = World::with(hasty()).await;
    world.fault(on_receipt(Kind::Hang).times(1));
    let way = world.carry(&mut job(order())).await;
    assert_eq!((way[0].as_str(), way.last().unwrap().as_str()), ("retry no_answer", "done"));
    assert!(world.only_receipt().requested >= 2);
}

#[tokio::test]
async fn a_request_that_had_no_effect_and_no_answer_is_sent_again() {
    let world = World::with(hasty()).await;
    world.fault(on_receipt(Kind::HangBefore).times(1));
    let way = world.carry(&mut job(order())).await;
    assert_eq!((way[0].as_str(), way.last().unwrap().as_str()), ("retry no_answer", "done"));
    world.only_receipt();
}

#[tokio::test]
async fn a_reset_is_as_good_as_no_answer() {
    for apply in [true, false] {
        let world = World::new().await;
        let mut fault = on_receipt(Kind::Reset).times(1);
        fault.apply = Some(apply);
        world.fault(fault);
        let way = world.carry(&mut job(order())).await;
        assert_eq!(way, ["retry no_answer", "wait 5s", "wait 10s", "done"]);
        assert_eq!(world.only_receipt().requested, 1 + u32::from(apply));
    }
}

#[tokio::test]
async fn a_500_may_have_had_its_effect() {
    for apply in [true, false] {
        let world = World::new().await;
        let mut fault = on_receipt(Kind::Status).code(500).times(1);
        fault.apply = Some(apply);
        world.fault(fault);
        let way = world.carry(&mut job(order())).await;
        assert_eq!(way, ["retry register_failing", "wait 5s", "wait 10s", "done"]);
        assert_eq!(world.only_receipt().requested, 1 + u32::from(apply));
    }
}

#[tokio::test]
async fn a_503_names_the_time_of_the_next_attempt() {
    let world = World::new().await;
    let mut fault = on_receipt(Kind::Status).code(503).times(1);
    fault.retry_after = Some("120".into());
    world.fault(fault);
    let mut job = job(order());
    let End::Retry(reason, after) = job.run(&*world.fiscal).await else { panic!("no retry") };
    assert_eq!((reason.code.as_str(), after), ("register_failing", Some(Duration::from_secs(120))));
    world.carry(&mut job).await;
    world.only_receipt();
}

#[tokio::test]
async fn garbage_may_have_had_its_effect() {
    let world = World::new().await;
    world.fault(on_receipt(Kind::Garbage).times(1));
    let mut job = job(order());
    let End::Retry(reason, None) = job.run(&*world.fiscal).await else { panic!("no retry") };
    assert_eq!(reason.code, "answer_garbled");
    assert!(!reason.evidence.unwrap().contains("Gateway"), "evidence never quotes the answer");
    world.carry(&mut job).await;
    assert_eq!(world.only_receipt().requested, 2);
}

#[tokio::test]
async fn a_429_is_obeyed_and_leaves_nothing_in_doubt() {
    let world = World::new().await;
    let mut fault = on_receipt(Kind::Status).code(429).times(3);
    fault.retry_after = Some("1800".into());
    world.fault(fault);
    let mut job = job(order());
    let End::Retry(reason, after) = job.run(&*world.fiscal).await else { panic!("no retry") };
    assert_eq!(reason.code, "register_busy");
    assert!((1795..=1800).contains(&after.unwrap().as_secs()), "{after:?}");
    // Looked at too early (a nudge, say), it still waits; and 90 minutes of this are no "unknown".
    assert!(matches!(job.run(&*world.fiscal).await, End::Retry(..)));
    let way = world.carry(&mut job).await;
    assert_eq!(way.last().unwrap(), "done");
    assert_eq!(world.only_receipt().requested, 1);
}

#[tokio::test]
async fn too_many_calls_at_once_are_made_again_in_a_moment_and_only_then_later() {
    let world = World::new().await;
    world.fault(on_receipt(Kind::Status).code(429).times(3));
    let way = world.carry(&mut job(order())).await;
    assert!(!way.iter().any(|step| step.contains("register_busy")), "{way:?}");
    assert_eq!(world.only_receipt().requested, 1);
    let mut other = order();
    other.key.id = 1002;
    world.fault(on_receipt(Kind::Status).code(429).times(4));
    let mut job = job(other);
    let end = job.run(&*world.fiscal).await;
    let End::Retry(reason, _) = end else { panic!("{end:?}") };
    assert_eq!((reason.class, reason.code.as_str()), (Class::Unavailable, "register_busy"));
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
    assert_eq!(world.receipts().len(), 2);
}

#[tokio::test]
async fn a_429_after_a_doubtful_attempt_does_not_dispel_the_doubt() {
    let world = World::new().await;
    let mut reset = on_receipt(Kind::Reset).times(1);
    reset.apply = Some(false);
    world.fault(reset);
    let mut busy = on_receipt(Kind::Status).code(429);
    busy.retry_after = Some("600".into());
    world.fault(busy);
    let mut job = job(order());
    let way = world.carry(&mut job).await;
    assert_eq!(way.first().unwrap(), "retry no_answer");
    assert_eq!(way.last().unwrap(), "dead receipt_unknown");
    assert!(world.receipts().is_empty());
}

#[tokio::test]
async fn a_refusal_inside_200_stops_the_job_and_its_replay_is_the_next_revision() {
    let world = World::new().await;
    world.fault(on_receipt(Kind::Refusal).code(13).times(1));
    let mut job = job(order());
    let end = job.run(&*world.fiscal).await;
    assert_eq!(dead(&end), (Class::Refused, "receipt_refused"));
    let End::Dead(reason) = end else { unreachable!() };
    assert_eq!(reason.evidence.as_deref(), Some("refused with code 13: refused on command"));
    let way = world.carry(&mut job).await;
    assert_eq!(way.last().unwrap(), "done");
    assert_eq!(world.only_receipt().invoice_id, "acme:1001:55:sell:1:2");
}

#[tokio::test]
async fn a_register_out_of_order_is_waited_for_with_a_new_revision_each_time() {
    for code in [-1, 2, 8, 15, 22, 25] {
        let world = World::new().await;
        world.fault(on_receipt(Kind::Refusal).code(code).times(2));
        let way = world.carry(&mut job(order())).await;
        let out_of_order = "retry register_out_of_order";
        assert_eq!(way, [out_of_order, out_of_order, "wait 5s", "wait 10s", "done"]);
        assert_eq!(world.only_receipt().invoice_id, "acme:1001:55:sell:1:3");
    }
}

#[tokio::test]
async fn a_register_out_of_order_after_a_doubtful_attempt_keeps_the_key() {
    for code in [-1, 2, 8, 15, 22, 25] {
        let world = World::new().await;
        world.fault(on_receipt(Kind::Reset).times(1));
        world.fault(on_receipt(Kind::Refusal).code(code).times(1));
        let way = world.carry(&mut job(order())).await;
        assert_eq!(way[..2], ["retry no_answer", "retry register_out_of_order"]);
        let receipt = world.only_receipt();
        assert_eq!((receipt.invoice_id.as_str(), receipt.requested), ("acme:1001:55:sell:1:1", 2));
    }
}

/// Settings and accounts change between two sendings: what is refused now may be issued already.
#[tokio::test]
async fn a_refusal_of_a_second_sending_says_nothing_about_the_first() {
    for apply in [true, false] {
        let world = World::new().await;
        let mut reset = on_receipt(Kind::Reset).times(1);
        reset.apply = Some(apply);
        world.fault(reset);
        world.fault(on_receipt(Kind::Refusal).code(24).times(1));
        let mut job = job(order());
        assert!(matches!(job.run(&*world.fiscal).await, End::Retry(..)));
        let end = job.run(&*world.fiscal).await;
        assert_eq!(
            dead(&end),
            (Class::Unknown, "receipt_unknown"),
            "no change of the order revives it"
        );
        let End::Dead(reason) = end else { unreachable!() };
        assert!(reason.text.ru.contains("acme:1001:55:sell:1:1"), "{}", reason.text.ru);
        assert_eq!(reason.evidence.as_deref(), Some("refused with code 24: refused on command"));
        assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
        assert_eq!(world.only_receipt().invoice_id, "acme:1001:55:sell:1:1");
    }
}

#[tokio::test]
async fn a_refused_second_sending_goes_out_anew_once_a_person_says_that_nothing_is_there() {
    let world = World::new().await;
    let mut reset = on_receipt(Kind::Reset).times(1);
    reset.apply = Some(false);
    world.fault(reset);
    world.fault(on_receipt(Kind::Refusal).code(24).times(1));
    let mut job = job(order());
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "dead receipt_unknown");
    job.absent::<fiscal::Fiscal>();
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
    assert_eq!(world.only_receipt().invoice_id, "acme:1001:55:sell:1:2");
}

#[tokio::test]
async fn a_receipt_that_fails_at_the_register_stops_and_its_replay_is_the_next_revision() {
    let world = World::new().await;
    world.fault(on_receipt(Kind::FailsLater).times(1));
    let mut job = job(order());
    let way = world.carry(&mut job).await;
    assert_eq!(way.last().unwrap(), "dead receipt_failed");
    world.carry(&mut job).await;
    assert_eq!(world.only_receipt().invoice_id, "acme:1001:55:sell:1:2");
    let phases: Vec<Phase> = told(&job).into_iter().map(|(phase, _)| phase).collect();
    assert_eq!(phases, [Phase::Working, Phase::Working, Phase::Done]);
    let ids: std::collections::HashSet<_> = job.told.iter().map(events::Event::id).collect();
    assert_eq!(ids.len(), 3, "each revision's statuses are facts of their own");
}

#[tokio::test]
async fn a_register_that_is_away_for_hours_is_waited_for_and_nothing_is_in_doubt() {
    let world = World::new().await;
    let vendor = &world.emulator.emulator;
    vendor.listen(Listen::Closed);
    let mut jobs = [job(order()), job(order())];
    for job in &mut jobs {
        for _ in 0..20 {
            let end = job.run(&*world.fiscal).await;
            assert!(matches!(&end, End::Down(reason) if reason.code == "register_away"), "{end:?}");
            world.pass(Duration::from_secs(600));
        }
    }
    vendor.listen(Listen::Open);
    let way = world.carry(&mut jobs[0]).await;
    assert_eq!(way.last().unwrap(), "done");
    assert_eq!(world.only_receipt().requested, 1);
}

#[tokio::test]
async fn a_register_that_goes_away_while_a_receipt_waits_is_waited_for() {
    let world = World::new().await;
    let mut job = job(order());
    assert!(matches!(job.run(&*world.fiscal).await, End::Wait(_)));
    world.emulator.emulator.listen(Listen::Closed);
    // The connection that was kept from before may be used once more, and breaks.
    let ends = [job.run(&*world.fiscal).await, job.run(&*world.fiscal).await];
    assert!(matches!(&ends[1], End::Down(reason) if reason.code == "register_away"), "{ends:?}");
    world.emulator.emulator.listen(Listen::Open);
    world.carry(&mut job).await;
    world.only_receipt();
}

#[tokio::test]
async fn a_wrong_secret_is_tried_again_and_does_not_stop_the_worker() {
    let world = World::with(Changes { api_secret: Some("old"), ..Changes::default() }).await;
    let mut job = job(order());
    for _ in 0..5 {
        let End::Retry(reason, Some(_)) = job.run(&*world.fiscal).await else { panic!("no retry") };
        assert_eq!(reason.code, "register_unauthorized");
        world.pass(Duration::from_secs(3600));
    }
    world.emulator.emulator.change(|settings| settings.cloudkassir.api_secret = "old".into());
    world.carry(&mut job).await;
    assert_eq!(world.only_receipt().requested, 1);
}

#[tokio::test]
async fn a_wrong_address_stops_the_job_and_its_replay_goes_on() {
    let world = World::new().await;
    world.fault(on_receipt(Kind::Status).code(404).times(1));
    let mut job = job(order());
    let end = job.run(&*world.fiscal).await;
    assert_eq!(dead(&end), (Class::Refused, "request_rejected"));
    world.carry(&mut job).await;
    assert_eq!(world.only_receipt().invoice_id, "acme:1001:55:sell:1:1");
}

#[tokio::test]
async fn a_receipt_that_the_register_lost_is_looked_for_and_then_a_persons() {
    let world = World::new().await;
    let mut job = job(order());
    job.run(&*world.fiscal).await;
    world.emulator.emulator.reset();
    let way = world.carry(&mut job).await;
    assert_eq!(way.len(), 11, "{way:?}");
    let end = job.run(&*world.fiscal).await;
    assert!(matches!(end, End::Wait(_)), "a replay looks again and sends nothing: {end:?}");
    assert!(world.receipts().is_empty());
}

/// Many jobs, calls that fail in every way by dice: each order has one receipt in the end.
#[tokio::test]
async fn whatever_fails_each_payment_gets_one_receipt() {
    const JOBS: u64 = 80;
    let world =
        World::with(Changes { timeout: Some(Duration::from_secs(2)), ..Changes::default() }).await;
    for (seed, kind) in [(1, Kind::Reset), (2, Kind::Garbage), (3, Kind::Refuse)] {
        world.fault(emulator::Fault::new(emulator::System::CloudKassir, kind).chance(0.12, seed));
    }
    for (seed, code, apply) in [(4, 500, true), (5, 502, false), (6, 429, false)] {
        let mut fault = emulator::Fault::new(emulator::System::CloudKassir, Kind::Status);
        (fault.code, fault.apply) = (Some(code), Some(apply));
        world.fault(fault.chance(0.08, seed));
    }
    world.fault(on_receipt(Kind::Refusal).code(15).chance(0.05, 7));
    let began = OffsetDateTime::now_utc();
    let jobs = (1..=JOBS).map(|id| {
        let world = &world;
        async move {
            let mut order = order();
            order.key.id = id;
            let mut job = job(order);
            // The clock is shared, so waits are not let pass: all would hurry all others.
            for _ in 0..200 {
                match job.run(&*world.fiscal).await {
                    End::Done => return job,
                    End::Dead(reason) => panic!("{reason:?}"),
                    End::Retry(_, Some(_)) => world.pass(Duration::from_secs(1)),
                    End::Wait(_) | End::Retry(..) | End::Down(_) => {}
                }
            }
            panic!("no end: {}", job.state())
        }
    });
    let jobs = futures_util::future::join_all(jobs).await;
    assert!(OffsetDateTime::now_utc() - began < time::Duration::minutes(2));
    let summary = world.emulator.emulator.cloudkassir.summary();
    let count = usize::try_from(JOBS).unwrap();
    assert_eq!(summary.receipts, count, "{summary:?}");
    assert_eq!(summary.processed, count, "{summary:?}");
    assert_eq!(summary.duplicated, Vec::<String>::new());
    assert!(summary.repeated > 0, "the dice must have struck: {summary:?}");
    assert!(jobs.iter().all(|job| told(job).last().unwrap().0 == Phase::Done));
}
