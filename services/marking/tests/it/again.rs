//! Goods that leave more than once, come back in parts, or come back beside goods without codes.

use emulator::{Fault, Kind, System, gismt::Code};
use events::{Event, Fact, Order, Quantity};
use time::Duration;

use crate::{
    files::{GTIN, OTHER_GTIN, code, ki},
    order::{cancelled, created, job, order, returned, shipped, shipped_part},
    world::{INN, World},
};

const SHIRT: (u64, &str, u64, i64) = (7, GTIN, 2, 59_050);
const SHOES: (u64, &str, u64, i64) = (8, OTHER_GTIN, 1, 249_900);

/// The order saved so many minutes later.
fn saved(order: &Order, minutes: i64) -> Order {
    let mut saved = order.clone();
    saved.updated_at += Duration::minutes(minutes);
    saved
}

/// The goods leave a second time.
fn shipped_again(order: &Order) -> Event {
    let mut event = shipped(order);
    if let Fact::OrderShipped(fact) = &mut event.fact {
        fact.occurrence = 2;
    }
    Event::new(event.fact, order.updated_at)
}

#[tokio::test]
async fn a_return_of_which_a_part_was_refused_brings_the_rest_home_on_replay() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    world.stock(OTHER_GTIN, 1..2).await;
    let order = order(1, world.now(), &[SHIRT, SHOES]);
    world.pack(&order, [1, 2]).await;
    world.scan_text(&order, &code(OTHER_GTIN, 1)).await.unwrap();
    assert_eq!(world.tell(shipped(&order)).await, "done");
    let mut back = job(returned(&order, 1, &[(7, 2), (8, 1)]));
    let fault =
        Fault::new(System::Gismt, Kind::FailsLater).on("/lk/documents/create").after(1).times(1);
    world.fault(fault);
    assert_eq!(world.carry(&mut back).await.last().unwrap(), "dead document_refused");
    assert_eq!(world.statuses(GTIN, 1..3).await, ["in_stock", "in_stock"]);
    assert_eq!(world.statuses(OTHER_GTIN, 1..2).await, ["sold"]);
    let way = world.carry(&mut back).await;
    assert_eq!(way.last().unwrap(), "done", "{way:?}");
    assert_eq!(world.statuses(OTHER_GTIN, 1..2).await, ["in_stock"]);
    assert_eq!(world.effects(GTIN, 1), ["withdrawn", "returned"]);
    assert_eq!(world.documents().len(), 5);
    world.agrees().await;
}

#[tokio::test]
async fn what_left_came_home_left_again_and_is_cancelled_is_undone_by_its_last_withdrawal() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    let first = order(1, world.now(), &[SHIRT]);
    world.pack(&first, [1, 2]).await;
    world.tell(shipped(&first)).await;
    assert_eq!(world.tell(returned(&first, 1, &[(7, 2)])).await, "done");
    let again = saved(&first, 50);
    world.pass(std::time::Duration::from_secs(50 * 60));
    world.scan(&again, 1).await;
    world.scan(&again, 2).await;
    assert_eq!(world.tell(shipped_again(&again)).await, "done");
    assert_eq!(world.tell(cancelled(&again)).await, "done");
    let documents = world.documents();
    let documents: Vec<(&str, &str)> =
        documents.iter().map(|(kind, state)| (kind.as_str(), state.as_str())).collect();
    assert_eq!(
        documents,
        [
            ("LK_RECEIPT", "CHECKED_OK"),
            ("LP_RETURN", "CHECKED_OK"),
            ("LK_RECEIPT", "CANCELLED"),
            ("LK_RECEIPT_CANCEL", "CHECKED_OK"),
        ]
    );
    assert_eq!(world.statuses(GTIN, 1..3).await, ["in_stock", "in_stock"]);
    world.agrees().await;
}

#[tokio::test]
async fn a_code_that_came_home_and_was_then_withdrawn_by_somebody_else_stops_its_order() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    let first = order(1, world.now(), &[SHIRT]);
    world.pack(&first, [1, 2]).await;
    world.tell(shipped(&first)).await;
    assert_eq!(world.tell(returned(&first, 1, &[(7, 2)])).await, "done");
    let again = saved(&first, 50);
    world.pass(std::time::Duration::from_secs(50 * 60));
    world.scan(&again, 1).await;
    world.scan(&again, 2).await;
    let mut foreign = Code::new(&ki(GTIN, 1), "lp");
    (foreign.status, foreign.reason) = ("RETIRED".to_owned(), Some("DISTANCE".to_owned()));
    world.running.emulator.gismt.books().put(foreign, INN);
    assert_eq!(world.tell(shipped_again(&again)).await, "dead codes_refused");
    assert_eq!(world.statuses(GTIN, 1..3).await, ["quarantined", "in_order"]);
}

