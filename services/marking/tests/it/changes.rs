//! Orders that are changed, cancelled and restored, and what happens in the wrong order.

use events::{Event, Fact, Order, OrderFact, Phase};
use marking::store::{Scan, ScanRefusal};
use time::Duration;

use crate::{
    files::{GTIN, OTHER_GTIN, code},
    order::{cancelled, created, job, order, paid, returned, shipped},
    world::{World, told},
};

const SHIRT: (u64, &str, u64, i64) = (7, GTIN, 2, 59_050);
const SHOES: (u64, &str, u64, i64) = (8, OTHER_GTIN, 1, 249_900);

/// The order as somebody saved it so many minutes later.
fn saved(order: &Order, minutes: i64, change: impl FnOnce(&mut Order)) -> Order {
    let mut saved = order.clone();
    saved.updated_at += Duration::minutes(minutes);
    change(&mut saved);
    saved
}

fn changed(order: &Order) -> Event {
    let fact = OrderFact { order: order.clone(), occurrence: 1 };
    Event::new(Fact::OrderChanged(Box::new(fact)), order.updated_at)
}

/// The order is cancelled because it has the status "C"; its own flag says nothing.
fn cancelled_by_status(order: &Order) -> Event {
    let order = saved(order, 2, |order| order.status = "C".to_owned());
    let at = order.updated_at;
    Event::new(Fact::OrderCancelled(Box::new(OrderFact { order, occurrence: 1 })), at)
}

async fn unbind(world: &World, order: &Order, number: usize) -> Result<(i64, i64), ScanRefusal> {
    let label = events::Label::parse(&code(GTIN, number)).unwrap();
    let scan = Scan { order: &order.key, label: &label, person: "anna", takes_unknown: false };
    let line = world.marking.store().unbind(&scan).await.unwrap()?;
    Ok((line.scanned, line.count))
}

#[tokio::test]
async fn what_is_taken_out_of_an_order_gives_its_codes_back() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    world.stock(OTHER_GTIN, 1..2).await;
    let first = order(1, world.now(), &[SHIRT, SHOES]);
    world.tell(created(&first)).await;
    let less = saved(&first, 5, |order| {
        order.lines.pop();
        order.lines[0].quantity = events::Quantity::from_units(1);
    });
    let mut job = job(changed(&less));
    assert_eq!(world.carry(&mut job).await, ["done"]);
    assert_eq!(told(&job), [(Phase::Working, "codes_reserved")]);
    assert_eq!(world.statuses(GTIN, 1..3).await, ["in_stock", "in_order"]);
    assert_eq!(world.statuses(OTHER_GTIN, 1..2).await, ["in_stock"]);
    // What is told late is no news.
    assert_eq!(world.tell(paid(&first)).await, "done");
    assert_eq!(world.statuses(GTIN, 1..3).await, ["in_stock", "in_order"]);
    assert_eq!(world.statuses(OTHER_GTIN, 1..2).await, ["in_stock"]);
    let none = saved(&less, 5, |order| order.lines.clear());
    assert_eq!(world.tell(changed(&none)).await, "done");
    assert_eq!(world.statuses(GTIN, 1..3).await, ["in_stock", "in_stock"]);
}

#[tokio::test]
async fn a_change_that_does_not_touch_marked_goods_is_not_told() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    let first = order(1, world.now(), &[SHIRT]);
    world.tell(created(&first)).await;
    let mut job = job(changed(&saved(&first, 5, |order| order.buyer.name = Some("Ольга".into()))));
    assert_eq!(world.carry(&mut job).await, ["done"]);
    assert_eq!(told(&job), []);
}

#[tokio::test]
async fn a_scanned_piece_that_is_not_wanted_any_more_is_told_and_unbound_by_a_person() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    let first = order(1, world.now(), &[SHIRT]);
    world.pack(&first, [1, 2]).await;
    let less = saved(&first, 5, |order| order.lines[0].quantity = events::Quantity::from_units(1));
    let mut job = job(changed(&less));
    world.carry(&mut job).await;
    assert_eq!(told(&job), [(Phase::Working, "codes_surplus")]);
    assert_eq!(
        world.statuses(GTIN, 1..3).await,
        ["in_order", "in_order"],
        "it is in somebody's hands"
    );
    assert_eq!(unbind(&world, &first, 2).await, Ok((1, 1)));
    assert_eq!(unbind(&world, &first, 2).await, Err(ScanRefusal::NotScanned));
    assert_eq!(world.statuses(GTIN, 1..3).await, ["in_order", "in_stock"]);
    let mut gone = shipped(&less);
    if let Fact::OrderShipped(fact) = &mut gone.fact {
        fact.order.shipments[0].items[0].1 = events::Quantity::from_units(1);
    }
    assert_eq!(world.tell(gone).await, "done");
    assert_eq!(
        unbind(&world, &first, 1).await,
        Err(ScanRefusal::Used(marking::store::CodeStatus::Sold))
    );
    world.agrees().await;
}

