//! The way of an order's document, end to end against the emulated Diadoc.

use emulator::{Fault, Kind, System, diadoc::Answered};
use events::Phase;
use runtime::testing::{End, Job};
use signing::Verifier;

use crate::{
    order::{
        cancelled, mended, order, paid, returned, shipped, shipped_anew, shipped_part,
        with_properties,
    },
    world::{BUYER_BOX, World, name, statuses, told},
};

const SENT: (Phase, &str) = (Phase::Working, "upd_sent");
const SIGNED: (Phase, &str) = (Phase::Done, "documents_signed");

#[tokio::test]
async fn a_shipped_order_is_written_signed_sent_and_signed_by_the_buyer() {
    let world = World::new().await;
    let mut job = Job::new(shipped(&order(1, world.now())));
    assert_eq!(world.send(&mut job).await, ["wait 30s"]);
    assert_eq!(told(&job), [SENT]);
    assert_eq!(statuses(&job)[0].properties["DIADOC_BOX_ID"], BUYER_BOX);
    let message = world.messages().pop().unwrap();
    assert_eq!((message.number.as_str(), message.total.as_str()), ("A-1", "1220.00"));
    assert_eq!(job.alias.as_deref(), Some(message.id.as_str()));
    assert!(message.file_name.ends_with("_0_0_0_0_0_00.xml"), "{}", message.file_name);
    // What is kept is what was sent, and the signature holds over it.
    let (content, signature): (Vec<u8>, Vec<u8>) =
        sqlx::query_as("SELECT content, signature FROM documents")
            .fetch_one(world.tables.pool())
            .await
            .unwrap();
    assert_eq!(content, message.content);
    let verified = Verifier::new("openssl", "gost").verify(&signature, Some(&content)).await;
    assert_eq!(verified.unwrap().certificate.inn.as_deref(), Some(crate::world::INN));
    // Looked at, and not answered yet.
    assert_eq!(name(&job.run(&*world.edo).await), "wait 60s");
    world.answer(Answered::Signed);
    assert_eq!(name(&job.run(&*world.edo).await), "done");
    assert_eq!(told(&job), [SENT, SIGNED]);
    assert_eq!(world.states().await, ["signed"]);
    world.agrees();
}

#[tokio::test]
async fn what_is_told_twice_is_sent_once() {
    let world = World::new().await;
    let event = shipped(&order(1, world.now()));
    for _ in 0..2 {
        // The runtime absorbs the second; should it not, the document is the same.
        let mut job = Job::new(event.clone());
        world.send(&mut job).await;
    }
    assert_eq!(world.messages().len(), 1);
    world.agrees();
}

#[tokio::test]
async fn a_person_without_an_inn_gets_no_document() {
    let world = World::new().await;
    let mut order = with_properties(order(1, world.now()), &[("COMPANY", Some(" "))]);
    (order.buyer.inn, order.buyer.kpp) = (Some("  ".to_owned()), None);
    assert_eq!(world.carry(&mut Job::new(shipped(&order))).await, ["done"]);
    assert_eq!(world.messages().len(), 0);
}

#[tokio::test]
async fn where_documents_follow_the_payment_shipments_make_none() {
    let world = World::with("on = \"paid\"", &[], |_| {}).await;
    let order = order(1, world.now());
    assert_eq!(world.carry(&mut Job::new(shipped(&order))).await, ["done"]);
    let mut part = order.clone();
    part.payments[0].sum = events::Money::from_kopecks(100);
    assert_eq!(world.carry(&mut Job::new(paid(&part))).await, ["done"]);
    assert_eq!(world.messages().len(), 0);
    world.send(&mut Job::new(paid(&order))).await;
    assert_eq!(world.messages().len(), 1);
    world.agrees();
}

