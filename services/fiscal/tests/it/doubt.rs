//! Crashes, lost answers, notifications: what may have been sent is never sent blindly again.

use std::{sync::Arc, time::Duration};

use emulator::{Kind, settings::Notify};
use events::Event;
use fiscal::{Fiscal, State};
use runtime::{Class, Failure, Worker, testing::End};

use crate::{
    order::order,
    world::{Changes, World, dead, job, on_receipt},
};

const HOUR: Duration = Duration::from_secs(3600);

fn hasty() -> Changes {
    Changes { timeout: Some(Duration::from_millis(1500)), ..Changes::default() }
}

/// One step with the state as it is saved: through JSON.
async fn step(fiscal: &Fiscal, event: &Event, state: State) -> Result<State, Failure> {
    let parts = fiscal.step(event, state).await?.parts();
    let saved = serde_json::to_string(&parts.state).unwrap();
    Ok(serde_json::from_str(&saved).unwrap())
}

fn event() -> Event {
    let time = order().updated_at;
    Event::new(events::Fact::OrderPaid(Box::new(crate::order::paid(order()))), time)
}

/// The process dies between two steps, and another one goes on from what was saved.
#[tokio::test]
async fn a_crash_at_any_step_leaves_one_receipt() {
    for dies_after in 0..6 {
        let world = World::new().await;
        let event = event();
        let mut fiscal = Arc::clone(&world.fiscal);
        let mut state = State::default();
        for nth in 0..40 {
            // Whoever dies has made its step, and nothing of it was saved.
            if nth == dies_after {
                step(&fiscal, &event, state.clone()).await.ok();
                fiscal = world.another();
            }
            state = step(&fiscal, &event, state).await.unwrap();
            world.pass(Duration::from_secs(60));
            if matches!(state, State::Done(_)) {
                break;
            }
        }
        assert!(matches!(state, State::Done(_)), "died after {dies_after}");
        world.only_receipt();
    }
}

#[tokio::test]
async fn the_bytes_and_the_key_are_written_down_before_they_are_sent() {
    let world = World::new().await;
    let state = step(&world.fiscal, &event(), State::default()).await.unwrap();
    let State::Sending(sending) = state else { panic!("not written down") };
    world.nothing_sent();
    step(&world.fiscal, &event(), State::Sending(sending.clone())).await.unwrap();
    let receipt = world.receipts().pop().unwrap();
    let request_id = fiscal::key::request_id(&sending.request.name);
    assert_eq!(receipt.request_id, Some(request_id.to_string()));
    assert!(sending.request.body.ends_with(&format!("{}}}", receipt.customer_receipt)));
}

#[tokio::test]
async fn after_the_hour_nobody_can_tell_and_nothing_is_sent() {
    for kind in [Kind::Hang, Kind::HangBefore] {
        let world = World::with(hasty()).await;
        world.fault(on_receipt(kind).times(1));
        let mut job = job(order());
        assert!(matches!(job.run(&*world.fiscal).await, End::Retry(..)));
        let before = world.receipts().len();
        world.pass(HOUR);
        // A replay changes nothing about it.
        for _ in 0..3 {
            let end = job.run(&*world.fiscal).await;
            assert_eq!(dead(&end), (Class::Unknown, "receipt_unknown"));
            let End::Dead(reason) = end else { unreachable!() };
            assert!(reason.text.ru.contains("acme:1001:55:sell:1:1"), "{}", reason.text.ru);
        }
        assert_eq!(world.receipts().len(), before);
        assert!(world.receipts().iter().all(|receipt| receipt.requested == 1));
    }
}

#[tokio::test]
async fn just_before_the_hour_ends_it_is_too_late_already() {
    for (minutes, sent) in [(49, true), (51, false)] {
        let world = World::new().await;
        let state = step(&world.fiscal, &event(), State::default()).await.unwrap();
        world.pass(Duration::from_secs(minutes * 60));
        let after = step(&world.another(), &event(), state).await;
        assert_eq!(after.is_ok(), sent, "{minutes} minutes");
        assert_eq!(world.receipts().len(), usize::from(sent), "{minutes} minutes");
    }
}

#[tokio::test]
async fn a_notification_that_comes_before_the_answer_spares_the_second_request() {
    let world = World::with(hasty()).await;
    world.serve_callbacks().await;
    world.emulator.emulator.change(|settings| settings.cloudkassir.notify = Notify::Before);
    world.fault(on_receipt(Kind::Hang).times(1));
    let mut job = job(order());
    assert!(matches!(job.run(&*world.fiscal).await, End::Retry(..)));
    assert_eq!(*world.nudged.lock().unwrap(), ["acme:1001:55:sell:1:1"]);
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
    assert_eq!(world.only_receipt().requested, 1);
}

#[tokio::test]
async fn a_notification_settles_even_what_is_too_late_to_send() {
    let world = World::with(hasty()).await;
    world.serve_callbacks().await;
    world.emulator.emulator.change(|settings| settings.cloudkassir.notify = Notify::Before);
    world.fault(on_receipt(Kind::Hang).times(1));
    let mut job = job(order());
    job.run(&*world.fiscal).await;
    world.pass(3 * HOUR);
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
    assert_eq!(world.only_receipt().requested, 1);
}

