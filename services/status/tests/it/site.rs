//! What is written on a site's order.

use emulator::{Fault, Kind, System};
use events::Phase;
use std::time::Duration;

use runtime::testing::End;

use crate::scene::{Scene, say};

#[tokio::test]
async fn a_site_gets_all_in_one_signed_call() {
    let scene = Scene::set().await;
    let receipt = say(236, Phase::Done)
        .on_site()
        .text("Чек пробит.")
        .link("qr", "https://receipt.example/1")
        .with("CLOUDKASSIR_FN", "9999");
    assert_eq!(receipt.told(&scene.worker()).await, End::Done);
    let order = scene.running.emulator.site.books().orders[&236].clone();
    assert_eq!((order.account_number.as_str(), order.writes), ("236A", 1));
    assert_eq!(order.properties["CLOUDKASSIR_FN"], "9999");
    assert_eq!(order.comments, ["Чек пробит.\nqr: https://receipt.example/1"]);
    assert_eq!(
        (order.statuses["fiscal"].phase.as_str(), order.status_id.as_deref()),
        ("done", None)
    );
    assert_eq!(scene.hits(), 0);
    scene.end().await;
}

#[tokio::test]
async fn a_site_is_told_the_status_that_is_configured_and_bare_words_as_well() {
    let scene = Scene::set().await;
    let worker = scene.worker();
    say(236, Phase::Working).on_site().at(1).told(&worker).await;
    say(236, Phase::Failed).on_site().at(2).told(&worker).await;
    let order = scene.running.emulator.site.books().orders[&236].clone();
    assert_eq!((order.writes, order.comments.len()), (2, 1));
    assert_eq!(
        (order.status_id.as_deref(), order.statuses["fiscal"].phase.as_str()),
        (Some("ER"), "failed")
    );
    scene.end().await;
}

#[tokio::test]
async fn a_site_is_not_called_more_often_at_once_than_it_may_be() {
    let mut scene = Scene::set().await;
    scene.reconfigure("[shops.demo-site.site]", "[shops.demo-site.site]\ncalls = 1");
    let worker = scene.worker();
    let slow = Fault { ms: Some(4_000), ..Fault::new(System::Site, Kind::Slow).times(1) };
    scene.running.emulator.faults.add(slow).unwrap();
    let site = &scene.running.emulator.site;
    let (first, second) = (say(236, Phase::Done).on_site(), say(237, Phase::Done).on_site());
    let meanwhile = async {
        let begun = || async { site.books().orders.contains_key(&236) };
        scene.stage.until("the first call is under way", Duration::from_secs(30), begun).await;
        let waits = second.told(&worker).await;
        assert!(matches!(waits, End::Wait(_)), "{waits:?}");
        assert!(!site.books().orders.contains_key(&237), "nothing was sent");
    };
    let (told, ()) = tokio::join!(first.told(&worker), meanwhile);
    assert_eq!(told, End::Done);
    assert_eq!(second.told(&worker).await, End::Done);
    scene.end().await;
}

#[tokio::test]
async fn an_answer_that_got_lost_changes_nothing_twice() {
    let scene = Scene::set().await;
    let worker = scene.worker();
    let done = say(236, Phase::Done).on_site();
    for kind in [Kind::Reset, Kind::Garbage] {
        scene.running.emulator.faults.add(Fault::new(System::Site, kind).times(1)).unwrap();
    }
    let End::Retry(reason, None) = done.told(&worker).await else { panic!("the answer was lost") };
    assert_eq!(
        (reason.code.as_str(), reason.text.en.contains("Order 236A")),
        ("site_unavailable", true)
    );
    assert_eq!(done.told(&worker).await, End::Done, "any 2xx is a yes, whatever its words");
    let order = scene.running.emulator.site.books().orders[&236].clone();
    assert_eq!((order.writes, order.repeats, order.comments.len()), (1, 1, 1));
    scene.end().await;
}

#[tokio::test]
async fn what_waits_behind_a_lost_answer_is_a_write_of_its_own() {
    let scene = Scene::set().await;
    let worker = scene.worker();
    scene.running.emulator.faults.add(Fault::new(System::Site, Kind::Reset).times(1)).unwrap();
    say(236, Phase::Working).on_site().at(1).told(&worker).await;
    assert_eq!(say(236, Phase::Done).on_site().at(2).told(&worker).await, End::Done);
    let order = scene.running.emulator.site.books().orders[&236].clone();
    assert_eq!((order.writes, order.repeats), (2, 1), "the first again as it was, then the second");
    scene.end().await;
}

#[tokio::test]
async fn each_answer_of_a_site_ends_as_it_should() {
    let scene = Scene::set().await;
    let worker = scene.worker();
    let rows = [
        (401, "site_signature"),
        (403, "site_signature"),
        (404, "site_no_module"),
        (422, "site_refused"),
    ];
    for (order, (status, code)) in (1..).zip(rows) {
        let fault = Fault::new(System::Site, Kind::Status).code(status).times(1);
        scene.running.emulator.faults.add(fault).unwrap();
        let done = say(order, Phase::Done).on_site();
        let End::Dead(reason) = done.told(&worker).await else { panic!("{status} is a no") };
        assert_eq!(reason.code, code);
        assert_eq!(done.told(&worker).await, End::Done, "a replay after the repair");
        assert_eq!(scene.running.emulator.site.books().orders[&order].writes, 1);
    }
    for (order, status) in (10..).zip([408, 429, 500, 503]) {
        let mut fault = Fault::new(System::Site, Kind::Status).code(status).times(1);
        fault.retry_after = Some("7".into());
        scene.running.emulator.faults.add(fault).unwrap();
        let done = say(order, Phase::Done).on_site();
        let End::Retry(_, after) = done.told(&worker).await else { panic!("{status} may pass") };
        assert_eq!(after, Some(Duration::from_secs(7)));
        assert_eq!(done.told(&worker).await, End::Done);
    }
    scene.end().await;
}

#[tokio::test]
async fn a_wrong_secret_is_a_dead_letter_and_a_replay_after_the_repair_is_written() {
    let mut scene = Scene::set().await;
    let (right, wrong) = (
        "c2l0ZSBzZWNyZXQgMDE=\"\n[shops.demo-site.statuses]",
        "c2l0ZSBzZWNyZXQgMDI=\"\n[shops.demo-site.statuses]",
    );
    let right = format!("whsec_cGFyb20gZW11bGF0b3Ig{right}");
    let wrong = format!("whsec_cGFyb20gZW11bGF0b3Ig{wrong}");
    scene.reconfigure(&right, &wrong);
    let done = say(236, Phase::Done).on_site();
    let End::Dead(reason) = done.told(&scene.worker()).await else { panic!("not signed") };
    assert_eq!(reason.code, "site_signature");
    scene.reconfigure(&wrong, &right);
    assert_eq!(done.told(&scene.worker()).await, End::Done);
    assert_eq!(scene.running.emulator.site.books().orders[&236].writes, 1);
    scene.clear().await;
}
