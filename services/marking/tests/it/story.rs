//! The way of an order's codes, end to end against the emulated register.

use emulator::{Kind, gismt::Code};
use events::{Event, Fact, Phase, Status, Text};
use runtime::Worker as _;

use crate::{
    files::{GTIN, OTHER_GTIN, code, ki},
    order::{
        by_receipt, cancelled, created, job, order, paid, returned, shipped, shipped_part, unpaid,
        with_marks,
    },
    world::{INN, World, told},
};

const SHIRT: (u64, &str, u64, i64) = (7, GTIN, 2, 59_050);
const SHOES: (u64, &str, u64, i64) = (8, OTHER_GTIN, 1, 249_900);

#[tokio::test]
async fn an_order_is_reserved_scanned_withdrawn_and_returned_in_part() {
    let world = World::new().await;
    world.stock(GTIN, 1..6).await;
    let order = order(1, world.now(), &[SHIRT]);
    assert_eq!(world.tell(created(&order)).await, "done");
    assert_eq!(
        world.statuses(GTIN, 1..6).await,
        ["in_order", "in_order", "in_stock", "in_stock", "in_stock"]
    );
    // Other pieces than the reserved ones are picked: they are bound, the reserved ones are free.
    world.scan(&order, 4).await;
    world.scan(&order, 5).await;
    assert_eq!(
        world.statuses(GTIN, 1..6).await,
        ["in_stock", "in_stock", "in_stock", "in_order", "in_order"]
    );
    let mut leaving = job(shipped(&order));
    let way = world.carry(&mut leaving).await;
    assert_eq!(way.last().unwrap(), "done", "{way:?}");
    assert_eq!(
        told(&leaving),
        [(Phase::Working, "documents_made"), (Phase::Done, "codes_withdrawn")]
    );
    assert_eq!(world.documents(), [("LK_RECEIPT".to_owned(), "CHECKED_OK".to_owned())]);
    {
        let books = world.running.emulator.gismt.books();
        let document = &books.documents()[0];
        assert_eq!((document.group.as_str(), document.total_kopecks), ("lp", 2 * 59_050));
        assert_eq!(document.codes, [ki(GTIN, 4), ki(GTIN, 5)]);
    }
    assert_eq!(world.statuses(GTIN, 4..6).await, ["sold", "sold"]);
    // One of two came back: which, its scan says.
    assert_eq!(world.tell(returned(&order, 1, &[(7, 1)])).await, "dead returned_codes_unknown");
    let mut back = job(returned(&order, 1, &[(7, 1)]));
    world.scan_back(&order, 5).await;
    assert_eq!(world.carry(&mut back).await.last().unwrap(), "done");
    assert_eq!(world.statuses(GTIN, 4..6).await, ["sold", "in_stock"]);
    assert_eq!(world.effects(GTIN, 5), ["withdrawn", "returned"]);
    assert_eq!(world.documents()[1], ("LP_RETURN".to_owned(), "CHECKED_OK".to_owned()));
    world.agrees().await;
    let history = world.marking.store().history(&ki(GTIN, 5).try_into().unwrap()).await.unwrap();
    let history: Vec<(&str, &str)> =
        history.iter().map(|one| (one.status.as_str(), one.why.as_str())).collect();
    assert_eq!(
        history,
        [
            ("in_stock", "imported"),
            ("in_order", "scanned"),
            ("withdrawing", "shipped"),
            ("sold", "retired"),
            ("sold", "scanned_back"),
            ("returning", "returned"),
            ("in_stock", "introduced"),
        ]
    );
}

#[tokio::test]
async fn what_is_told_twice_happens_once() {
    let world = World::new().await;
    world.stock(GTIN, 1..4).await;
    let order = order(1, world.now(), &[SHIRT]);
    world.tell(created(&order)).await;
    world.tell(created(&order)).await;
    world.tell(paid(&order)).await;
    assert_eq!(
        world.tables.number("SELECT count(*) FROM codes WHERE status = 'in_order'").await,
        2
    );
    world.scan(&order, 1).await;
    world.scan(&order, 2).await;
    for _ in 0..2 {
        assert_eq!(world.tell(shipped(&order)).await, "done");
    }
    for _ in 0..2 {
        assert_eq!(world.tell(returned(&order, 1, &[(7, 2)])).await, "done");
    }
    assert_eq!(world.documents().len(), 2);
    assert_eq!(world.effects(GTIN, 1), ["withdrawn", "returned"]);
    world.agrees().await;
}