#[tokio::test]
async fn each_shipment_has_its_own_document_and_number() {
    let world = World::new().await;
    let mut order = order(1, world.now());
    let mut second = order.shipments[0].clone();
    second.id = 12;
    for shipment in [&mut order.shipments[0], &mut second] {
        shipment.items = vec![(7, "5".parse().unwrap())];
    }
    order.shipments.push(second);
    world.send(&mut Job::new(shipped_part(&order, 12))).await;
    world.send(&mut Job::new(shipped_part(&order, 9))).await;
    let sent: Vec<_> = world.messages().into_iter().map(|sent| (sent.number, sent.total)).collect();
    let of = |number: &str| (number.to_owned(), "610.00".to_owned());
    assert_eq!(sent, [of("A-1/2"), of("A-1")]);
    world.agrees();
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_by_the_same_key() {
    for kind in [Kind::Reset, Kind::Garbage] {
        let world = World::new().await;
        world.on_post(kind);
        let mut job = Job::new(shipped(&order(1, world.now())));
        let way = world.send(&mut job).await;
        assert!(way[0].starts_with("retry diadoc_") && way.len() == 2, "{way:?}");
        assert_eq!(world.messages().len(), 1);
        assert_eq!(world.running.emulator.diadoc.books().summary().repeats, 2);
        world.agrees();
    }
}

#[tokio::test]
async fn what_did_not_arrive_is_sent_again() {
    let world = World::new().await;
    for fault in [
        Fault::new(System::Diadoc, Kind::Refuse).times(1),
        Fault::new(System::Diadoc, Kind::Status).code(503).on("/V3/PostMessage").times(1),
        Fault::new(System::Diadoc, Kind::Status).code(429).on("/V3/PostMessage").times(1),
    ] {
        world.fault(fault);
    }
    let mut job = Job::new(shipped(&order(1, world.now())));
    let way = world.send(&mut job).await;
    assert_eq!(way.last().unwrap(), "wait 30s", "{way:?}");
    assert_eq!(world.messages().len(), 1);
    world.agrees();
}

#[tokio::test]
async fn an_operation_that_still_runs_is_asked_for_when_diadoc_says() {
    let world = World::with("", &[], |settings| settings.diadoc.running_asks = 2).await;
    let mut job = Job::new(shipped(&order(1, world.now())));
    assert_eq!(world.send(&mut job).await, ["wait 2s", "wait 2s", "wait 30s"]);
    assert_eq!(world.messages().len(), 1);
    world.agrees();
}

#[tokio::test]
async fn a_crash_after_each_step_leaves_one_document() {
    let world = World::new().await;
    let event = shipped(&order(1, world.now()));
    // A job whose process dies after n steps, and whose last save is lost with it.
    for steps in 1..6 {
        let edo = world.another();
        let (mut state, mut before) = (edo::State::default(), edo::State::default());
        for _ in 0..steps {
            use runtime::Worker as _;
            before = state.clone();
            let Ok(step) = edo.step(&event, state.clone()).await else { break };
            state = step.parts().state;
        }
        let edo = world.another();
        for _ in 0..4 {
            use runtime::Worker as _;
            before = edo.step(&event, before).await.unwrap().parts().state;
        }
        assert_eq!(world.messages().len(), 1, "after {steps} steps");
    }
    let count = "SELECT count(*) FROM documents WHERE signature IS NOT NULL";
    assert_eq!(world.tables.number(count).await, 1);
    world.agrees();
}

#[tokio::test]
async fn a_refusal_with_its_words_reaches_the_manager_and_the_mended_order_makes_a_new_document() {
    for universal in [false, true] {
        let world = World::new().await;
        let event = shipped(&order(1, world.now()));
        let mut job = Job::new(event.clone());
        world.send(&mut job).await;
        world.answer(Answered::Rejected { text: "Не та цена".to_owned(), universal });
        let End::Dead(reason) = job.run(&*world.edo).await else { panic!("it stops") };
        assert_eq!(reason.code, "upd_rejected");
        assert!(reason.text.ru.contains("№ A-1") && reason.text.ru.contains("«Не та цена»"));
        assert_eq!(world.states().await, ["rejected"]);
        // A replay goes on from the state with the order as it says now.
        let event = mended(&event, |order| {
            order.lines[0].price = events::Money::from_kopecks(11_000);
            order.price = events::Money::from_kopecks(110_000);
        });
        job.renew(event);
        world.send(&mut job).await;
        let totals: Vec<_> = world.messages().into_iter().map(|sent| sent.total).collect();
        assert_eq!(totals, ["1220.00", "1100.00"]);
        world.answer(Answered::Signed);
        assert_eq!(name(&job.run(&*world.edo).await), "done");
        assert_eq!(world.states().await, ["rejected", "signed"]);
        world.agrees();
    }
}

#[tokio::test]
async fn a_correction_that_the_buyer_asks_for_corrects_the_first_document() {
    let world = World::new().await;
    let mut job = Job::new(shipped(&order(1, world.now())));
    world.send(&mut job).await;
    world.answer(Answered::CorrectionAsked { text: "Адрес другой".to_owned() });
    let End::Dead(reason) = job.run(&*world.edo).await else { panic!("it stops") };
    assert_eq!(reason.code, "correction_asked");
    assert!(reason.text.ru.contains("«Адрес другой»"), "{}", reason.text.ru);
    world.send(&mut job).await;
    let messages = world.messages();
    assert_eq!(messages[1].kind, "UniversalTransferDocumentRevision");
    let first = (messages[0].id.clone(), messages[0].entity.clone());
    assert_eq!(messages[1].corrects, Some(first));
    let steps: Vec<&str> = statuses(&job).iter().map(|status| status.step.as_str()).collect();
    assert_eq!(steps, ["upd_sent", "upd_sent 2"], "each is told");
    world.agrees();
}

#[tokio::test]
async fn revocations_are_told_and_end_the_attempt_when_both_agree() {
    let world = World::new().await;
    let mut job = Job::new(shipped(&order(1, world.now())));
    world.send(&mut job).await;
    world.answer(Answered::RevocationAsked);
    for _ in 0..3 {
        assert!(matches!(job.run(&*world.edo).await, End::Wait(_)));
    }
    assert_eq!(told(&job), [SENT, (Phase::Failed, "revocation_asked")]);
    world.answer(Answered::Revoked);
    assert_eq!(name(&job.run(&*world.edo).await), "dead upd_revoked");
    assert_eq!(world.states().await, ["revoked"]);
    world.send(&mut job).await;
    assert_eq!(world.messages().len(), 2);
    world.agrees();
}

#[tokio::test]
async fn wrong_signatures_and_deleted_documents_stop_for_a_person() {
    let cases = [
        (Answered::WrongSignature, "buyer_signature_wrong"),
        (Answered::OwnSignatureWrong, "signature_wrong"),
        (Answered::Deleted, "upd_deleted"),
        (Answered::RoamingFailed { text: "нет роуминга".to_owned() }, "roaming_failed"),
    ];
    for (answered, code) in cases {
        let world = World::new().await;
        let mut job = Job::new(shipped(&order(1, world.now())));
        world.send(&mut job).await;
        world.answer(answered);
        assert_eq!(name(&job.run(&*world.edo).await), format!("dead {code}"));
    }
}

#[tokio::test]
async fn a_buyer_who_takes_his_time_is_told_of_once() {
    let world = World::new().await;
    let mut job = Job::new(shipped(&order(1, world.now())));
    world.send(&mut job).await;
    world.pass(std::time::Duration::from_secs(6 * 24 * 3600));
    for _ in 0..3 {
        assert!(matches!(job.run(&*world.edo).await, End::Wait(_)));
    }
    assert_eq!(told(&job), [SENT, (Phase::Failed, "signature_late")]);
    world.answer(Answered::Signed);
    world.carry(&mut job).await;
    world.agrees();
}

#[tokio::test]
async fn goods_that_come_back_after_a_document_stop_for_a_person() {
    let world = World::new().await;
    let order = order(1, world.now());
    world.send(&mut Job::new(shipped(&order))).await;
    assert_eq!(world.carry(&mut Job::new(returned(&order))).await, ["dead correction_by_hand"]);
    assert_eq!(world.carry(&mut Job::new(cancelled(&order))).await, ["dead correction_by_hand"]);
}

/// The document was ready, or waited for its buyer, when the order was cancelled.
#[tokio::test]
async fn a_document_that_has_not_left_stays_when_its_order_is_cancelled() {
    for steps in [0, 1, 2] {
        let world = World::new().await;
        let order = order(1, world.now());
        let mut job = Job::new(shipped(&order));
        for _ in 0..steps {
            job.step(&*world.edo).await;
        }
        let mut taken = Job::new(cancelled(&order));
        let end = name(&taken.run(&*world.edo).await);
        if steps < 2 {
            assert_eq!(
                (end.as_str(), world.carry(&mut job).await),
                ("done", vec!["done".to_owned()])
            );
            assert_eq!(world.messages().len(), 0, "after {steps} steps");
        } else {
            // Perhaps sent: who cancels waits until that is known, and then a person is called.
            assert_eq!(end, "wait 30s");
            world.send(&mut job).await;
            assert_eq!(world.carry(&mut taken).await, ["dead correction_by_hand"]);
            assert_eq!(world.messages().len(), 1);
        }
        // Restored and shipped anew, it gets its document.
        let mut anew = order.clone();
        anew.updated_at += time::Duration::minutes(2);
        if steps < 2 {
            world.send(&mut Job::new(shipped(&anew))).await;
            assert_eq!(world.messages().len(), 1);
        }
        world.agrees();
    }
}

#[tokio::test]
async fn goods_that_come_back_before_their_document_left_are_for_a_person() {
    let world = World::new().await;
    let order = order(1, world.now());
    assert_eq!(world.carry(&mut Job::new(returned(&order))).await, ["done"]);
    let way = world.carry(&mut Job::new(shipped(&order))).await;
    assert_eq!(way, ["dead returned_before_document"]);
    assert_eq!(world.messages().len(), 0);
}

#[tokio::test]
async fn a_refused_sending_is_made_anew_and_a_paid_subscription_goes_on() {
    let world = World::new().await;
    world.fault(Fault::new(System::Diadoc, Kind::Status).code(402).on("/V3/PostMessage").times(1));
    let mut job = Job::new(shipped(&order(1, world.now())));
    assert_eq!(name(&job.run(&*world.edo).await), "down diadoc_unpaid");
    world.fault(Fault::new(System::Diadoc, Kind::Refusal).code(400).on("/V3/PostMessage").times(1));
    assert_eq!(name(&job.run(&*world.edo).await), "dead diadoc_rejected");
    assert_eq!(world.states().await, ["refused"]);
    world.send(&mut job).await;
    assert_eq!(world.states().await, ["refused", "sent"]);
    world.agrees();
}

#[tokio::test]
async fn a_duplicate_is_found_by_our_own_name_and_one_that_is_not_there_is_unknown() {
    let world = World::new().await;
    // It was taken, and then Diadoc calls it a duplicate.
    let mut taken =
        Fault::new(System::Diadoc, Kind::Status).code(409).on("/V3/PostMessage").times(1);
    taken.apply = Some(true);
    world.fault(taken);
    let mut job = Job::new(shipped(&order(1, world.now())));
    assert_eq!(world.send(&mut job).await, ["wait 30s"]);
    assert_eq!(world.messages().len(), 1);
    // It was not taken, and Diadoc calls it one all the same.
    world.fault(Fault::new(System::Diadoc, Kind::Status).code(409).on("/V3/PostMessage").times(5));
    let mut job = Job::new(shipped(&order(2, world.now())));
    let way = world.carry(&mut job).await;
    assert_eq!(way.last().unwrap(), "dead unknown document_unknown", "{way:?}");
    // A person has looked, and it is not there.
    job.absent::<edo::Edo>();
    world.send(&mut job).await;
    assert_eq!(world.messages().len(), 2);
    world.agrees();
}

/// Goods came back after the signature: the manager corrects or revokes at Diadoc and replays, and that closes it.
#[tokio::test]
async fn a_correction_or_revocation_by_hand_closes_what_goods_that_came_back_have_opened() {
    for made in [Answered::Corrected, Answered::Revoked] {
        let world = World::new().await;
        let order = order(1, world.now());
        let mut job = Job::new(shipped(&order));
        world.send(&mut job).await;
        world.answer(Answered::Signed);
        world.carry(&mut job).await;
        let mut taken = Job::new(returned(&order));
        let End::Dead(reason) = taken.run(&*world.edo).await else { panic!("it stops") };
        assert_eq!(
            reason.text.ru,
            "По заказу № A-1 уже отправлен УПД № A-1, а товар вернулся или заказ отменён. Сделайте корректировку (УКД) \
             или аннулирование в Диадоке и повторите: Паром увидит документ и закроет эту ошибку."
        );
        assert_eq!(name(&taken.run(&*world.edo).await), "dead correction_by_hand");
        world.answer(made);
        assert_eq!(name(&taken.run(&*world.edo).await), "done");
    }
}

/// Other flags of the same set are no wish of the buyer's.
#[tokio::test]
async fn a_correction_that_is_out_and_a_question_for_powers_are_no_request() {
    for answered in [Answered::Corrected, Answered::PowersAsked] {
        let world = World::new().await;
        let mut job = Job::new(shipped(&order(1, world.now())));
        world.send(&mut job).await;
        world.answer(answered);
        assert!(matches!(job.run(&*world.edo).await, End::Wait(_)));
        world.answer(Answered::Signed);
        assert_eq!(name(&job.run(&*world.edo).await), "done");
    }
}

/// The buyer asks for a correction, and the manager makes it by hand and mends the order after that.
#[tokio::test]
async fn a_correction_by_hand_is_seen_and_no_second_one_goes_out() {
    let world = World::new().await;
    let event = shipped(&order(1, world.now()));
    let mut job = Job::new(event.clone());
    world.send(&mut job).await;
    world.answer(Answered::CorrectionAsked { text: "Цена по договору".to_owned() });
    let End::Dead(reason) = job.run(&*world.edo).await else { panic!("it stops") };
    assert_eq!(
        reason.text.ru,
        "УПД по заказу № A-1: покупатель просит уточнить документ: «Цена по договору». Исправьте заказ: уйдёт исправленный \
         УПД. Если по договорённости меняются цена или количество, сделайте корректировку (УКД) в Диадоке: Паром её увидит."
    );
    assert_eq!(world.states().await, ["to_correct"]);
    world.answer(Answered::Corrected);
    world.ears.over.store(true, std::sync::atomic::Ordering::Relaxed);
    {
        use runtime::Worker as _;
        world.another().background().await;
    }
    assert_eq!(world.ears.heard()[0].1, "upd_corrected");
    assert_eq!(world.states().await, ["corrected"]);
    job.renew(mended(&event, |order| {
        order.lines[0].price = events::Money::from_kopecks(11_000);
        order.price = events::Money::from_kopecks(110_000);
    }));
    assert_eq!(name(&job.run(&*world.edo).await), "done");
    assert_eq!(world.messages().len(), 1);
}

/// The order is saved for another reason (the box that Parom wrote into it, a manager's note): that mends nothing.
#[tokio::test]
async fn a_refused_document_is_not_sent_again_for_a_change_that_it_does_not_say() {
    for answered in [
        Answered::Rejected { text: "Не та цена".to_owned(), universal: true },
        Answered::CorrectionAsked { text: "Не та цена".to_owned() },
        Answered::Revoked,
    ] {
        let world = World::new().await;
        let event = shipped(&order(1, world.now()));
        let mut job = Job::new(event.clone());
        world.send(&mut job).await;
        world.answer(answered);
        assert!(matches!(job.run(&*world.edo).await, End::Dead(_)));
        let noted = mended(&event, |order| {
            order.properties.insert("DIADOC_BOX_ID".to_owned(), BUYER_BOX.to_owned());
            order.properties.insert("NOTE".to_owned(), "Позвонить".to_owned());
        });
        job.renew(noted.clone());
        assert_eq!(name(&job.run(&*world.edo).await), "dead document_unchanged");
        assert_eq!(world.messages().len(), 1);
        // A person who replays means it.
        world.send(&mut job).await;
        assert_eq!(world.messages().len(), 2);
        world.agrees();
    }
}

/// Diadoc promises nothing about how long it knows a key.
#[tokio::test]
async fn what_is_perhaps_sent_is_looked_for_before_it_is_sent_days_later() {
    let world = World::new().await;
    world.on_post(Kind::Reset);
    let mut job = Job::new(shipped(&order(1, world.now())));
    assert!(matches!(job.run(&*world.edo).await, End::Retry(..)));
    assert_eq!(world.messages().len(), 1, "it was taken, and the answer lost");
    world.running.emulator.diadoc.books().forget_operations();
    world.pass(std::time::Duration::from_secs(2 * 24 * 3600));
    world.send(&mut job).await;
    assert_eq!(world.messages().len(), 1);
    world.agrees();
}

#[tokio::test]
async fn a_document_that_a_person_has_found_is_followed() {
    let world = World::new().await;
    let mut fault =
        Fault::new(System::Diadoc, Kind::Status).code(409).on("/V3/PostMessage").times(9);
    fault.apply = Some(true);
    world.fault(fault);
    world.fault(
        Fault::new(System::Diadoc, Kind::Status).code(404).on("/GetDocumentsByCustomId").times(5),
    );
    let mut job = Job::new(shipped(&order(1, world.now())));
    let way = world.carry(&mut job).await;
    assert_eq!(way.last().unwrap(), "dead unknown document_unknown", "{way:?}");
    job.found::<edo::Edo>();
    world.send(&mut job).await;
    world.answer(Answered::Signed);
    assert_eq!(name(&job.run(&*world.edo).await), "done");
    assert_eq!(told(&job).last(), Some(&SIGNED));
    assert_eq!(world.messages().len(), 1);
}

#[tokio::test]
async fn what_leaves_comes_back_and_leaves_again_has_two_numbers() {
    let world = World::new().await;
    let order = order(1, world.now());
    world.send(&mut Job::new(shipped(&order))).await;
    world.carry(&mut Job::new(returned(&order))).await;
    world.send(&mut Job::new(shipped_anew(&order))).await;
    let numbers: Vec<_> = world.messages().into_iter().map(|sent| sent.number).collect();
    assert_eq!(numbers, ["A-1", "A-1/2"]);
    world.agrees();
}

/// A correction is of the same number, though an earlier shipment is gone by then.
#[tokio::test]
async fn a_correction_keeps_its_documents_number() {
    let world = World::new().await;
    let mut order = order(1, world.now());
    let mut second = order.shipments[0].clone();
    second.id = 12;
    for shipment in [&mut order.shipments[0], &mut second] {
        shipment.items = vec![(7, "5".parse().unwrap())];
    }
    order.shipments.push(second);
    let event = shipped_part(&order, 12);
    let mut job = Job::new(event.clone());
    world.send(&mut job).await;
    world.answer(Answered::CorrectionAsked { text: "Адрес другой".to_owned() });
    assert!(matches!(job.run(&*world.edo).await, End::Dead(_)));
    job.renew(mended(&event, |order| {
        order.shipments.remove(0);
        order.properties.insert("COMPANY_ADR".to_owned(), "г. Тверь, ул. Новая, д. 1".to_owned());
    }));
    world.send(&mut job).await;
    let numbers: Vec<_> = world.messages().into_iter().map(|sent| sent.number).collect();
    assert_eq!(numbers, ["A-1/2", "A-1/2"]);
}
