//! Documents and the processes that send them: several replicas, deaths, long absences, and the law's time.

use std::time::Duration;

use emulator::{Fault, Kind, System, gismt::Code};
use events::{Order, Phase};

use crate::{
    files::{GTIN, code, ki},
    order::{by_receipt, cancelled, created, job, order, shipped},
    world::{INN, World, name, told},
};

const SHIRT: (u64, &str, u64, i64) = (7, GTIN, 2, 59_050);

/// Two shirts are scanned and ready to leave.
async fn packed(world: &World, order: &Order) {
    world.stock(GTIN, 1..3).await;
    world.pack(order, [1, 2]).await;
}

fn on_create(kind: Kind) -> Fault {
    Fault::new(System::Gismt, kind).on("/lk/documents/create").times(1)
}

#[tokio::test]
async fn what_one_replica_certainly_did_not_send_another_sends() {
    let world = World::new().await;
    let order = order(1, world.now(), &[SHIRT]);
    packed(&world, &order).await;
    let mut leaving = job(shipped(&order));
    world.fault(on_create(Kind::Status).code(429));
    assert_eq!(name(&leaving.run(&*world.marking).await), "retry gismt_busy");
    assert!(leaving.state().contains("sending"), "the mark is set");
    let way = world.carry_with(&world.another(), &mut leaving).await;
    assert_eq!(way.last().unwrap(), "done", "{way:?}");
    assert_eq!(world.documents().len(), 1);
    world.agrees().await;
}

#[tokio::test]
async fn the_time_to_look_for_a_document_begins_when_it_was_sent() {
    let world = World::new().await;
    let order = order(1, world.now(), &[SHIRT]);
    packed(&world, &order).await;
    let mut leaving = job(shipped(&order));
    // Busy for longer than a document is looked for, then taken without an answer, and listed late.
    world.fault(on_create(Kind::Status).code(429));
    leaving.run(&*world.marking).await;
    world.pass(Duration::from_secs(3600));
    world.fault(on_create(Kind::Reset));
    world.fault(Fault::new(System::Gismt, Kind::Status).on("/doc/list").code(503).times(1));
    let way = world.carry(&mut leaving).await;
    assert_eq!(way.last().unwrap(), "done", "{way:?}");
    assert_eq!(world.documents().len(), 1);
    world.agrees().await;
}

#[tokio::test]
async fn a_shipment_that_dies_before_anything_was_sent_does_not_hold_its_codes() {
    let fault =
        |path: &str, code| Fault::new(System::Gismt, Kind::Refusal).on(path).times(1).code(code);
    for (fault, word) in [
        (fault("/lk/documents/create", 403), "dead gismt_forbidden"),
        (fault("/lk/documents/create", 422), "dead gismt_signature"),
        (fault("/cises/info", 403), "dead gismt_forbidden"),
    ] {
        let world = World::new().await;
        let order = order(1, world.now(), &[SHIRT]);
        packed(&world, &order).await;
        world.fault(fault);
        let mut leaving = job(shipped(&order));
        assert_eq!(world.carry(&mut leaving).await.last().unwrap(), word);
        assert_eq!(world.statuses(GTIN, 1..3).await, ["in_order", "in_order"]);
        // Nobody waits for it: the order is cancelled, and a replay finds it so.
        assert_eq!(world.tell(cancelled(&order)).await, "done");
        assert_eq!(world.statuses(GTIN, 1..3).await, ["in_stock", "in_stock"]);
        assert_eq!(world.carry(&mut leaving).await.last().unwrap(), "done");
        assert_eq!(world.documents(), []);
        world.agrees().await;
    }
}

#[tokio::test]
async fn a_refused_document_is_counted_until_a_later_one_has_taken_its_place() {
    let world = World::new().await;
    let order = order(1, world.now(), &[SHIRT]);
    packed(&world, &order).await;
    world.on_create(Kind::FailsLater);
    let mut leaving = job(shipped(&order));
    let refused =
        async || world.marking.store().counts(world.now()).await.unwrap().documents["refused"];
    assert_eq!(world.carry(&mut leaving).await.last().unwrap(), "dead document_refused");
    assert_eq!(refused().await, 1);
    assert_eq!(world.carry(&mut leaving).await.last().unwrap(), "done");
    assert_eq!(refused().await, 0);
}

#[tokio::test]
async fn a_document_keeps_the_reason_that_it_was_written_with() {
    let world = World::with("", |settings| settings.gismt.looks = 3).await;
    let order = order(1, world.now(), &[SHIRT]);
    packed(&world, &order).await;
    let mut leaving = job(shipped(&order));
    leaving.run(&*world.marking).await;
    let since = world.changed("action = \"OWN_USE\"");
    assert_eq!(world.carry_with(&since, &mut leaving).await.last().unwrap(), "done");
    assert_eq!(world.statuses(GTIN, 1..3).await, ["sold", "sold"]);
    world.agrees().await;
}

#[tokio::test]
async fn a_document_without_a_place_is_not_made_and_says_so() {
    let world = World::with("fias_id = \"00000000-0000-0000-0000-000000000000\"", |_| {}).await;
    let order = order(1, world.now(), &[SHIRT]);
    packed(&world, &order).await;
    assert_eq!(world.tell(shipped(&order)).await, "dead place_missing");
    assert_eq!(world.statuses(GTIN, 1..3).await, ["in_order", "in_order"]);
}

