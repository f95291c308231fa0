//! A shop that sells marked goods and alcohol: wine is written off in EGAIS, and nobody waits for its codes here.

use events::{MarkCode, Order, Phase};

use crate::{
    files::{GTIN, OTHER_GTIN, code},
    order::{cancelled, created, job, order, returned, shipped, with_marks},
    world::{World, told},
};

const SHIRT: (u64, &str, u64, i64) = (7, GTIN, 2, 59_050);
/// A bottle: its number is on no label of this register.
const BOTTLE: (u64, &str, u64, i64) = (8, OTHER_GTIN, 1, 249_900);

/// An excise mark of 150 characters, as EGAIS has them.
fn excise() -> String {
    format!("134406539469561020001{}", "A".repeat(129))
}

/// The bottle of the order is a product with this property.
fn with_bottle(mut order: Order, property: &str, value: &str) -> Order {
    let line = order.lines.iter_mut().find(|line| line.id == 8).unwrap();
    line.properties = [(property.to_owned(), value.to_owned())].into();
    order
}

#[tokio::test]
async fn wine_beside_shirts_keeps_nobody_waiting() {
    for (property, value) in [("ALCCODE", "0177320000003146880"), ("EGAIS_GROUP", "wine")] {
        for marks in [vec![], vec![excise()]] {
            let world = World::new().await;
            world.stock(GTIN, 1..3).await;
            let order = with_bottle(order(1, world.now(), &[SHIRT, BOTTLE]), property, value);
            let order = with_marks(order, 8, &marks);
            let mut reserving = job(created(&order));
            assert_eq!(world.carry(&mut reserving).await, ["done"]);
            assert_eq!(told(&reserving), [(Phase::Working, "codes_reserved")]);
            world.scan(&order, 1).await;
            world.scan(&order, 2).await;
            assert_eq!(world.tell(shipped(&order)).await, "done");
            assert_eq!(world.statuses(GTIN, 1..3).await, ["sold", "sold"]);
            assert_eq!(world.tell(returned(&order, 1, &[(7, 2), (8, 1)])).await, "done");
            assert_eq!(world.statuses(GTIN, 1..3).await, ["in_stock", "in_stock"]);
            assert_eq!(world.documents().len(), 2);
            world.agrees().await;
        }
    }
}

#[tokio::test]
async fn an_order_of_nothing_but_wine_is_none_of_this_service() {
    let world = World::new().await;
    let order = order(1, world.now(), &[BOTTLE]);
    let mut order =
        with_marks(with_bottle(order, "ALCCODE", "0177320000003146880"), 8, &[excise()]);
    for _ in 0..2 {
        for event in
            [created(&order), shipped(&order), returned(&order, 1, &[(8, 1)]), cancelled(&order)]
        {
            let mut job = job(event);
            assert_eq!(world.carry(&mut job).await, ["done"]);
            assert_eq!(told(&job), []);
        }
        // A shop of wine alone need not be among the settings.
        order.key.shop = "cellar".parse().unwrap();
    }
    assert_eq!(world.marking.store().late(world.now() + time::Duration::days(9)).await.unwrap(), 0);
    assert_eq!(world.running.emulator.gismt.books().summary().requests, 0);
}

#[tokio::test]
async fn beer_is_in_both_registers_and_its_codes_are_withdrawn() {
    let world = World::new().await;
    world.stock_of(OTHER_GTIN, "beer", 1..3).await;
    // By its group, a code of the stock is set aside for it; by its codes, whatever its group is called.
    let first = order(1, world.now(), &[BOTTLE]);
    let gtin = first.lines[0].properties.clone();
    let mut first = with_bottle(first, "EGAIS_GROUP", "beer");
    first.lines[0].properties.extend(gtin);
    assert_eq!(world.tell(created(&first)).await, "done");
    world.scan_text(&first, &code(OTHER_GTIN, 1)).await.unwrap();
    let second = with_bottle(order(2, world.now(), &[BOTTLE]), "ALCCODE", "0177320000003146880");
    let second = with_marks(second, 8, &[code(OTHER_GTIN, 2)]);
    for order in [&first, &second] {
        assert_eq!(world.tell(shipped(order)).await, "done");
    }
    assert_eq!(world.statuses(OTHER_GTIN, 1..3).await, ["sold", "sold"]);
    world.agrees().await;
}

#[tokio::test]
async fn the_properties_of_alcohol_have_the_names_that_the_shop_gives_them() {
    let world = World::with("alcohol = { alc_code_property = \"ALKO\" }", |_| {}).await;
    let order = order(1, world.now(), &[BOTTLE]);
    let wine = with_bottle(order.clone(), "ALKO", "0177320000003146880");
    assert_eq!(world.tell(created(&wine)).await, "done");
    let other = with_bottle(order, "ALCCODE", "0177320000003146880");
    assert_eq!(world.tell(created(&other)).await, "dead product_unknown");
    // What is there and has no value says nothing.
    let blank = with_bottle(other.clone(), "ALKO", " ");
    assert_eq!(world.tell(shipped(&blank)).await, "dead product_unknown");
    let bad = MarkCode::from_text(&excise()).unwrap();
    let mut unreadable = other;
    unreadable.lines[0].marks = vec![bad];
    assert_eq!(world.tell(shipped(&unreadable)).await, "dead mark_unreadable");
}