#[tokio::test]
async fn mixed_groups_make_a_document_each_with_the_right_kopecks() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    world.stock(OTHER_GTIN, 1..2).await;
    let order = order(1, world.now(), &[SHIRT, SHOES]);
    let codes = [code(GTIN, 1), code(GTIN, 2)];
    let order = with_marks(with_marks(order, 7, &codes), 8, &[code(OTHER_GTIN, 1)]);
    world.tell(created(&order)).await;
    assert_eq!(world.tell(shipped(&order)).await, "done");
    {
        let books = world.running.emulator.gismt.books();
        let made: Vec<_> = books
            .documents()
            .iter()
            .map(|document| (document.group.as_str(), document.codes.len(), document.total_kopecks))
            .collect();
        assert_eq!(made, [("lp", 2, 118_100), ("shoes", 1, 249_900)]);
    }
    world.agrees().await;
}

#[tokio::test]
async fn goods_that_nobody_scanned_do_not_leave() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    let order = order(1, world.now(), &[SHIRT]);
    world.tell(created(&order)).await;
    let mut leaving = job(shipped(&order));
    assert_eq!(world.carry(&mut leaving).await, ["dead codes_missing"]);
    world.scan(&order, 1).await;
    world.scan(&order, 2).await;
    assert_eq!(world.carry(&mut leaving).await.last().unwrap(), "done");
    world.agrees().await;
}

#[tokio::test]
async fn where_picking_goes_by_reservation_no_scan_is_needed() {
    let world = World::with("confirm = \"reservation\"", |_| {}).await;
    world.stock(GTIN, 1..3).await;
    let order = order(1, world.now(), &[SHIRT]);
    world.tell(created(&order)).await;
    assert_eq!(world.tell(shipped(&order)).await, "done");
    world.agrees().await;
}

#[tokio::test]
async fn a_wrong_code_keeps_its_order_back_and_no_other() {
    type Change = fn(&mut Code);
    let cases: [Change; 5] = [
        |code| code.status = "EMITTED".to_owned(),
        |code| code.status_ex = "WAIT_REMARK".to_owned(),
        |code| code.owner_inn = "7707083893".to_owned(),
        |code| code.package = "BOX".to_owned(),
        |code| (code.status, code.reason) = ("RETIRED".to_owned(), Some("RETAIL".to_owned())),
    ];
    let world = World::new().await;
    world.stock(GTIN, 1..40).await;
    for (number, change) in (0..).zip(cases) {
        let (bad, good) = (number * 4 + 1, number * 4 + 2);
        {
            let mut books = world.running.emulator.gismt.books();
            let mut wrong = books.codes()[&ki(GTIN, bad)].clone();
            change(&mut wrong);
            books.put(wrong, INN);
        }
        let order = order(u64::try_from(number).unwrap() + 1, world.now(), &[SHIRT]);
        world.tell(created(&order)).await;
        world.scan(&order, bad).await;
        world.scan(&order, good).await;
        let mut leaving = job(shipped(&order));
        assert_eq!(world.carry(&mut leaving).await, ["dead codes_refused"]);
        assert_eq!(world.statuses(GTIN, bad..good + 1).await, ["quarantined", "in_order"]);
        // Another piece is picked instead, and the replay goes on.
        world.scan(&order, bad + 2).await;
        assert_eq!(world.carry(&mut leaving).await.last().unwrap(), "done");
        assert_eq!(world.statuses(GTIN, good..good + 2).await, ["sold", "sold"]);
    }
    assert_eq!(world.documents().len(), 5);
    assert_eq!(world.running.emulator.gismt.books().summary().doubled, Vec::<String>::new());
}

