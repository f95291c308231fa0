//! Reservations and scans.

use marking::store::{CodeStatus, ScanRefusal};

use crate::{
    files::{GTIN, OTHER_GTIN, code, file, ki},
    order::{cancelled, created, order, shipped, with_marks},
    world::World,
};

const SHIRT: (u64, &str, u64, i64) = (7, GTIN, 2, 59_050);

#[tokio::test]
async fn a_scan_that_cannot_be_is_refused_with_a_clear_word() {
    let world = World::new().await;
    world.stock(GTIN, 1..9).await;
    world.stock(OTHER_GTIN, 1..2).await;
    let (first, second) = (order(1, world.now(), &[SHIRT]), order(2, world.now(), &[SHIRT]));
    world.tell(created(&first)).await;
    world.tell(created(&second)).await;
    let scan = async |order: &events::Order, text: String| {
        world.scan_text(order, &text).await.unwrap_err()
    };
    assert_eq!(
        scan(&order(3, world.now(), &[SHIRT]), code(GTIN, 1)).await,
        ScanRefusal::OrderUnknown
    );
    assert_eq!(scan(&first, code(OTHER_GTIN, 1)).await, ScanRefusal::WrongProduct);
    assert_eq!(scan(&first, code(GTIN, 99)).await, ScanRefusal::CodeUnknown);
    assert_eq!(scan(&first, "046000000000000007".to_owned()).await, ScanRefusal::Pack);
    let said = world.scan_text(&first, &code(GTIN, 5)).await.unwrap();
    assert_eq!((said.scanned, said.count), (1, 2));
    assert_eq!(scan(&first, code(GTIN, 5)).await, ScanRefusal::Twice);
    assert_eq!(scan(&second, code(GTIN, 5)).await, ScanRefusal::OtherOrder("A-1".to_owned()));
    world.scan(&first, 6).await;
    assert_eq!(scan(&first, code(GTIN, 7)).await, ScanRefusal::LineFull);
    world.tell(shipped(&first)).await;
    assert_eq!(scan(&second, code(GTIN, 5)).await, ScanRefusal::Used(CodeStatus::Sold));
    world.tell(cancelled(&second)).await;
    assert_eq!(scan(&second, code(GTIN, 1)).await, ScanRefusal::Cancelled);
}

#[tokio::test]
async fn a_piece_that_is_only_reserved_for_another_order_is_had_in_exchange() {
    let world = World::new().await;
    world.stock(GTIN, 1..5).await;
    let (first, second) = (order(1, world.now(), &[SHIRT]), order(2, world.now(), &[SHIRT]));
    world.tell(created(&first)).await;
    world.tell(created(&second)).await;
    assert_eq!(
        world.tables.number("SELECT count(*) FROM codes WHERE status = 'in_order'").await,
        4
    );
    // The codes 1 and 2 are reserved for the first order, 3 and 4 for the second.
    world.scan(&first, 3).await;
    world.scan(&second, 1).await;
    let books = async |book: &'static str| -> Vec<String> {
        sqlx::query_scalar("SELECT ki FROM codes WHERE book = $1 ORDER BY ki")
            .bind(book)
            .fetch_all(world.tables.pool())
            .await
            .unwrap()
    };
    assert_eq!(books("acme portal 1").await, [ki(GTIN, 2), ki(GTIN, 3)]);
    assert_eq!(books("acme portal 2").await, [ki(GTIN, 1), ki(GTIN, 4)]);
}

#[tokio::test]
async fn many_orders_at_once_never_share_a_code() {
    let world = World::new().await;
    world.stock(GTIN, 0..100).await;
    let orders: Vec<_> = (1..=60).map(|id| order(id, world.now(), &[SHIRT])).collect();
    let ends = orders.iter().map(|order| world.tell(created(order)));
    for end in futures_util::future::join_all(ends).await {
        assert_eq!(end, "done");
    }
    let shared = "SELECT count(*) FROM (SELECT book FROM codes WHERE book IS NOT NULL GROUP BY book HAVING count(*) > 2) x";
    assert_eq!(world.tables.number(shared).await, 0);
    assert_eq!(
        world.tables.number("SELECT count(*) FROM codes WHERE status = 'in_order'").await,
        100
    );
    let short = "SELECT count(*) FROM orders WHERE 2 > (SELECT count(*) FROM codes WHERE codes.book = orders.book)";
    assert!(world.tables.number(short).await >= 10);
}

#[tokio::test]
async fn codes_that_the_shop_names_are_bound_and_one_it_cannot_have_is_told() {
    let world = World::new().await;
    world.stock(GTIN, 1..3).await;
    let first = with_marks(order(1, world.now(), &[SHIRT]), 7, &[code(GTIN, 2), code(GTIN, 77)]);
    world.tell(created(&first)).await;
    assert_eq!(world.statuses(GTIN, 1..3).await, ["in_stock", "in_order"]);
    assert_eq!(world.statuses(GTIN, 77..78).await, ["in_order"], "a code that nobody imported");
    let second = with_marks(order(2, world.now(), &[SHIRT]), 7, &[code(GTIN, 2)]);
    let mut job = runtime::testing::Job::new(created(&second));
    world.carry(&mut job).await;
    assert_eq!(crate::world::told(&job), [(events::Phase::Working, "codes_short")]);
    let full = world.marking.store().full_codes(&first.key).await.unwrap();
    let expected = [(7, code(GTIN, 2).into_bytes()), (7, code(GTIN, 77).into_bytes())];
    assert_eq!(full, expected, "for the receipt: with tail and separators");
}

#[tokio::test]
async fn a_code_that_came_without_its_tail_gets_it_from_the_scan() {
    let world = World::new().await;
    let text = format!("{}\n{}\n", ki(GTIN, 1), ki(GTIN, 2));
    let store = world.marking.store();
    store.import(file(text.as_bytes()), &[7; 32], "codes.csv", "anna").await.unwrap();
    let order = order(1, world.now(), &[SHIRT]);
    world.pack(&order, [1, 2]).await;
    let full = store.full_codes(&order.key).await.unwrap();
    let expected = [(7, code(GTIN, 1).into_bytes()), (7, code(GTIN, 2).into_bytes())];
    assert_eq!(full, expected, "for the receipt: with tail and separators");
}

#[tokio::test]
async fn a_reserved_code_of_another_product_is_not_given_in_exchange() {
    let world = World::new().await;
    let row = |gtin| format!("\"{}\";A-1\n", ki(gtin, 1).replace('"', "\"\""));
    let text = format!("code;article\n{}{}", row(GTIN), row(OTHER_GTIN));
    let store = world.marking.store();
    store.import(file(text.as_bytes()), &[7; 32], "codes.csv", "anna").await.unwrap();
    // One order names the product by its number, the other by the external code of both.
    let first = order(1, world.now(), &[(7, GTIN, 1, 59_050)]);
    let mut second = order(2, world.now(), &[(7, OTHER_GTIN, 1, 59_050)]);
    second.lines[0].properties.clear();
    second.lines[0].product_xml_id = Some("A-1".to_owned());
    world.tell(created(&first)).await;
    world.tell(created(&second)).await;
    world.scan(&second, 1).await;
    assert_eq!(world.statuses(GTIN, 1..2).await, ["in_order"]);
    assert_eq!(
        world.statuses(OTHER_GTIN, 1..2).await,
        ["in_stock"],
        "no piece for the first order"
    );
}
