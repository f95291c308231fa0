//! Codes that leave and come back by more than one way, and jobs that go on after their order has changed.

use std::time::Duration;

use emulator::{Fault, Kind, System, gismt::Code};
use events::{Event, Order, Phase};

use crate::{
    files::{GTIN, OTHER_GTIN, ki},
    order::{by_receipt, cancelled, created, job, order, returned, shipped},
    world::{INN, World, name, told},
};

const SHIRT: (u64, &str, u64, i64) = (7, GTIN, 2, 59_050);
const SHOES: (u64, &str, u64, i64) = (8, OTHER_GTIN, 1, 249_900);

/// Two shirts are scanned, leave, and their receipt withdraws them.
async fn sold_by_receipt(world: &World) -> Order {
    world.stock(GTIN, 1..3).await;
    let order = by_receipt(order(1, world.now(), &[SHIRT]));
    world.pack(&order, [1, 2]).await;
    let codes = [ki(GTIN, 1), ki(GTIN, 2)];
    world.running.emulator.gismt.books().receipt(&codes, false, 0).unwrap();
    world.marking.store().receipted(&order.key, "123", world.now()).await.unwrap();
    assert_eq!(world.tell(shipped(&order)).await, "done");
    assert_eq!(world.statuses(GTIN, 1..3).await, ["sold", "sold"]);
    order
}

/// The order's event as it is told once more with the order as it says now.
fn renewed(event: &Event, now: &Order) -> Event {
    event.renewed(now).unwrap()
}

#[tokio::test]
async fn pieces_that_left_by_receipt_and_by_another_reason_all_come_back() {
    let world = World::new().await;
    let order = sold_by_receipt(&world).await;
    {
        // A person has withdrawn it anew in the cabinet, as a distance sale.
        let mut books = world.running.emulator.gismt.books();
        let mut other: Code = books.codes()[&ki(GTIN, 2)].clone();
        other.reason = Some("DISTANCE".to_owned());
        books.put(other, INN);
    }
    let mut back = job(returned(&order, 1, &[(7, 2)]));
    assert!(name(&back.run(&*world.marking).await).starts_with("wait"), "for the refund's receipt");
    world.running.emulator.gismt.books().receipt(&[ki(GTIN, 1)], true, 0).unwrap();
    assert_eq!(world.carry(&mut back).await.last().unwrap(), "done");
    assert_eq!(world.statuses(GTIN, 1..3).await, ["in_stock", "in_stock"]);
    assert_eq!(world.documents(), [("LP_RETURN".to_owned(), "CHECKED_OK".to_owned())]);
    assert_eq!(world.effects(GTIN, 2), ["withdrawn", "returned"]);
    world.agrees().await;
}

#[tokio::test]
async fn what_left_by_receipt_comes_back_by_receipt_whatever_the_shop_has_set_since() {
    let world = World::new().await;
    let order = sold_by_receipt(&world).await;
    let mut since = order.clone();
    since.marks_by = events::MarksBy::Document;
    let mut back = job(returned(&since, 1, &[(7, 2)]));
    assert!(name(&back.run(&*world.marking).await).starts_with("wait"), "for the refund's receipt");
    assert_eq!(world.documents(), [], "a document would be the second way");
    let codes = [ki(GTIN, 1), ki(GTIN, 2)];
    world.running.emulator.gismt.books().receipt(&codes, true, 0).unwrap();
    assert_eq!(world.carry(&mut back).await.last().unwrap(), "done");
    assert_eq!(world.statuses(GTIN, 1..3).await, ["in_stock", "in_stock"]);
    world.agrees().await;
}

#[tokio::test]
async fn a_code_that_the_receipt_has_withdrawn_is_not_kept_back_with_a_bad_one() {
    let world = World::new().await;
    world.stock(GTIN, 1..4).await;
    let order = by_receipt(order(1, world.now(), &[SHIRT]));
    world.pack(&order, [1, 2]).await;
    {
        let mut books = world.running.emulator.gismt.books();
        books.receipt(&[ki(GTIN, 1)], false, 0).unwrap();
        let mut bad: Code = books.codes()[&ki(GTIN, 2)].clone();
        bad.status_ex = "RESERVED_NOT_USED".to_owned();
        books.put(bad, INN);
    }
    let mut leaving = job(shipped(&order));
    // Whose receipt it was is open yet: it is neither free nor sold.
    assert_eq!(world.carry(&mut leaving).await, ["dead codes_refused"]);
    assert_eq!(world.statuses(GTIN, 1..3).await, ["withdrawing", "quarantined"]);
    world.scan(&order, 3).await;
    world.marking.store().receipted(&order.key, "123", world.now()).await.unwrap();
    world.running.emulator.gismt.books().receipt(&[ki(GTIN, 3)], false, 0).unwrap();
    assert_eq!(world.carry(&mut leaving).await.last().unwrap(), "done");
    assert_eq!(world.statuses(GTIN, 1..4).await, ["sold", "quarantined", "sold"]);
}