/// The person looked before the register had shown it, or looked at another cabinet.
#[tokio::test]
async fn a_notification_outweighs_a_persons_it_is_not_there() {
    for overtaken in [false, true] {
        let world = World::with(hasty()).await;
        world.fault(on_receipt(Kind::Hang).times(1));
        let mut job = job(order());
        job.run(&*world.fiscal).await;
        world.pass(HOUR);
        assert_eq!(world.carry(&mut job).await, ["dead receipt_unknown"]);
        let id = world.receipts().pop().unwrap().id;
        job.absent::<Fiscal>();
        if overtaken {
            // The next revision was refused meanwhile: what is in doubt is not forgotten by that.
            world.fault(on_receipt(Kind::Refusal).code(13).times(1));
            assert_eq!(world.carry(&mut job).await, ["dead receipt_refused"]);
        }
        world.hints.put("acme:1001:55:sell:1:1", &id).await.unwrap();
        assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
        let receipt = world.only_receipt();
        assert_eq!((receipt.invoice_id.as_str(), receipt.requested), ("acme:1001:55:sell:1:1", 1));
        assert_eq!(job.alias.as_deref(), Some("acme:1001:55:sell:1:1"));
    }
}

#[tokio::test]
async fn what_is_not_there_goes_out_unless_the_notification_is_confirmed() {
    let mut first = order();
    first.key.id = 2002;
    for told in [None, Some("Unknown1"), Some("the other order's")] {
        let world = World::with(hasty()).await;
        world.carry(&mut job(first.clone())).await;
        let other = world.receipts().pop().unwrap().id;
        world.fault(on_receipt(Kind::HangBefore).times(1));
        let mut job = job(order());
        job.run(&*world.fiscal).await;
        world.pass(HOUR);
        assert_eq!(world.carry(&mut job).await, ["dead receipt_unknown"]);
        job.absent::<Fiscal>();
        if let Some(id) = told {
            let id = if id == "Unknown1" { id } else { &other };
            world.hints.put("acme:1001:55:sell:1:1", id).await.unwrap();
        }
        assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
        assert_eq!(world.receipts().len(), 2);
        assert_eq!(world.receipts()[1].invoice_id, "acme:1001:55:sell:1:2");
    }
}

#[tokio::test]
async fn a_hint_at_a_receipt_that_is_not_ours_is_no_hint() {
    let world = World::new().await;
    let mut first = order();
    first.key.id = 2002;
    world.carry(&mut job(first)).await;
    let other = world.receipts().pop().unwrap().id;
    let state = step(&world.fiscal, &event(), State::default()).await.unwrap();
    world.hints.put("acme:1001:55:sell:1:1", &other).await.unwrap();
    let state = step(&world.another(), &event(), state).await.unwrap();
    let State::Sent(sent) = state else { panic!("not sent") };
    assert_ne!(sent.accepted.id, other);
    assert_eq!(world.receipts().len(), 2);
}

#[tokio::test]
async fn a_hint_that_cannot_be_confirmed_stops_the_sending() {
    let world = World::new().await;
    let state = step(&world.fiscal, &event(), State::default()).await.unwrap();
    world.hints.put("acme:1001:55:sell:1:1", "Unknown1").await.unwrap();
    let another = world.another();
    let Err(Failure::Retry(reason, None)) = step(&another, &event(), state.clone()).await else {
        panic!("no retry")
    };
    assert_eq!(reason.code, "receipt_not_found");
    world.pass(HOUR);
    let Err(Failure::Dead(reason)) = step(&another, &event(), state).await else {
        panic!("not dead")
    };
    assert_eq!((reason.class, reason.code.as_str()), (Class::Unknown, "receipt_unknown"));
    world.nothing_sent();
}

#[tokio::test]
async fn without_the_table_of_hints_nothing_doubtful_is_sent() {
    let world = World::new().await;
    let state = step(&world.fiscal, &event(), State::default()).await.unwrap();
    world.without_database().await;
    let Err(Failure::Retry(reason, None)) = step(&world.another(), &event(), state).await else {
        panic!("no retry")
    };
    assert_eq!(reason.code, "store_away");
    world.nothing_sent();
}

#[tokio::test]
async fn old_hints_are_dropped_and_new_ones_stay() {
    let world = World::new().await;
    world.hints.put("acme:1:1:sell:1:1", "A").await.unwrap();
    world.hints.put("acme:1:1:sell:1:1", "B").await.unwrap();
    assert_eq!(world.hints.drop_old().await.unwrap(), 0);
    assert_eq!(world.hints.get("acme:1:1:sell:1:1").await.unwrap().as_deref(), Some("B"));
    world.age_hints().await;
    assert_eq!(world.hints.drop_old().await.unwrap(), 1);
    assert_eq!(world.hints.get("acme:1:1:sell:1:1").await.unwrap(), None);
}
