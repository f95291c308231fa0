//! Two hundred orders with mixed product groups: right documents, right kopecks, and a wrong code in one order
//! hurts no other.

use std::collections::BTreeMap;

use emulator::gismt::Code;

use crate::{
    files::{GTIN, OTHER_GTIN, code, ki},
    order::{created, order, shipped, with_marks},
    world::{INN, World},
};

/// A third group's product.
const PERFUME: &str = "04630199251318";

#[tokio::test]
async fn two_hundred_mixed_orders_make_the_right_documents() {
    const ORDERS: usize = 200;
    let world = World::new().await;
    world.stock_of(GTIN, "lp", 0..2 * ORDERS).await;
    world.stock_of(OTHER_GTIN, "shoes", 0..ORDERS).await;
    world.stock_of(PERFUME, "perfumery", 0..ORDERS).await;
    let is_wrong = |number: usize| number % 20 == 7;
    let mut expected: BTreeMap<Vec<String>, (String, u64)> = BTreeMap::new();
    let mut orders = Vec::new();
    for number in 0..ORDERS {
        let price = |base: i64| base + i64::try_from(number).unwrap();
        let all = [
            (7, GTIN, 2, price(59_050)),
            (8, OTHER_GTIN, 1, price(249_900)),
            (9, PERFUME, 1, price(770_001)),
        ];
        // One, two or three groups.
        let lines = &all[..number % 3 + 1];
        let id = u64::try_from(number).unwrap() + 1;
        let mut order = order(id, world.now(), lines);
        for (line, gtin, count, kopecks) in lines {
            let numbers = if *count == 2 { 2 * number..2 * number + 2 } else { number..number + 1 };
            let codes: Vec<String> = numbers.clone().map(|n| code(gtin, n)).collect();
            order = with_marks(order, *line, &codes);
            let group = match *line {
                7 => "lp",
                8 => "shoes",
                _ => "perfumery",
            };
            if !is_wrong(number) {
                let kis = numbers.map(|n| ki(gtin, n)).collect();
                expected.insert(kis, (group.to_owned(), count * u64::try_from(*kopecks).unwrap()));
            }
        }
        if is_wrong(number) {
            let mut wrong = Code::new(&ki(GTIN, 2 * number), "lp");
            wrong.status = "EMITTED".to_owned();
            world.running.emulator.gismt.books().put(wrong, INN);
        }
        orders.push(order);
    }
    let carried = orders.iter().map(|order| async {
        assert_eq!(world.tell(created(order)).await, "done");
        world.tell(shipped(order)).await
    });
    let ends = futures_util::future::join_all(carried).await;
    for (number, end) in ends.iter().enumerate() {
        let right = if is_wrong(number) { "dead codes_refused" } else { "done" };
        assert_eq!(end, right, "order {number}");
    }
    assert_eq!(made(&world), expected);
}

/// The register's documents: their codes, their group, their total in kopecks.
fn made(world: &World) -> BTreeMap<Vec<String>, (String, u64)> {
    let books = world.running.emulator.gismt.books();
    let made: BTreeMap<Vec<String>, (String, u64)> = books
        .documents()
        .iter()
        .map(|document| {
            assert_eq!(document.status, "CHECKED_OK");
            let mut codes = document.codes.clone();
            codes.sort_unstable();
            (codes, (document.group.clone(), document.total_kopecks))
        })
        .collect();
    assert_eq!(made.len(), books.documents().len());
    made
}