#[tokio::test]
async fn a_withdrawal_that_is_not_done_in_the_laws_time_is_told_and_counted() {
    let world =
        World::with("withdraw_within = \"24h\"", |settings| settings.gismt.looks = 1000).await;
    let order = order(1, world.now(), &[SHIRT]);
    packed(&world, &order).await;
    let late = async || world.marking.store().late(world.now()).await.unwrap();
    let mut leaving = job(shipped(&order));
    leaving.run(&*world.marking).await;
    world.pass(Duration::from_secs(23 * 3600));
    leaving.run(&*world.marking).await;
    assert_eq!((told(&leaving).len(), late().await), (1, 0), "only that documents are made");
    for _ in 0..2 {
        world.pass(Duration::from_secs(3700));
        leaving.run(&*world.marking).await;
        assert_eq!(
            told(&leaving),
            [(Phase::Working, "documents_made"), (Phase::Retrying, "withdrawal_late")],
            "once"
        );
        assert_eq!(late().await, 1);
    }
    world.running.emulator.gismt.books().process_all(0);
    assert_eq!(world.carry(&mut leaving).await.last().unwrap(), "done");
    assert_eq!(late().await, 0);
}

#[tokio::test]
async fn a_shipment_that_stopped_for_a_person_runs_into_the_laws_time_as_well() {
    let world = World::new().await;
    let order = order(1, world.now(), &[SHIRT]);
    world.tell(created(&order)).await;
    assert_eq!(world.tell(shipped(&order)).await, "dead codes_missing");
    world.pass(Duration::from_secs(3 * 24 * 3600 + 60));
    assert_eq!(world.marking.store().late(world.now()).await.unwrap(), 1);
    assert_eq!(world.tell(cancelled(&order)).await, "done");
    assert_eq!(world.tell(shipped(&order)).await, "done");
    assert_eq!(world.marking.store().late(world.now()).await.unwrap(), 0);
}

#[tokio::test]
async fn an_order_that_is_cancelled_and_never_receipted_gets_its_codes_back() {
    let world = World::new().await;
    let order = by_receipt(order(1, world.now(), &[SHIRT]));
    packed(&world, &order).await;
    let (mut leaving, mut cancelling) = (job(shipped(&order)), job(cancelled(&order)));
    leaving.run(&*world.marking).await;
    cancelling.run(&*world.marking).await;
    assert_eq!(world.statuses(GTIN, 1..3).await, ["withdrawing", "withdrawing"]);
    world.pass(Duration::from_secs(49 * 3600));
    assert_eq!(world.carry(&mut leaving).await.last().unwrap(), "done");
    assert_eq!(world.carry(&mut cancelling).await.last().unwrap(), "done");
    assert_eq!(world.statuses(GTIN, 1..3).await, ["in_stock", "in_stock"]);
    world.agrees().await;
}

#[tokio::test]
async fn an_order_by_receipt_has_no_document_even_where_its_shipment_says_otherwise_later() {
    let world = World::new().await;
    let first = by_receipt(order(1, world.now(), &[SHIRT]));
    packed(&world, &first).await;
    let mut leaving = job(shipped(&first));
    // Its codes are taken; the register is away, and the event is told anew with another word.
    world.fault(Fault::new(System::Gismt, Kind::Status).on("/cises/info").code(503).times(1));
    leaving.run(&*world.marking).await;
    let mut other = first.clone();
    (other.marks_by, other.updated_at) =
        (events::MarksBy::Document, first.updated_at + time::Duration::minutes(9));
    let again = shipped(&first).renewed(&other).unwrap();
    assert_eq!(world.tell(again).await, "dead channel_changed");
    assert_eq!(world.documents(), [], "a document would be the second way");
}

#[tokio::test]
async fn a_code_leaves_quarantine_with_a_reason_when_the_register_has_it_in_circulation() {
    let world = World::new().await;
    let order = order(1, world.now(), &[SHIRT]);
    packed(&world, &order).await;
    let mut bad = Code::new(&ki(GTIN, 1), "lp");
    bad.status_ex = "RESERVED_NOT_USED".to_owned();
    world.running.emulator.gismt.books().put(bad, INN);
    assert_eq!(world.tell(shipped(&order)).await, "dead codes_refused");
    let kept = world.marking.store().quarantined(10).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (kept[0].why.as_str(), kept[0].number.as_deref()),
        ("refused_by_register", Some("A-1"))
    );
    assert_eq!(kept[0].detail, "special:RESERVED_NOT_USED");
    let label = events::Label::parse(&code(GTIN, 1)).unwrap();
    assert!(world.marking.store().release(&label, "anna", "проверено в кабинете").await.unwrap());
    assert!(!world.marking.store().release(&label, "anna", "ещё раз").await.unwrap());
    assert_eq!(world.statuses(GTIN, 1..3).await, ["in_stock", "in_order"]);
    let history = world.marking.store().history(label.ki()).await.unwrap();
    let last = history.last().unwrap();
    assert_eq!(
        (last.why.as_str(), last.person.as_deref(), last.detail.as_str()),
        ("released", Some("anna"), "проверено в кабинете")
    );
}