#[tokio::test]
async fn a_register_that_is_away_and_comes_back_delays_and_changes_nothing() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    let order = order(1, world.now(), &[SHIRT]);
    world.pack(&order, [1, 2]).await;
    for kind in [Kind::Status, Kind::Refuse] {
        let mut fault = emulator::Fault::new(emulator::System::Gismt, kind).times(2);
        fault.code = (kind == Kind::Status).then_some(503);
        world.fault(fault);
    }
    let way = world.carry(&mut job(shipped(&order))).await;
    assert!(
        way.iter().any(|step| step.starts_with("retry") || step.starts_with("down")),
        "{way:?}"
    );
    assert_eq!(way.last().unwrap(), "done");
    assert_eq!(world.documents().len(), 1);
    world.agrees().await;
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_document_was_taken_is_found_again() {
    for kind in [Kind::Reset, Kind::Garbage, Kind::Status] {
        let world = World::new().await;
        world.stock(GTIN, 1..3).await;
        let order = order(1, world.now(), &[SHIRT]);
        world.pack(&order, [1, 2]).await;
        let mut fault =
            emulator::Fault::new(emulator::System::Gismt, kind).on("/lk/documents/create").times(1);
        if kind == Kind::Status {
            (fault.code, fault.apply) = (Some(502), Some(true));
        }
        world.fault(fault);
        let way = world.carry(&mut job(shipped(&order))).await;
        assert_eq!(way.last().unwrap(), "done", "{kind:?}: {way:?}");
        assert_eq!(world.documents(), [("LK_RECEIPT".to_owned(), "CHECKED_OK".to_owned())]);
        assert_eq!(world.statuses(GTIN, 1..3).await, ["sold", "sold"]);
        world.agrees().await;
    }
}

#[tokio::test]
async fn a_document_that_was_never_taken_stops_for_a_person_and_goes_out_on_his_word() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    let order = order(1, world.now(), &[SHIRT]);
    world.pack(&order, [1, 2]).await;
    let mut fault = emulator::Fault::new(emulator::System::Gismt, Kind::Reset)
        .on("/lk/documents/create")
        .times(1);
    fault.apply = Some(false);
    world.fault(fault);
    let mut leaving = job(shipped(&order));
    let way = world.carry(&mut leaving).await;
    assert_eq!(way.last().unwrap(), "dead unknown document_unknown", "{way:?}");
    assert_eq!(world.documents(), [], "nothing is sent a second time");
    assert_eq!(world.marking.store().counts(world.now()).await.unwrap().documents["unknown"], 1);
    // A replay looks again; only the word that it is not there sends.
    assert_eq!(world.carry(&mut leaving).await.last().unwrap(), "dead unknown document_unknown");
    leaving.absent::<marking::Marking>();
    assert_eq!(world.carry(&mut leaving).await.last().unwrap(), "done");
    assert_eq!(world.documents().len(), 1);
    world.agrees().await;
}

#[tokio::test]
async fn a_document_that_a_person_has_found_is_followed_until_its_codes_are_sold() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    let order = order(1, world.now(), &[SHIRT]);
    world.pack(&order, [1, 2]).await;
    let mut fault = emulator::Fault::new(emulator::System::Gismt, Kind::Reset)
        .on("/lk/documents/create")
        .times(1);
    fault.apply = Some(false);
    world.fault(fault);
    let mut leaving = job(shipped(&order));
    let way = world.carry(&mut leaving).await;
    assert_eq!(way.last().unwrap(), "dead unknown document_unknown", "{way:?}");
    // Whoever says that it is there does not say what became of its codes.
    let state: marking::State = serde_json::from_str(leaving.state()).unwrap();
    assert_eq!(marking::Marking::found(state).parts().next, runtime::Next::Again);
    leaving.found::<marking::Marking>();
    assert!(crate::world::name(&leaving.run(&*world.marking).await).starts_with("wait"));
    for number in 1..3 {
        let mut code = Code::new(&ki(GTIN, number), "lp");
        (code.status, code.reason) = ("RETIRED".to_owned(), Some("DISTANCE".to_owned()));
        world.running.emulator.gismt.books().put(code, INN);
    }
    assert_eq!(world.carry(&mut leaving).await.last().unwrap(), "done");
    assert_eq!(told(&leaving).last().unwrap(), &(Phase::Done, "codes_withdrawn"));
    assert_eq!(world.statuses(GTIN, 1..3).await, ["sold", "sold"]);
    assert_eq!(world.documents(), [], "nothing is sent a second time");
    assert_eq!(world.marking.store().counts(world.now()).await.unwrap().documents["unknown"], 0);
}