#[tokio::test]
async fn a_receipt_that_does_not_come_is_told_before_the_law_asks_for_it() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    let order = by_receipt(order(1, world.now(), &[SHIRT]));
    world.pack(&order, [1, 2]).await;
    let mut leaving = job(shipped(&order));
    leaving.run(&*world.marking).await;
    world.pass(Duration::from_secs(47 * 3600));
    leaving.run(&*world.marking).await;
    assert_eq!(told(&leaving), []);
    for _ in 0..2 {
        world.pass(Duration::from_secs(3600));
        leaving.run(&*world.marking).await;
        assert_eq!(told(&leaving), [(Phase::Retrying, "receipt_late")], "once");
    }
}

#[tokio::test]
async fn a_person_who_misses_one_document_does_not_send_the_others_again() {
    let world = World::with("", |settings| settings.gismt.looks = 30).await;
    world.stock(GTIN, 1..3).await;
    world.stock(OTHER_GTIN, 1..2).await;
    let order = order(1, world.now(), &[SHIRT, SHOES]);
    world.pack(&order, [1, 2]).await;
    world.scan_text(&order, &crate::files::code(OTHER_GTIN, 1)).await.unwrap();
    // The second document is never taken, and nobody is told.
    let mut fault =
        Fault::new(System::Gismt, Kind::Reset).on("/lk/documents/create").after(1).times(1);
    fault.apply = Some(false);
    world.fault(fault);
    let mut leaving = job(shipped(&order));
    let way = world.carry(&mut leaving).await;
    assert_eq!(way.last().unwrap(), "dead unknown document_unknown", "{way:?}");
    assert_eq!(world.documents(), [("LK_RECEIPT".to_owned(), "IN_PROGRESS".to_owned())]);
    leaving.absent::<marking::Marking>();
    assert_eq!(world.carry(&mut leaving).await.last().unwrap(), "done");
    let accepted = || ("LK_RECEIPT".to_owned(), "CHECKED_OK".to_owned());
    assert_eq!(world.documents(), [accepted(), accepted()]);
    world.agrees().await;
}

#[tokio::test]
async fn a_shipment_that_goes_on_after_its_order_was_cancelled_withdraws_nothing() {
    let world = World::with("confirm = \"reservation\"", |_| {}).await;
    let order = order(1, world.now(), &[SHIRT]);
    world.tell(created(&order)).await;
    assert_eq!(world.tell(shipped(&order)).await, "dead codes_missing");
    world.tell(cancelled(&order)).await;
    world.stock(GTIN, 1..3).await;
    // The cancelled order is saved once more, which wakes what had died.
    let mut now = order.clone();
    (now.canceled, now.updated_at) = (true, order.updated_at + time::Duration::minutes(9));
    assert_eq!(world.tell(renewed(&shipped(&order), &now)).await, "done");
    assert_eq!(world.statuses(GTIN, 1..3).await, ["in_stock", "in_stock"]);
    assert_eq!(world.documents(), []);
    world.agrees().await;
}

#[tokio::test]
async fn a_return_of_an_order_that_was_never_written_down_waits_and_is_told() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    // Without its GTIN the shipment stops before anything is written down.
    let whole = order(1, world.now(), &[SHIRT]);
    let mut bare = whole.clone();
    bare.lines[0].properties.clear();
    let mut leaving = job(shipped(&bare));
    assert_eq!(world.carry(&mut leaving).await, ["dead product_unknown"]);
    let mut back = job(returned(&bare, 1, &[(7, 2)]));
    assert!(name(&back.run(&*world.marking).await).starts_with("wait"), "not as unmarked goods");
    // The order is mended, and its shipment goes on: the return finds what it waits for.
    let mut mended = whole.clone();
    mended.updated_at += time::Duration::minutes(9);
    let again = renewed(&shipped(&bare), &mended);
    assert_eq!(world.tell(again.clone()).await, "dead codes_missing");
    world.scan(&whole, 1).await;
    world.scan(&whole, 2).await;
    assert_eq!(world.tell(again).await, "done");
    assert_eq!(world.carry(&mut back).await.last().unwrap(), "done");
    assert_eq!(world.statuses(GTIN, 1..3).await, ["in_stock", "in_stock"]);
    world.agrees().await;
}
