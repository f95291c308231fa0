//! Codes and documents: what is asked, what is answered, and what is not known afterwards.

use std::time::{Duration, Instant};

use emulator::{Fault, Kind, System, settings::GismtAnswer};
use marking::gismt::{
    CisStatus, Client, DocId, DocStatus, Filter, What,
    documents::{DocumentType, Matrix, Reason, Return, ReturnType, Returned, cancel, return_},
};
use time::OffsetDateTime;

use super::scene::{INN, Scene, codes, lp, sale};

const CREATE: &str = "/lk/documents/create";

async fn withdraw(client: &Client, codes: &[String]) -> DocId {
    hand_in(client, DocumentType::Withdrawal, &sale(codes)).await
}

async fn hand_in(client: &Client, kind: DocumentType, body: &[u8]) -> DocId {
    let signature = client.sign(body).await.unwrap();
    client.create(lp(), kind, body, &signature).await.unwrap()
}

/// How a document ends.
async fn ended(client: &Client, id: &DocId) -> DocStatus {
    loop {
        match client.doc_info(lp(), id).await.unwrap().map(|info| info.status) {
            None | Some(DocStatus::Open) => {}
            Some(status) => return status,
        }
    }
}

fn of_today() -> Filter {
    let from = OffsetDateTime::now_utc() - time::Duration::HOUR;
    Filter { group: lp(), kind: DocumentType::Withdrawal, from, to: None }
}