#[tokio::test]
async fn a_document_that_was_taken_although_a_person_said_no_is_recognised_and_not_doubled() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    let order = order(1, world.now(), &[SHIRT]);
    world.pack(&order, [1, 2]).await;
    // Taken, its answer lost; the person looks too early and says that it is not there.
    world.on_create(Kind::Reset);
    let mut leaving = job(shipped(&order));
    leaving.run(&*world.marking).await;
    leaving.absent::<marking::Marking>();
    world.running.emulator.gismt.books().process_all(0);
    assert_eq!(world.carry(&mut leaving).await.last().unwrap(), "done");
    let states: Vec<String> = world.documents().into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, ["CHECKED_OK", "CHECKED_NOT_OK"]);
    assert_eq!(world.effects(GTIN, 1), ["withdrawn"]);
    assert_eq!(world.statuses(GTIN, 1..3).await, ["sold", "sold"]);
    // What is cancelled is the document that did it.
    assert_eq!(world.tell(cancelled(&order)).await, "done");
    assert_eq!(world.documents()[0].1, "CANCELLED");
    world.agrees().await;
}

#[tokio::test]
async fn a_crash_between_the_mark_and_the_call_is_looked_into_before_anything_is_sent() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    let order = order(1, world.now(), &[SHIRT]);
    world.pack(&order, [1, 2]).await;
    // The call reaches the register, and the process dies before it can write the answer down.
    world.on_create(Kind::Reset);
    let mut leaving = job(shipped(&order));
    leaving.run(&*world.marking).await;
    assert!(leaving.state().contains("sending"), "the mark is set");
    let heir = world.another();
    assert_eq!(world.carry_with(&heir, &mut leaving).await.last().unwrap(), "done");
    assert_eq!(world.documents().len(), 1);
    world.agrees().await;
}

#[tokio::test]
async fn a_refused_document_frees_its_codes_and_its_replay_is_a_new_one() {
    for kind in [Kind::FailsLater, Kind::Expires] {
        let world = World::new().await;
        world.stock(GTIN, 1..3).await;
        let order = order(1, world.now(), &[SHIRT]);
        world.pack(&order, [1, 2]).await;
        world.on_create(kind);
        let mut leaving = job(shipped(&order));
        assert_eq!(world.carry(&mut leaving).await.last().unwrap(), "dead document_refused");
        assert_eq!(world.statuses(GTIN, 1..3).await, ["in_order", "in_order"]);
        assert_eq!(
            world.marking.store().counts(world.now()).await.unwrap().documents["refused"],
            1
        );
        assert_eq!(world.carry(&mut leaving).await.last().unwrap(), "done");
        assert_eq!(world.documents().len(), 2);
        world.agrees().await;
    }
}

#[tokio::test]
async fn a_refused_signature_is_made_anew_on_replay() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    let order = order(1, world.now(), &[SHIRT]);
    world.pack(&order, [1, 2]).await;
    let fault = emulator::Fault::new(emulator::System::Gismt, Kind::Refusal)
        .on("/lk/documents/create")
        .times(1);
    world.fault(fault.code(422));
    let mut leaving = job(shipped(&order));
    assert_eq!(world.carry(&mut leaving).await.last().unwrap(), "dead gismt_signature");
    assert_eq!(world.carry(&mut leaving).await.last().unwrap(), "done");
    world.agrees().await;
}

