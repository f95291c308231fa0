//! An order that cannot be receipted as it is, mended in the shop, goes on by itself.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use voyage::{SERVICES, Shop, snapshot};

use crate::crew::{Crew, SECRET, START, Servers};

async fn until(what: &str, crew: &Crew, look: impl AsyncFn(&Crew) -> bool) {
    let end = Instant::now() + START;
    while !look(crew).await {
        assert!(Instant::now() < end, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Nobody knows where to send the receipt.
fn without_contact(mut snapshot: Value) -> Value {
    let order = &mut snapshot["order"];
    order["user"] = json!({ "id": 15, "email": "", "phone": "" });
    order["properties"] = json!([]);
    snapshot
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_written_into_the_order_brings_its_receipt() {
    let servers = Servers::lend("mended").await;
    let crew = Crew::board(&servers.berth(), &[]).await;
    let shop = Shop::new(SECRET, &crew.fleet.url("ingress"));
    let broken = without_contact(snapshot(1, 1)).to_string();
    assert_eq!(shop.call("msg-1", &broken).await, Some(202));
    until("the dead letter", &crew, async |crew| {
        crew.dead_letters().await.iter().any(|(name, n)| name.contains("fiscal") && *n == 1)
    })
    .await;
    assert_eq!(crew.emulator.emulator.cloudkassir.summary().receipts, 0);

    // The manager writes the address into the order; nobody replays anything.
    let mended = snapshot(1, 2).to_string();
    assert_eq!(shop.call("msg-2", &mended).await, Some(202));
    until("the receipt", &crew, async |crew| {
        crew.emulator.emulator.cloudkassir.summary().receipts == 1
    })
    .await;
    until("the number in the order", &crew, async |crew| {
        let books = crew.emulator.emulator.site.books();
        books.orders.get(&1).is_some_and(|order| order.properties.contains_key("CLOUDKASSIR_FPD"))
    })
    .await;
    drop(crew);
    servers.give_back(&SERVICES).await;
}
