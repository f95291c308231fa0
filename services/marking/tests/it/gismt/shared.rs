//! What replicas share: one token, one rate.

use emulator::{Fault, Kind, System, settings::GismtSignIn};
use futures_util::future::join_all;
use marking::gismt::{SignIn, What, documents::DocumentType};
use runtime::Failure;
use signing::testing::{Pair, Subject};

use super::scene::{Scene, codes, lp, sale};

#[tokio::test(flavor = "multi_thread")]
async fn eight_replicas_that_begin_together_sign_in_once() {
    let scene = Scene::set(|_| {}).await;
    let clients: Vec<_> = (0..8).map(|_| scene.client()).collect();
    let asked = codes(1);
    let told = join_all(clients.iter().map(|client| client.cises_info(&asked, None))).await;
    assert!(told.iter().all(Result::is_ok), "{told:?}");
    assert_eq!(scene.summary().sign_ins, 1);
    scene.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_sign_in_gives_a_token() {
    for (theirs, ours) in [
        (GismtSignIn::Challenge, SignIn::Challenge),
        (GismtSignIn::Inn, SignIn::Inn),
        (GismtSignIn::Jwt, SignIn::Jwt),
    ] {
        let scene = Scene::set(|settings| settings.gismt.sign_in = theirs).await;
        let client = scene.client_with(|args| args.gismt_sign_in = ours);
        client.cises_info(&codes(1), None).await.unwrap();
        assert_eq!(scene.summary().sign_ins, 1, "{ours:?}");
        scene.end();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_in_the_middle_is_replaced_once_for_all() {
    let scene = Scene::set(|_| {}).await;
    let clients: Vec<_> = (0..6).map(|_| scene.client()).collect();
    let asked = codes(1);
    join_all(clients.iter().map(|client| client.cises_info(&asked, None))).await;
    for round in 2..4 {
        // Ten hours by the register's clock, which ours knows nothing of.
        scene.running.emulator.clock.advance(11 * 3600);
        let told = join_all(clients.iter().map(|client| client.cises_info(&asked, None))).await;
        assert!(told.iter().all(Result::is_ok), "{told:?}");
        assert_eq!(scene.summary().sign_ins, round);
    }
    scene.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_refused_for_its_token_is_handed_in_once() {
    let scene = Scene::set(|_| {}).await;
    let client = scene.client();
    scene.put("lp", &codes(1));
    client.cises_info(&codes(1), None).await.unwrap();
    scene.running.emulator.gismt.books().revoke();
    let body = sale(&codes(1));
    let signature = client.sign(&body).await.unwrap();
    client.create(lp(), DocumentType::Withdrawal, &body, &signature).await.unwrap();
    assert_eq!((scene.summary().documents, scene.summary().sign_ins), (1, 2));
    scene.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_refused_twice_is_an_error_that_was_not_carried_out() {
    let scene = Scene::set(|_| {}).await;
    let client = scene.client();
    let refuse = |times| {
        let fault = Fault::new(System::Gismt, Kind::Status).on("/cises/info").times(times);
        scene.running.emulator.faults.add(fault.code(401)).unwrap();
    };
    refuse(1);
    client.cises_info(&codes(1), None).await.unwrap();
    assert_eq!(scene.summary().sign_ins, 2);
    refuse(2);
    let failed = client.cises_info(&codes(1), None).await.unwrap_err();
    assert_eq!(failed.what, What::Unauthorized);
    assert!(failed.what.had_no_effect());
    assert!(matches!(Failure::from(failed), Failure::Retry(..)));
    client.cises_info(&codes(1), None).await.unwrap();
    scene.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_certificate_is_refused_and_nobody_storms_the_door() {
    let scene = Scene::set(|_| {}).await;
    let pair = Pair::make(&Subject::of("7707083893"));
    let clients: Vec<_> = (0..4).map(|_| scene.client_by(&pair, |_| {})).collect();
    let asked = codes(1);
    let told = join_all(clients.iter().map(|client| client.cises_info(&asked, None))).await;
    for told in told {
        let failed = told.unwrap_err().of("1001");
        let inside = match &failed.what {
            What::SignIn(inside) => inside,
            What::Busy { .. } => continue,
            other => panic!("{other:?}"),
        };
        assert!(matches!(**inside, What::Forbidden(_)), "{failed:?}");
        let Failure::Down(reason) = Failure::from(failed) else { panic!("every order's trouble") };
        assert!(reason.text.ru.contains("№ 1001") && reason.text.ru.contains("сертификат"));
    }
    let summary = scene.summary();
    // Two requests for each try, and a pause of two seconds between tries.
    assert!(summary.sign_ins == 0 && summary.requests <= 16, "{summary:?}");
    scene.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_token_is_not_renewed_for_every_call() {
    let scene = Scene::set(|settings| settings.gismt.token_s = 120).await;
    let client = scene.client();
    for _ in 0..5 {
        client.cises_info(&codes(1), None).await.unwrap();
    }
    assert_eq!(scene.summary().sign_ins, 1);
    scene.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn three_replicas_keep_fifty_requests_a_second_together() {
    let scene = Scene::set(|_| {}).await;
    let clients: Vec<_> = (0..3).map(|_| scene.client()).collect();
    let asked = codes(1);
    let calls =
        (0..150).zip(clients.iter().cycle()).map(|(_, client)| client.cises_info(&asked, None));
    let told = join_all(calls).await;
    let refused: Vec<_> = told.into_iter().filter_map(Result::err).collect();
    assert_eq!(refused, [], "{} beyond the rate", scene.summary().throttled);
    scene.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgresql_nothing_is_asked() {
    let scene = Scene::set(|_| {}).await;
    let client = scene.client();
    client.cises_info(&codes(1), None).await.unwrap();
    let before = scene.summary().requests;
    scene.tables.pool().close().await;
    let failed = client.cises_info(&codes(1), None).await.unwrap_err();
    assert!(matches!(failed.what, What::Store(_)) && failed.what.had_no_effect(), "{failed:?}");
    assert_eq!(scene.summary().requests, before);
    scene.end();
}
