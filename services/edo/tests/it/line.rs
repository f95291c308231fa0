//! The line to Diadoc: sign-in, rotation, rate and lanes over all replicas.

use emulator::{
    Fault, Kind, System,
    diadoc::{Answered, Buyer},
    settings::DiadocSignIn,
};
use futures_util::future::join_all;
use runtime::testing::{End, Job};
use secrecy::SecretString;

use crate::{
    order::{BUYER_INN, BUYER_KPP, order, shipped},
    world::{BUYER_BOX, World, name},
};

#[tokio::test]
async fn refresh_tokens_rotate_and_replicas_share_one_token() {
    let world = World::new().await;
    let replicas: Vec<_> = (0..4).map(|_| world.another()).collect();
    for round in 1..4 {
        let runs = replicas.iter().zip(round * 10..).map(|(edo, id)| {
            let mut job = Job::new(shipped(&order(id, world.now())));
            async move { name(&job.run(&**edo).await) }
        });
        assert_eq!(join_all(runs).await, vec!["wait 30s"; 4]);
        let summary = world.running.emulator.diadoc.books().summary();
        assert_eq!(summary.sign_ins, usize::try_from(round).unwrap());
        // Diadoc forgets all tokens: each is refused once, and one replica gets the next.
        world.running.emulator.diadoc.books().revoke();
    }
    world.agrees();
}

#[tokio::test]
async fn a_lost_refresh_token_is_replaced_by_the_one_in_the_settings() {
    let world = World::new().await;
    world.send(&mut Job::new(shipped(&order(1, world.now())))).await;
    {
        let mut books = world.running.emulator.diadoc.books();
        books.revoke();
        books.forget_refresh("emulator_refresh_token");
    }
    world.send(&mut Job::new(shipped(&order(2, world.now())))).await;
    world.agrees();
}

#[tokio::test]
async fn while_nobody_can_sign_in_the_old_token_is_used_to_its_end() {
    let world = World::new().await;
    world.send(&mut Job::new(shipped(&order(1, world.now())))).await;
    let away = Fault::new(System::Diadoc, Kind::Status).on("/connect/token").code(503);
    world.fault(away.times(2));
    run(&world, "UPDATE shared_sessions SET renew_at = 'epoch'").await;
    // Another replica, for it has none in hand.
    let mut job = Job::new(shipped(&order(2, world.now())));
    assert_eq!(name(&job.run(&*world.another()).await), "wait 30s");
    run(&world, "UPDATE shared_sessions SET expires_at = 'epoch', held_until = 'epoch'").await;
    let mut job = Job::new(shipped(&order(3, world.now())));
    assert_eq!(name(&job.run(&*world.another()).await), "retry diadoc_sign_in");
    world.agrees();
}

async fn run(world: &World, sql: &'static str) {
    sqlx::query(sql).execute(world.tables.pool()).await.unwrap();
}

#[tokio::test]
async fn a_sign_in_that_is_refused_stops_the_worker_and_not_the_order() {
    let world = World::with("", &["--diadoc-client-secret=wrong"], |_| {}).await;
    let mut job = Job::new(shipped(&order(1, world.now())));
    assert_eq!(name(&job.run(&*world.edo).await), "down diadoc_sign_in");
}

#[tokio::test]
async fn the_old_way_to_sign_in_works_as_well() {
    let oidc = |settings: &mut emulator::Settings| settings.diadoc.sign_in = DiadocSignIn::Password;
    let world = World::with("", &["--diadoc-sign-in=password"], oidc).await;
    world.send(&mut Job::new(shipped(&order(1, world.now())))).await;
    world.agrees();
    let world = World::with("", &["--diadoc-sign-in=password"], |settings| {
        oidc(settings);
        settings.diadoc.password = SecretString::from("another");
    })
    .await;
    let mut job = Job::new(shipped(&order(1, world.now())));
    assert_eq!(name(&job.run(&*world.edo).await), "down diadoc_sign_in");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_replicas_keep_the_rate_and_four_at_once_together() {
    let world = World::with("", &["--diadoc-rate=40"], |settings| settings.diadoc.rate = 40).await;
    let replicas: Vec<_> = (0..3).map(|_| world.another()).collect();
    let runs = (1..25_u64).zip(replicas.iter().cycle()).map(|(id, edo)| {
        let mut job = Job::new(shipped(&order(id, world.now())));
        async move {
            for _ in 0..20 {
                if matches!(job.run(&**edo).await, End::Wait(_)) {
                    return;
                }
            }
            panic!("it does not come to an end");
        }
    });
    join_all(runs).await;
    let summary = world.running.emulator.diadoc.books().summary();
    assert_eq!((summary.documents, summary.throttled), (24, 0), "{summary:?}");
    assert!(summary.most_at_once <= 4, "{summary:?}");
    world.agrees();
}

#[tokio::test]
async fn a_rate_that_is_used_up_is_waited_for() {
    let world = World::new().await;
    let mut fault =
        Fault::new(System::Diadoc, Kind::Status).on("/CanPostMessage").code(429).times(2);
    fault.retry_after = Some("1".to_owned());
    world.fault(fault);
    let mut job = Job::new(shipped(&order(1, world.now())));
    let way = world.send(&mut job).await;
    assert_eq!(way, ["retry diadoc_busy", "retry diadoc_busy", "wait 30s"]);
    world.agrees();
}

#[tokio::test]
async fn without_postgresql_nothing_is_asked() {
    let world = World::new().await;
    world.tables.pool().close().await;
    let mut job = Job::new(shipped(&order(1, world.now())));
    assert_eq!(name(&job.run(&*world.edo).await), "retry store_away");
    assert_eq!(world.running.emulator.diadoc.books().summary().requests, 0);
}

#[tokio::test]
async fn a_power_of_attorney_goes_with_the_signature_and_into_the_document() {
    let settings = r#"
        [power_of_attorney.known]
        number = "0f8fad5b-d9cb-469f-a165-70867728950e"
        issuer_inn = "7700000016"
        representative_inn = "500100732259"
        [signer]
        authority = "named"
        [signer.attorney]
        number = "0f8fad5b-d9cb-469f-a165-70867728950e"
        given = "2026-01-15"
        system = "https://m4d.nalog.gov.ru"
    "#;
    let world = World::with(settings, &[], |_| {}).await;
    world.send(&mut Job::new(shipped(&order(1, world.now())))).await;
    let content = world.messages().pop().unwrap().content;
    let (text, _, _) = encoding_rs::WINDOWS_1251.decode(&content);
    assert!(text.contains("НомДовер=\"0f8fad5b-d9cb-469f-a165-70867728950e\""), "{text}");
    assert!(text.contains("ДатаВыдДовер=\"15.01.2026\"") && text.contains("СпосПодтПолном=\"3\""));
    world.agrees();
}

#[tokio::test]
async fn a_test_organisation_needs_no_key() {
    let world = World::with("test_signature = true", &["--signer-kind=none"], |settings| {
        settings.diadoc.is_test = true;
    })
    .await;
    let mut job = Job::new(shipped(&order(1, world.now())));
    let End::Dead(reason) = job.run(&*world.edo).await else {
        panic!("a real buyer gets no test signature");
    };
    assert_eq!(reason.code, "counterparty_missing");
    let mut buyer = Buyer::new(BUYER_INN, BUYER_KPP, BUYER_BOX);
    buyer.test = true;
    world.running.emulator.diadoc.books().put(buyer);
    world.send(&mut job).await;
    assert_eq!(world.messages().len(), 1);
    world.answer(Answered::Signed);
    assert_eq!(name(&job.run(&*world.edo).await), "done");
    world.agrees();
}