#[tokio::test]
async fn a_cancelled_order_frees_its_codes_and_one_that_has_left_is_undone() {
    let world = World::new().await;
    world.stock(GTIN, 1..5).await;
    let first = order(1, world.now(), &[SHIRT]);
    world.tell(created(&first)).await;
    assert_eq!(world.tell(cancelled(&first)).await, "done");
    assert_eq!(world.statuses(GTIN, 1..3).await, ["in_stock", "in_stock"]);
    // What was told before the cancelling and comes late changes nothing.
    assert_eq!(world.tell(created(&first)).await, "done");
    assert_eq!(world.statuses(GTIN, 1..3).await, ["in_stock", "in_stock"]);
    assert_eq!(world.tell(shipped(&first)).await, "done");
    assert_eq!(world.documents(), []);

    let second = order(2, world.now(), &[SHIRT]);
    world.pack(&second, [1, 2]).await;
    world.tell(shipped(&second)).await;
    assert_eq!(world.tell(cancelled(&second)).await, "done");
    let states: Vec<_> = world.documents();
    assert_eq!(
        states,
        [
            ("LK_RECEIPT".to_owned(), "CANCELLED".to_owned()),
            ("LK_RECEIPT_CANCEL".to_owned(), "CHECKED_OK".to_owned())
        ]
    );
    assert_eq!(world.effects(GTIN, 1), ["withdrawn", "cancelled"]);
    assert_eq!(world.statuses(GTIN, 1..3).await, ["in_stock", "in_stock"]);
    world.agrees().await;
}

#[tokio::test]
async fn a_cancelling_after_a_partial_return_brings_the_rest_back() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    let order = unpaid(order(1, world.now(), &[SHIRT]));
    world.pack(&order, [1, 2]).await;
    world.tell(shipped(&order)).await;
    world.scan_back(&order, 2).await;
    assert_eq!(world.tell(returned(&order, 1, &[(7, 1)])).await, "done");
    assert_eq!(world.tell(cancelled(&order)).await, "done");
    let kinds: Vec<String> = world.documents().into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["LK_RECEIPT", "LP_RETURN", "LP_RETURN"]);
    assert_eq!(world.statuses(GTIN, 1..3).await, ["in_stock", "in_stock"]);
    {
        let books = world.running.emulator.gismt.books();
        assert!(books.documents()[1].body.contains("\"paid\":false"), "nobody had paid");
    }
    world.agrees().await;
}

#[tokio::test]
async fn a_lost_answer_to_a_cancelling_document_is_found_by_what_it_did() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    let order = order(1, world.now(), &[SHIRT]);
    world.pack(&order, [1, 2]).await;
    world.tell(shipped(&order)).await;
    world.on_create(Kind::Reset);
    assert_eq!(world.tell(cancelled(&order)).await, "done");
    assert_eq!(world.documents().len(), 2);
    assert_eq!(world.statuses(GTIN, 1..3).await, ["in_stock", "in_stock"]);
    world.agrees().await;
}

#[tokio::test]
async fn a_return_waits_while_the_withdrawal_is_under_way() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    world.running.emulator.change(|settings| settings.gismt.looks = 5);
    let order = order(1, world.now(), &[SHIRT]);
    world.pack(&order, [1, 2]).await;
    let (mut leaving, mut back) = (job(shipped(&order)), job(returned(&order, 1, &[(7, 2)])));
    leaving.run(&*world.marking).await;
    back.run(&*world.marking).await;
    assert_eq!(world.documents().len(), 1, "the return waits");
    assert_eq!(world.carry(&mut leaving).await.last().unwrap(), "done");
    assert_eq!(world.carry(&mut back).await.last().unwrap(), "done");
    assert_eq!(world.effects(GTIN, 1), ["withdrawn", "returned"]);
    world.agrees().await;
}

#[tokio::test]
async fn a_return_that_overtakes_its_shipment_waits_for_it() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    let order = order(1, world.now(), &[SHIRT]);
    world.tell(created(&order)).await;
    let mut back = job(returned(&order, 1, &[(7, 2)]));
    assert_eq!(crate::world::name(&back.run(&*world.marking).await), "wait 30s");
    world.scan(&order, 1).await;
    world.scan(&order, 2).await;
    world.tell(shipped(&order)).await;
    assert_eq!(world.carry(&mut back).await.last().unwrap(), "done");
    world.agrees().await;
}

