//! RestBal: stock is asked for, read as it comes, compared with the catalogue.

use std::{io::Cursor, time::Instant};

use egais::{
    store::CatalogueRow,
    utm::answer::{Incoming, incoming},
};

use crate::{
    order::{BEER, WINE, order, shipped, wine},
    story::stock,
    world::World,
};

#[tokio::test]
async fn both_registers_are_compared_with_the_catalogue() {
    let world = World::new().await;
    let row = |code: &str, quantity: u32| CatalogueRow {
        alc_code: code.to_owned(),
        name: format!("Товар {code}"),
        quantity: quantity.into(),
    };
    // EGAIS has 12 of wine and 20 of beer; the catalogue has all of the wine, less beer, and something else.
    let catalogue = [row(WINE, 12), row(BEER, 19), row("0000000000000000001", 1)];
    world.egais.store().keep_catalogue("office", &catalogue, world.now()).await.unwrap();
    stock(&world).await;
    let found = world.egais.store().differences("office").await.unwrap();
    let found: Vec<(&str, String, String)> = found
        .iter()
        .map(|row| (row.alc_code.as_str(), row.shop.to_string(), row.catalogue.to_string()))
        .collect();
    let text = |text: &str| text.to_owned();
    assert_eq!(
        found,
        [("0000000000000000001", text("0"), text("1")), (BEER, text("20"), text("19"))]
    );
    // It is asked once in its time, and both answers are taken off the inbox.
    assert!(!world.egais.ask_rests("office").await.unwrap());
    assert_eq!(world.summary().waiting, 0);
    assert_eq!(world.sent().len(), 2);
}

#[tokio::test]
async fn a_question_that_was_not_taken_is_asked_again_soon_and_the_other_is_not() {
    let world = World::new().await;
    world.on_post("QueryRestsShop_v2", emulator::Kind::Refusal);
    assert!(world.egais.ask_rests("office").await.is_err());
    assert!(world.egais.ask_rests("office").await.unwrap());
    assert!(!world.egais.ask_rests("office").await.unwrap());
    assert_eq!(world.sent().len(), 2);
}

#[tokio::test]
async fn the_only_form_b_in_stock_is_taken_where_the_product_names_none() {
    let world = World::new().await;
    stock(&world).await;
    let mut order = order(1, world.now(), &[wine(&[1])]);
    order.lines[0].properties.remove("EGAIS_F2");
    assert_eq!(world.tell(shipped(&order)).await, "done");
    world.agrees().await;
}

/// The answer with so many positions, as EGAIS writes it.
fn answer(positions: usize) -> String {
    use std::fmt::Write as _;
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ns:Documents Version=\"1.0\" \
         xmlns:ns=\"http://fsrar.ru/WEGAIS/WB_DOC_SINGLE_01\" xmlns:rst=\"http://fsrar.ru/WEGAIS/ReplyRests_v2\" \
         xmlns:pref=\"http://fsrar.ru/WEGAIS/ProductRef_v2\" xmlns:oref=\"http://fsrar.ru/WEGAIS/ClientRef_v2\">\
         <ns:Owner><ns:FSRAR_ID>3463047</ns:FSRAR_ID></ns:Owner><ns:Document><ns:ReplyRests_v2>\
         <rst:RestsDate>2026-11-20T14:06:01.123</rst:RestsDate><rst:Products>",
    );
    for number in 0..positions {
        write!(
            text,
            "<rst:StockPosition><rst:Product><pref:UnitType>Packed</pref:UnitType><pref:Type>АП</pref:Type>\
             <pref:FullName>Вино сухое красное «Пример» {number}</pref:FullName><pref:AlcCode>{number:019}</pref:AlcCode>\
             <pref:Capacity>0.750</pref:Capacity><pref:AlcVolume>13.000</pref:AlcVolume><pref:Producer><oref:UL>\
             <oref:ClientRegId>010000999999</oref:ClientRegId><oref:FullName>ООО Винодел</oref:FullName>\
             <oref:ShortName>Винодел</oref:ShortName><oref:INN>7700000000</oref:INN><oref:KPP>770001001</oref:KPP>\
             <oref:address><oref:Country>643</oref:Country><oref:RegionCode>77</oref:RegionCode>\
             <oref:description>г. Москва</oref:description></oref:address></oref:UL></pref:Producer>\
             <pref:ProductVCode>401</pref:ProductVCode></rst:Product><rst:Quantity>12.000</rst:Quantity>\
             <rst:InformF1RegId>FA-{number:015}</rst:InformF1RegId><rst:InformF2RegId>FB-{number:015}</rst:InformF2RegId>\
             </rst:StockPosition>"
        )
        .unwrap();
    }
    text.push_str("</rst:Products></ns:ReplyRests_v2></ns:Document></ns:Documents>");
    text
}

