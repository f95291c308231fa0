//! The event feed: equal places across pages, pages in no order, places that are forgotten.

use std::{collections::BTreeSet, sync::atomic::Ordering};

use emulator::diadoc::Answered;
use emulator::{Fault, Kind, System};
use runtime::Worker as _;
use runtime::testing::Job;

use crate::{
    order::{order, shipped},
    world::World,
};

async fn sent(world: &World, count: u64) -> BTreeSet<String> {
    for id in 1..=count {
        world.send(&mut Job::new(shipped(&order(id, world.now())))).await;
    }
    world.messages().into_iter().map(|message| message.id).collect()
}

fn nudged(world: &World) -> BTreeSet<String> {
    world.ears.nudged.lock().unwrap().drain(..).collect()
}

#[tokio::test]
async fn no_event_is_lost_though_places_are_equal_across_pages_and_pages_come_in_no_order() {
    // Places are shared by two: a page of an odd length parts them.
    let world = World::with("", &[], |settings| {
        settings.diadoc.page = 3;
        settings.diadoc.disorder = true;
    })
    .await;
    let all = sent(&world, 12).await;
    let follow = || async { world.another().background().await };
    follow().await;
    assert_eq!(nudged(&world), all);
    // What is known is passed over by every replica.
    follow().await;
    assert_eq!(nudged(&world), BTreeSet::new());
    for message in &all {
        let now = world.now();
        world.running.emulator.diadoc.books().answer(message, Answered::Signed, now);
    }
    for _ in 0..4 {
        follow().await;
    }
    assert_eq!(nudged(&world), all);
    world.agrees();
}

#[tokio::test]
async fn a_place_that_diadoc_has_forgotten_is_replaced_by_an_earlier_one() {
    let world = World::new().await;
    sent(&world, 2).await;
    world.another().background().await;
    let spoil = "UPDATE feeds SET index_key = 'no such place'";
    sqlx::query(spoil).execute(world.tables.pool()).await.unwrap();
    nudged(&world);
    world.answer(Answered::Signed);
    for _ in 0..2 {
        world.another().background().await;
    }
    assert_eq!(nudged(&world), BTreeSet::from([world.messages().pop().unwrap().id]));
}

#[tokio::test]
async fn a_reading_that_fails_is_done_again() {
    let world = World::new().await;
    let all = sent(&world, 3).await;
    world.fault(Fault::new(System::Diadoc, Kind::Status).code(500).on("/V8/GetNewEvents").times(1));
    world.another().background().await;
    assert_eq!(nudged(&world), BTreeSet::new());
    world.another().background().await;
    assert_eq!(nudged(&world), all);
}

#[tokio::test]
async fn what_a_buyer_does_after_his_signature_is_told_to_the_shop() {
    let cases = [
        (
            Answered::RevocationAsked,
            "revocation_asked",
            "просит аннулировать УПД по заказу № A-1",
            "signed",
        ),
        (Answered::Revoked, "upd_revoked", "УПД № A-1 по заказу № A-1 аннулирован", "revoked"),
        (
            Answered::CorrectionAsked { text: "Адрес другой".to_owned() },
            "correction_asked",
            "Покупатель пишет: «Адрес другой»",
            "to_correct",
        ),
        (Answered::Corrected, "upd_corrected", "отправлена корректировка (УКД)", "corrected"),
    ];
    for (answered, code, words, state) in cases {
        let world = World::new().await;
        let mut job = Job::new(shipped(&order(1, world.now())));
        world.send(&mut job).await;
        world.answer(Answered::Signed);
        world.carry(&mut job).await;
        world.ears.over.store(true, Ordering::Relaxed);
        world.another().background().await;
        assert_eq!(world.ears.heard(), [], "his signature was told by the job");
        world.answer(answered);
        for _ in 0..2 {
            world.another().background().await;
        }
        let heard = world.ears.heard();
        assert_eq!(heard.len(), 1, "{code}: once: {heard:?}");
        assert_eq!(heard[0].1, code);
        assert!(heard[0].2.contains(words) && heard[0].2.ends_with('.'), "{}", heard[0].2);
        assert_eq!(world.states().await, [state], "{code}");
    }
}