#[tokio::test]
async fn two_shipments_are_two_documents_of_their_own_codes() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    let mut order = order(1, world.now(), &[SHIRT]);
    let one = events::Quantity::from_units(1);
    order.shipments[0].items = vec![(7, one)];
    let mut other = order.shipments[0].clone();
    other.id = 10;
    order.shipments.push(other);
    world.pack(&order, [1]).await;
    assert_eq!(world.tell(shipped_part(&order, 9)).await, "done");
    world.scan(&order, 2).await;
    assert_eq!(world.tell(shipped_part(&order, 10)).await, "done");
    assert_eq!(world.documents().len(), 2);
    assert_eq!(world.statuses(GTIN, 1..3).await, ["sold", "sold"]);
    world.agrees().await;
}

/// What fiscal says when a sale is receipted.
fn receipted(order: &events::Order) -> Event {
    let status = Status {
        service: "fiscal".to_owned(),
        order: order.key.clone(),
        cause: uuid::Uuid::nil(),
        step: format!("receipt of {}", order.key.id),
        phase: Phase::Done,
        code: "receipt_done".to_owned(),
        text: Text::new("Чек пробит.", "The receipt is issued."),
        properties: [("CLOUDKASSIR_FD".to_owned(), "123".to_owned())].into(),
        links: std::collections::BTreeMap::new(),
    };
    Event::new(Fact::StatusChanged(Box::new(status)), order.updated_at)
}

#[tokio::test]
async fn where_the_receipt_withdraws_no_document_is_sent() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    let order = by_receipt(order(1, world.now(), &[SHIRT]));
    world.pack(&order, [1, 2]).await;
    let mut leaving = job(shipped(&order));
    let marking = &*world.marking;
    assert!(crate::world::name(&leaving.run(marking).await).starts_with("wait"));
    let codes = [ki(GTIN, 1), ki(GTIN, 2)];
    world.running.emulator.gismt.books().receipt(&codes, false, 0).unwrap();
    // Retired at a till, and no receipt of ours is known yet: whose till it was is open.
    assert!(crate::world::name(&leaving.run(marking).await).starts_with("wait"));
    assert_eq!(world.tell(receipted(&order)).await, "done");
    assert_eq!(crate::world::name(&leaving.run(marking).await), "done");
    assert_eq!(world.statuses(GTIN, 1..3).await, ["sold", "sold"]);
    let mut back = job(returned(&order, 1, &[(7, 2)]));
    assert!(crate::world::name(&back.run(marking).await).starts_with("wait"));
    world.running.emulator.gismt.books().receipt(&codes, true, 0).unwrap();
    assert_eq!(crate::world::name(&back.run(marking).await), "done");
    assert_eq!(world.documents(), []);
    world.agrees().await;
}

#[tokio::test]
async fn a_code_that_somebody_else_has_withdrawn_stops_its_order() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    let order = order(1, world.now(), &[SHIRT]);
    world.pack(&order, [1, 2]).await;
    world.running.emulator.gismt.books().receipt(&[ki(GTIN, 1)], false, 0).unwrap();
    assert_eq!(world.tell(shipped(&order)).await, "dead codes_refused");
    assert_eq!(world.documents(), []);
    assert_eq!(world.statuses(GTIN, 1..3).await, ["quarantined", "in_order"]);
}

#[tokio::test]
async fn an_order_without_marked_goods_and_a_foreign_shop_are_left_alone() {
    let world = World::new().await;
    let mut plain = order(1, world.now(), &[SHIRT]);
    plain.lines[0].marked = false;
    for event in
        [created(&plain), shipped(&plain), cancelled(&plain), returned(&plain, 1, &[(7, 1)])]
    {
        assert_eq!(world.tell(event).await, "done");
    }
    plain.key.shop = "stranger".parse().unwrap();
    assert_eq!(world.tell(created(&plain)).await, "done");
    plain.lines[0].marked = true;
    assert_eq!(world.tell(created(&plain)).await, "dead shop_unknown");
    assert_eq!(world.running.emulator.gismt.books().summary().requests, 0);
}