/// The most memory that this process had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Each test is a process of its own under nextest, so the peak is this one's.
#[test]
fn fifty_thousand_positions_are_read_in_a_second_and_little_memory() {
    let text = answer(50_000);
    let (size, before) = (text.len(), peak());
    let began = Instant::now();
    // As the service does: a thousand positions are in hand at a time.
    let (mut kept, mut most) = (Vec::new(), 0);
    let read = incoming(Cursor::new(text), &mut |rest| {
        kept.push(rest);
        most = most.max(kept.len());
        if kept.len() == 1_000 {
            kept.clear();
        }
        Ok(())
    });
    let took = began.elapsed();
    assert_eq!(read.unwrap(), Incoming::Rests { shop: false, count: 50_000 });
    let grown = (peak() - before) / 1024;
    eprintln!("{size} bytes, at most {most} positions in hand: {took:?}, {grown} MiB more");
    assert!(grown < 50, "{grown} MiB");
    // The bar is a release build's. Unoptimised and beside other builds it takes several seconds; there only what
    // grows with the square of the positions is found out.
    let limit = if cfg!(debug_assertions) { 30.0 } else { 1.0 };
    assert!(took.as_secs_f64() < limit, "{took:?}");
}

#[tokio::test]
async fn a_table_that_refuses_stock_in_the_middle_holds_up_nobody() {
    let world = World::new().await;
    let rest = |number: usize| emulator::utm::Rest {
        alc_code: format!("{number:019}"),
        name: "Товар".to_owned(),
        f1: None,
        f2: None,
        quantity: 1.into(),
    };
    let all = (0..5_000).map(rest).collect();
    world
        .running
        .emulator
        .utm
        .books()
        .entry(crate::world::OWNER.to_owned())
        .or_default()
        .put_rests(all, Vec::new());
    sqlx::query("ALTER TABLE rests ADD CONSTRAINT few CHECK (place < 500)")
        .execute(world.tables.pool())
        .await
        .unwrap();
    assert!(world.egais.ask_rests("office").await.unwrap());
    for _ in 0..4 {
        let look = world.egais.poll("office");
        let ended = tokio::time::timeout(std::time::Duration::from_secs(60), look).await;
        ended.expect("the look comes to its end").ok();
    }
    sqlx::query("ALTER TABLE rests DROP CONSTRAINT few")
        .execute(world.tables.pool())
        .await
        .unwrap();
    world.egais.poll("office").await.unwrap();
    assert_eq!(world.tables.number("SELECT count(*) FROM rests").await, 5_000);
    assert_eq!(world.summary().waiting, 0);
}

#[tokio::test]
async fn two_utms_whose_answers_name_the_same_products_hold_up_neither() {
    let world = World::new().await;
    let store = world.egais.store();
    let rest = |number: usize| egais::utm::answer::Rest {
        product: egais::documents::Product {
            alc_code: format!("{number:019}"),
            ..egais::documents::Product::default()
        },
        quantity: 1.into(),
        ..egais::utm::answer::Rest::default()
    };
    let all = || (0..2_000).map(rest).collect::<Vec<_>>();
    let back = all().into_iter().rev().collect::<Vec<_>>();
    // One has written the first half of its products when the other comes with the same from the other end.
    let (send, batches) = tokio::sync::mpsc::channel(1);
    let (other, others) = tokio::sync::mpsc::channel(1);
    let feed = async move {
        for (one, two) in all().chunks(1_000).zip(back.chunks(1_000)) {
            send.send(one.to_vec()).await.unwrap();
            other.send(two.to_vec()).await.unwrap();
        }
    };
    let (first, second, ()) = tokio::join!(
        store.keep_rests("office", false, batches),
        store.keep_rests("branch", false, others),
        feed
    );
    first.unwrap().commit().await.unwrap();
    second.unwrap().commit().await.unwrap();
    assert_eq!(world.tables.number("SELECT count(*) FROM products").await, 2_000);
}

/// What another program at the shop has asked, under a name of its own.
fn theirs(world: &World) -> String {
    let reply = "00000000-0000-4000-a000-000000000001";
    let mut books = world.running.emulator.utm.books();
    let books = books.entry(crate::world::OWNER.to_owned()).or_default();
    books.put_answer("ReplyRests_v2", reply, answer(1));
    reply.to_owned()
}

#[tokio::test]
async fn stock_that_another_program_has_asked_for_is_left_to_it() {
    let world = World::new().await;
    let reply = theirs(&world);
    stock(&world).await;
    let left = world.egais.utm("office").unwrap().inbox().await.unwrap();
    let left: Vec<Option<String>> = left.into_iter().map(|entry| entry.reply_id).collect();
    assert_eq!(left, [Some(reply)]);
    let ours = "SELECT count(*) FROM rests WHERE alc_code = '0000000000000000000'";
    assert_eq!(world.tables.number(ours).await, 0);
    assert_eq!(world.tables.number("SELECT count(*) FROM rests").await, 2);
}

#[tokio::test]
async fn a_list_of_a_hundred_thousand_entries_keeps_no_ticket_from_being_read() {
    let world = World::new().await;
    let ticket = "<Documents><Document><Ticket/></Document></Documents>";
    {
        let mut books = world.running.emulator.utm.books();
        let books = books.entry(crate::world::OWNER.to_owned()).or_default();
        for number in 0..100_000 {
            let reply = format!("00000000-0000-4000-a000-{number:012}");
            books.put_answer("Ticket", &reply, ticket.to_owned());
        }
    }
    let order = order(1, world.now(), &[wine(&[1])]);
    assert_eq!(world.tell(shipped(&order)).await, "done");
    assert_eq!(world.summary().waiting, 100_000, "the others' tickets are theirs");
    world.agrees().await;
}