#[tokio::test]
async fn goods_without_codes_that_are_gone_from_the_order_do_not_hold_its_return() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    let mut order = order(1, world.now(), &[SHIRT, (9, GTIN, 1, 25_000)]);
    order.lines[1].marked = false;
    world.pack(&order, [1, 2]).await;
    world.tell(shipped(&order)).await;
    // The mug came back as well, and its line was taken out of the order in one save.
    order.lines.pop();
    assert_eq!(
        world.carry(&mut job(returned(&order, 1, &[(7, 2), (9, 1)]))).await,
        ["wait 5s", "done"]
    );
    assert_eq!(world.statuses(GTIN, 1..3).await, ["in_stock", "in_stock"]);
    world.agrees().await;
}

#[tokio::test]
async fn pieces_that_are_scanned_before_their_returns_are_told_one_by_one_all_come_home() {
    let world = World::new().await;
    world.stock(GTIN, 1..4).await;
    let order = order(1, world.now(), &[(7, GTIN, 3, 59_050)]);
    world.pack(&order, [1, 2, 3]).await;
    world.tell(shipped(&order)).await;
    world.scan_back(&order, 1).await;
    world.scan_back(&order, 3).await;
    for occurrence in 1..3 {
        assert_eq!(world.tell(returned(&order, occurrence, &[(7, 1)])).await, "done");
    }
    assert_eq!(world.statuses(GTIN, 1..4).await, ["in_stock", "sold", "in_stock"]);
    world.agrees().await;
}

#[tokio::test]
async fn a_part_of_a_line_that_is_picked_by_reservation_leaves_by_its_scan() {
    let world = World::with("confirm = \"reservation\"", |_| {}).await;
    world.stock(GTIN, 1..3).await;
    let mut order = order(1, world.now(), &[SHIRT]);
    order.shipments[0].items = vec![(7, Quantity::ONE)];
    let mut other = order.shipments[0].clone();
    other.id = 10;
    order.shipments.push(other);
    world.tell(created(&order)).await;
    let mut leaving = job(shipped(&order));
    assert_eq!(world.carry(&mut leaving).await, ["dead codes_ambiguous"]);
    world.scan(&order, 2).await;
    assert_eq!(world.carry(&mut leaving).await.last().unwrap(), "done");
    assert_eq!(world.statuses(GTIN, 1..3).await, ["in_order", "sold"]);
    assert_eq!(world.tell(shipped_part(&order, 10)).await, "done");
    assert_eq!(world.statuses(GTIN, 1..3).await, ["sold", "sold"]);
    world.agrees().await;
}

#[tokio::test]
async fn what_came_home_is_not_set_aside_again_because_another_line_leaves() {
    let world = World::new().await;
    world.stock(GTIN, 1..4).await;
    world.stock(OTHER_GTIN, 1..2).await;
    let mut order = order(1, world.now(), &[SHIRT, SHOES]);
    let mut other = order.shipments[0].clone();
    order.shipments[0].items.pop();
    (other.id, other.items) = (10, vec![(8, Quantity::ONE)]);
    order.shipments.push(other);
    world.pack(&order, [1, 2]).await;
    world.scan_text(&order, &code(OTHER_GTIN, 1)).await.unwrap();
    world.tell(shipped_part(&order, 9)).await;
    world.scan_back(&order, 2).await;
    assert_eq!(world.tell(returned(&order, 1, &[(7, 1)])).await, "done");
    assert_eq!(world.tell(shipped_part(&order, 10)).await, "done");
    assert_eq!(world.statuses(GTIN, 1..4).await, ["sold", "in_stock", "in_stock"]);
    world.agrees().await;
}

#[tokio::test]
async fn a_shipment_whose_goods_are_not_marked_after_all_is_not_late_for_ever() {
    let world = World::new().await;
    let mut order = order(1, world.now(), &[SHIRT]);
    let mut leaving = job(shipped(&order));
    assert_eq!(world.carry(&mut leaving).await, ["dead codes_missing"]);
    order.lines[0].marked = false;
    order.updated_at += Duration::minutes(9);
    leaving.renew(leaving.event().renewed(&order).unwrap());
    assert_eq!(world.carry(&mut leaving).await, ["done"]);
    assert_eq!(world.marking.store().late(world.now() + Duration::days(9)).await.unwrap(), 0);
}