#[tokio::test]
async fn a_piece_that_was_noted_as_returned_by_mistake_is_sold_again() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    let order = order(1, world.now(), &[SHIRT]);
    world.pack(&order, [1, 2]).await;
    world.tell(shipped(&order)).await;
    world.scan_back(&order, 1).await;
    assert!(unbind(&world, &order, 1).await.is_ok());
    world.scan_back(&order, 2).await;
    assert_eq!(world.tell(returned(&order, 1, &[(7, 1)])).await, "done");
    assert_eq!(world.statuses(GTIN, 1..3).await, ["sold", "in_stock"]);
    world.agrees().await;
}

#[tokio::test]
async fn an_order_that_only_its_status_calls_cancelled_stays_so_until_it_has_another() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    let first = order(1, world.now(), &[SHIRT]);
    world.tell(created(&first)).await;
    assert_eq!(world.tell(cancelled_by_status(&first)).await, "done");
    let still = saved(&first, 9, |order| order.status = "C".to_owned());
    for event in [changed(&still), paid(&still), shipped(&still)] {
        assert_eq!(world.tell(event).await, "done");
        assert_eq!(world.statuses(GTIN, 1..3).await, ["in_stock", "in_stock"]);
    }
    let restored = saved(&first, 20, |_| ());
    assert_eq!(world.tell(changed(&restored)).await, "done");
    assert_eq!(world.statuses(GTIN, 1..3).await, ["in_order", "in_order"]);
    assert_eq!(world.documents(), []);
}

#[tokio::test]
async fn a_cancelling_that_comes_late_holds_unless_the_order_was_restored_since() {
    let world = World::new().await;
    world.stock(GTIN, 1..5).await;
    // Saved once more in the status that cancels it, and told of that first.
    let first = order(1, world.now(), &[SHIRT]);
    world.tell(created(&first)).await;
    world.tell(changed(&saved(&first, 9, |order| order.status = "C".to_owned()))).await;
    assert_eq!(world.tell(cancelled_by_status(&first)).await, "done");
    assert_eq!(world.statuses(GTIN, 1..3).await, ["in_stock", "in_stock"]);
    // Restored and sent before the cancelling is heard of: it must not undo what left.
    let second = order(2, world.now(), &[SHIRT]);
    world.tell(created(&second)).await;
    let restored = saved(&second, 9, |_| ());
    world.scan(&second, 3).await;
    world.scan(&second, 4).await;
    assert_eq!(world.tell(shipped(&restored)).await, "done");
    assert_eq!(world.tell(cancelled(&second)).await, "done");
    assert_eq!(world.statuses(GTIN, 3..5).await, ["sold", "sold"]);
    assert_eq!(world.documents().len(), 1);
    world.agrees().await;
}

#[tokio::test]
async fn a_payment_that_is_told_after_the_return_sets_nothing_aside() {
    let world = World::new().await;
    world.stock(GTIN, 1..5).await;
    let first = order(1, world.now(), &[SHIRT]);
    world.pack(&first, [1, 2]).await;
    world.tell(shipped(&first)).await;
    assert_eq!(world.tell(returned(&first, 1, &[(7, 2)])).await, "done");
    for late in
        [paid(&first), paid(&saved(&first, 30, |_| ())), changed(&saved(&first, 40, |_| ()))]
    {
        world.tell(late).await;
        assert_eq!(world.statuses(GTIN, 1..5).await, ["in_stock"; 4]);
    }
    // Sent once more, and this time for good.
    let again = saved(&first, 50, |_| ());
    world.pass(std::time::Duration::from_secs(50 * 60));
    world.scan(&again, 1).await;
    world.scan(&again, 3).await;
    let mut event = shipped(&again);
    if let Fact::OrderShipped(fact) = &mut event.fact {
        fact.occurrence = 2;
    }
    assert_eq!(world.tell(Event::new(event.fact, again.updated_at)).await, "done");
    assert_eq!(world.statuses(GTIN, 1..5).await, ["sold", "in_stock", "sold", "in_stock"]);
    world.agrees().await;
}
