//! Who gets the document: the right box, invitations, buyers who are not there.

use emulator::diadoc::Buyer;
use events::Phase;
use runtime::testing::{End, Job};

use crate::{
    order::{BUYER_INN, BUYER_KPP, order, shipped},
    world::{BUYER_BOX, World, name, told},
};

const OTHER_BOX: &str = "2700ef9e-0108-4619-8d3e-74463cedc6c2";

#[tokio::test]
async fn among_several_rows_the_right_one_gets_it() {
    let world = World::new().await;
    {
        let mut books = world.running.emulator.diadoc.books();
        let mut roaming = Buyer::new(BUYER_INN, BUYER_KPP, OTHER_BOX);
        (roaming.roaming, roaming.participant) = (true, "2AE-roaming".to_owned());
        books.put(roaming);
        let mut closed = Buyer::new(BUYER_INN, BUYER_KPP, "4f7ce8b1-5761-4cb9-86ef-87ac132e45cb");
        closed.active = false;
        books.put(closed);
    }
    world.send(&mut Job::new(shipped(&order(1, world.now())))).await;
    assert_eq!(world.messages()[0].to, BUYER_BOX);
    world.agrees();
}

#[tokio::test]
async fn a_buyer_who_is_not_there_is_an_exception_and_the_order_goes_on_when_he_is() {
    let world = World::new().await;
    let mut order = order(1, world.now());
    order.buyer.kpp = Some("770101001".to_owned());
    let mut job = Job::new(shipped(&order));
    let End::Dead(reason) = job.run(&*world.edo).await else { panic!("it stops") };
    assert_eq!(reason.code, "counterparty_missing");
    assert!(reason.text.ru.contains(BUYER_INN) && reason.text.ru.contains("770101001"));
    let new = Buyer::new(BUYER_INN, "770101001", OTHER_BOX);
    world.running.emulator.diadoc.books().put(new);
    world.send(&mut job).await;
    assert_eq!(world.messages()[0].to, OTHER_BOX);
    world.agrees();
}

#[tokio::test]
async fn a_stranger_who_takes_from_partners_alone_is_invited_and_waited_for() {
    let world = World::with("invite = true", &[], |_| {}).await;
    let relate = |status: &str| {
        world.running.emulator.diadoc.books().relate(BUYER_BOX, status);
    };
    let mut buyer = Buyer::new(BUYER_INN, BUYER_KPP, BUYER_BOX);
    buyer.sociability = "CounteragentsOnly".to_owned();
    buyer.status = "NotInCounteragentList".to_owned();
    world.running.emulator.diadoc.books().put(buyer);
    let mut job = Job::new(shipped(&order(1, world.now())));
    for _ in 0..3 {
        assert_eq!(name(&job.run(&*world.edo).await), "wait 900s");
    }
    assert_eq!(told(&job), [(Phase::Failed, "counterparty_invited")]);
    relate("IsMyCounteragent");
    world.send(&mut job).await;
    assert_eq!(world.messages().len(), 1);
    world.agrees();
}

#[tokio::test]
async fn an_invitation_of_his_own_is_accepted() {
    let world = World::with("invite = true\nto_strangers = false", &[], |_| {}).await;
    world.running.emulator.diadoc.books().relate(BUYER_BOX, "InvitesMe");
    let mut job = Job::new(shipped(&order(1, world.now())));
    assert_eq!(name(&job.run(&*world.edo).await), "wait 900s");
    assert_eq!(told(&job), [], "nobody has to ask him for anything");
    world.send(&mut job).await;
    assert_eq!(world.messages().len(), 1);
}

/// He takes from all, and his invitation lies there: no reason to stop.
#[tokio::test]
async fn a_buyer_who_invites_us_gets_his_document_where_nobody_is_invited() {
    let world = World::new().await;
    world.running.emulator.diadoc.books().relate(BUYER_BOX, "InvitesMe");
    world.send(&mut Job::new(shipped(&order(1, world.now())))).await;
    assert_eq!(world.messages().len(), 1);
}

#[tokio::test]
async fn who_does_not_want_us_is_an_exception() {
    for (status, settings) in [
        ("RejectsMe", ""),
        ("IsRejectedByMe", ""),
        ("NotInCounteragentList", "to_strangers = false"),
    ] {
        let world = World::with(settings, &[], |_| {}).await;
        world.running.emulator.diadoc.books().relate(BUYER_BOX, status);
        let mut job = Job::new(shipped(&order(1, world.now())));
        assert_eq!(name(&job.run(&*world.edo).await), "dead counterparty_refuses", "{status}");
        world.running.emulator.diadoc.books().relate(BUYER_BOX, "IsMyCounteragent");
        world.send(&mut job).await;
        assert_eq!(world.messages().len(), 1);
    }
}

#[tokio::test]
async fn a_box_is_found_once_and_kept() {
    let world = World::new().await;
    world.send(&mut Job::new(shipped(&order(1, world.now())))).await;
    let before = world.running.emulator.diadoc.books().summary().requests;
    world.send(&mut Job::new(shipped(&order(2, world.now())))).await;
    let after = world.running.emulator.diadoc.books().summary().requests;
    assert_eq!(after - before, 2, "CanPostMessage and PostMessage alone");
}

#[tokio::test]
async fn what_diadoc_would_not_take_is_told_before_it_is_sent() {
    let world = World::with("[types]\nversion_5_03 = \"utd970_05_02_01\"", &[], |_| {}).await;
    let mut job = Job::new(shipped(&order(1, world.now())));
    assert_eq!(name(&job.run(&*world.edo).await), "dead diadoc_cannot_post");
    assert_eq!(world.messages().len(), 0);
}