fn back(codes: &[String]) -> Vec<u8> {
    let product = |ki: &String| Returned {
        ki: ki.clone(),
        reason: Reason::Distance,
        paid: None,
        primary: None,
        certificate: None,
    };
    let asked = Return {
        inn: INN.into(),
        return_type: ReturnType::RemoteSale,
        paid: Some(false),
        primary: None,
        certificate: None,
        products: codes.iter().map(product).collect(),
    };
    return_(&asked, &Matrix::default()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_told_in_the_order_asked_in_requests_of_a_thousand() {
    let scene = Scene::set(|_| {}).await;
    let client = scene.client();
    let all = codes(2_500);
    scene.put("lp", &all[..2_000]);
    let before = scene.summary().requests;
    let mut asked: Vec<String> = all.iter().rev().cloned().collect();
    asked.push(all[0].clone());
    let told = client.cises_info(&asked, None).await.unwrap();
    assert_eq!(told.len(), asked.len());
    assert!(told.iter().zip(&asked).all(|(info, ki)| info.requested == *ki));
    assert_eq!(told.iter().filter(|info| info.code.is_none()).count(), 500);
    assert_eq!(told[2_499].sellable(INN), Ok(lp()));
    let asked = 3 + 2 + 2;
    assert_eq!(scene.summary().requests - before, asked, "a sign-in, and the unknown by group");
    scene.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_of_groups_that_must_be_named_are_found_without_knowing_the_group() {
    let scene = Scene::set(|_| {}).await;
    let all = codes(4);
    for (group, codes) in [("water", &all[..1]), ("lp", &all[1..2]), ("milk", &all[2..3])] {
        scene.put(group, codes);
    }
    let told = scene.client().cises_info(&all, None).await.unwrap();
    let groups: Vec<Option<&str>> =
        told.iter().map(|info| Some(info.code.as_ref()?.group?.code())).collect();
    assert_eq!(groups, [Some("water"), Some("lp"), Some("milk"), None]);
    let fault = Fault::new(System::Gismt, Kind::Refusal);
    // Without a contract for milk its codes are unknown, and nothing else is.
    let fault = fault.on("/cises/info").after(1).times(1).code(403);
    scene.running.emulator.faults.add(fault).unwrap();
    let told = scene.client().cises_info(&all, None).await.unwrap();
    assert_eq!(told.iter().filter(|info| info.code.is_some()).count(), 2);
    scene.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_that_nobody_knows_come_with_404_and_are_an_answer_all_the_same() {
    let scene = Scene::set(|_| {}).await;
    let told = scene.client().cises_info(&codes(2), Some(lp())).await.unwrap();
    assert!(told.len() == 2 && told.iter().all(|info| info.code.is_none() && info.error.is_some()));
    scene.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_is_withdrawn_returned_withdrawn_and_cancelled() {
    let scene = Scene::set(|settings| {
        settings.gismt.looks = 2;
        settings.gismt.hidden_looks = 1;
        settings.gismt.code_looks = 1;
    })
    .await;
    let client = scene.client();
    let sold = codes(3);
    scene.put("lp", &sold);
    let id = withdraw(&client, &sold).await;
    assert_eq!(client.doc_info(lp(), &id).await.unwrap(), None, "not shown at once");
    assert_eq!(ended(&client, &id).await, DocStatus::Accepted);
    // Accepted is not yet seen at the codes.
    let told = client.cises_info(&sold, None).await.unwrap();
    assert_eq!(told[0].code.as_ref().unwrap().status, Some(CisStatus::Introduced));
    let told = client.cises_info(&sold, None).await.unwrap();
    let code = told[0].code.as_ref().unwrap();
    assert_eq!((code.status, code.reason), (Some(CisStatus::Retired), Some(Reason::Distance)));
    let returned = hand_in(&client, DocumentType::Return, &back(&sold[..1])).await;
    assert_eq!(ended(&client, &returned).await, DocStatus::Accepted);
    // Its codes have gone on, so it cannot be undone any more.
    let undone = hand_in(&client, DocumentType::Cancel, &cancel(INN, &id).unwrap()).await;
    assert_eq!(ended(&client, &undone).await, DocStatus::Refused);
    let again = withdraw(&client, &sold[..1]).await;
    assert_eq!(ended(&client, &again).await, DocStatus::Accepted);
    let undone = hand_in(&client, DocumentType::Cancel, &cancel(INN, &again).unwrap()).await;
    assert_eq!(ended(&client, &undone).await, DocStatus::Accepted);
    assert_eq!(ended(&client, &again).await, DocStatus::Cancelled);
    {
        let books = scene.running.emulator.gismt.books();
        let done: Vec<String> =
            books.codes()[&sold[0]].effects.iter().map(|effect| effect.what.clone()).collect();
        assert_eq!(done, ["withdrawn", "returned", "withdrawn", "cancelled"]);
        assert_eq!(books.documents()[0].total_kopecks, 3 * 550_400);
        assert_eq!(books.documents()[0].body.as_bytes(), sale(&sold), "the exact bytes");
    }
    scene.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_code_refuses_its_document_and_no_other() {
    let scene = Scene::set(|_| {}).await;
    let client = scene.client();
    let all = codes(3);
    scene.put("lp", &all[..2]);
    let wrong = withdraw(&client, &all[1..]).await;
    let right = withdraw(&client, &all[..1]).await;
    assert_eq!(ended(&client, &wrong).await, DocStatus::Refused);
    assert_eq!(ended(&client, &right).await, DocStatus::Accepted);
    let info = client.doc_info(lp(), &wrong).await.unwrap().unwrap();
    assert!(info.errors.iter().all(|error| error.contains(&all[2])), "{:?}", info.errors);
    assert!(!info.errors.is_empty());
    scene.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_over_other_bytes_is_refused_and_nothing_is_taken() {
    let scene = Scene::set(|_| {}).await;
    let client = scene.client();
    let sold = codes(2);
    scene.put("lp", &sold);
    let signature = client.sign(&sale(&sold[..1])).await.unwrap();
    let created =
        client.create(lp(), DocumentType::Withdrawal, &sale(&sold), &signature).await.unwrap_err();
    assert!(matches!(created.what, What::SignatureRefused(_)), "{created:?}");
    assert!(created.what.had_no_effect());
    assert_eq!(scene.summary().documents, 0);
    scene.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_not_known_and_found_by_its_codes() {
    let scene = Scene::set(|_| {}).await;
    let client = scene.client_with(|args| args.gismt_timeout = Duration::from_secs(2));
    let sold = codes(2);
    scene.put("lp", &sold);
    let faults = &scene.running.emulator.faults;
    for (kind, taken) in
        [(Kind::Hang, true), (Kind::HangBefore, false), (Kind::Reset, true), (Kind::Garbage, true)]
    {
        faults.clear();
        faults.add(Fault::new(System::Gismt, kind).on(CREATE).times(1)).unwrap();
        let before = scene.summary().documents;
        let body = sale(&sold);
        let signature = client.sign(&body).await.unwrap();
        let failed =
            client.create(lp(), DocumentType::Withdrawal, &body, &signature).await.unwrap_err();
        assert!(!failed.what.had_no_effect(), "{kind:?}: {failed:?}");
        assert_eq!(scene.summary().documents - before, usize::from(taken), "{kind:?}");
        let listed = client.doc_list(&of_today()).await.unwrap();
        assert_eq!(listed.len(), scene.summary().documents, "{kind:?}");
        if let (true, Some(last)) = (taken, listed.last()) {
            assert_eq!(client.doc_cises(lp(), &last.id).await.unwrap(), Some(sold.clone()));
        }
    }
    scene.running.emulator.listen(emulator::Listen::Closed);
    let failed = client.doc_list(&of_today()).await.unwrap_err();
    assert!(matches!(failed.what, What::NotSent(_)), "{failed:?}");
    scene.running.emulator.listen(emulator::Listen::Open);
    scene.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_the_id_is_read_and_none_is_not_a_refusal() {
    let scene = Scene::set(|_| {}).await;
    let client = scene.client();
    for answer in [GismtAnswer::Bare, GismtAnswer::Quoted, GismtAnswer::Object] {
        scene.running.emulator.change(|settings| settings.gismt.answer = answer);
        let id = withdraw(&client, &codes(1)).await;
        assert!(client.doc_info(lp(), &id).await.unwrap().is_some(), "{answer:?}");
    }
    scene.running.emulator.change(|settings| {
        settings.gismt.answer = GismtAnswer::Empty;
        settings.gismt.info_is_object = true;
    });
    let body = sale(&codes(1));
    let signature = client.sign(&body).await.unwrap();
    let failed =
        client.create(lp(), DocumentType::Withdrawal, &body, &signature).await.unwrap_err();
    assert!(matches!(failed.what, What::NoId(_)) && !failed.what.had_no_effect());
    let listed = client.doc_list(&of_today()).await.unwrap();
    assert_eq!(listed.len(), 4);
    assert!(client.doc_info(lp(), &listed[3].id).await.unwrap().is_some());
    scene.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_read_to_its_end() {
    let scene = Scene::set(|settings| settings.gismt.rate = 0).await;
    let client = scene.client_with(|args| args.gismt_rate = 10_000.try_into().unwrap());
    let body = sale(&codes(1));
    let signature = client.sign(&body).await.unwrap();
    for _ in 0..20 {
        client.create(lp(), DocumentType::Withdrawal, &body, &signature).await.unwrap();
    }
    let listed = client.doc_list(&of_today()).await.unwrap();
    assert_eq!(listed.len(), 20);
    let none = Filter { kind: DocumentType::Return, ..of_today() };
    assert_eq!(client.doc_list(&none).await.unwrap(), []);
    scene.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_have_meanings() {
    let scene = Scene::set(|_| {}).await;
    let client = scene.client();
    client.cises_info(&codes(1), None).await.unwrap();
    let body = sale(&codes(1));
    let signature = client.sign(&body).await.unwrap();
    for (code, meaning) in [
        (400, "rejected with status 400"),
        (402, "rejected with status 402"),
        (403, "forbidden"),
        (404, "rejected with status 404"),
        (406, "rejected with status 406"),
        (413, "too large"),
        (422, "the signature is refused"),
        (451, "not served at this address"),
        (500, "the register failed with status 500"),
        (503, "the register failed with status 503"),
    ] {
        let fault = Fault::new(System::Gismt, Kind::Refusal).on(CREATE).times(1).code(code);
        scene.running.emulator.faults.add(fault).unwrap();
        let failed =
            client.create(lp(), DocumentType::Withdrawal, &body, &signature).await.unwrap_err();
        assert!(failed.to_string().starts_with(meaning), "{code}: {failed}");
        assert_eq!(failed.what.had_no_effect(), code < 500, "{code}");
    }
    assert_eq!(scene.summary().documents, 0);
    scene.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_429_nobody_asks_for_as_long_as_the_register_says() {
    let scene = Scene::set(|_| {}).await;
    let (one, other) = (scene.client(), scene.client());
    one.cises_info(&codes(1), None).await.unwrap();
    other.cises_info(&codes(1), None).await.unwrap();
    let mut fault = Fault::new(System::Gismt, Kind::Status).on("/cises/info").times(1).code(429);
    fault.retry_after = Some("2".into());
    scene.running.emulator.faults.add(fault).unwrap();
    let failed = one.cises_info(&codes(1), None).await.unwrap_err();
    let after = Some(Duration::from_secs(2));
    assert_eq!(failed.what, What::RateLimited { after });
    assert!(failed.what.had_no_effect());
    let began = Instant::now();
    other.cises_info(&codes(1), None).await.unwrap();
    assert!(began.elapsed() > Duration::from_millis(1_900), "{:?}", began.elapsed());
    // A longer silence is the job's to wait for, not the process's.
    let mut fault = Fault::new(System::Gismt, Kind::Status).on("/cises/info").times(1).code(429);
    fault.retry_after = Some("60".into());
    scene.running.emulator.faults.add(fault).unwrap();
    one.cises_info(&codes(1), None).await.unwrap_err();
    let began = Instant::now();
    let failed = other.cises_info(&codes(1), None).await.unwrap_err();
    assert!(matches!(failed.what, What::Busy { .. }), "{failed:?}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    scene.end();
}
