//! Orders from the bus: held, spent, earned, undone, whatever comes first and how often.

use events::Event;
use serde_json::json;

use crate::{
    order::{cancelled, completed, created, order, paid, returned},
    world::{PHONE, World},
};

/// A buyer with 500.00 points.
async fn world() -> World {
    let world = World::new().await;
    world.meet(42, PHONE).await;
    let body =
        json!({"type": "accrual", "amount": 500, "external_id": "start", "user_phone": PHONE});
    assert_eq!(world.transact(body).await.status, 200);
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_holds_spends_and_earns() {
    let world = world().await;
    world.tell(created(order(1))).await;
    world.until_jobs("done", 1).await;
    assert_eq!(world.balance(PHONE).await, ["400.00", "0.00", "100.00", "0.00"]);
    world.tell(paid(order(1))).await;
    world.until_jobs("done", 2).await;
    assert_eq!(world.balance(PHONE).await, ["400.00", "0.00", "0.00", "0.00"]);
    let mut fresh = order(1);
    fresh.updated_at = time::OffsetDateTime::now_utc();
    world.tell(completed(fresh)).await;
    world.until_jobs("done", 3).await;
    // Lines and delivery make 1500, 1400 were paid: of the mugs 933.33 at 5 %, of the book 186.67
    // at 10 %, delivery earns nothing.
    assert_eq!(world.balance(PHONE).await, ["400.00", "65.33", "0.00", "0.00"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_told_twice_and_in_any_order_come_to_the_same() {
    let world = world().await;
    for fact in [paid(order(1)), created(order(1)), paid(order(1)), created(order(1))] {
        world.tell(fact).await;
    }
    world.until_jobs("done", 2).await;
    assert_eq!(world.balance(PHONE).await, ["400.00", "0.00", "0.00", "0.00"]);
    // Cancelled before it was created.
    world.tell(cancelled(order(2))).await;
    world.until_jobs("done", 3).await;
    world.tell(created(order(2))).await;
    world.until_jobs("done", 4).await;
    assert_eq!(world.balance(PHONE).await, ["400.00", "0.00", "0.00", "0.00"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_order_gives_everything_back() {
    let world = world().await;
    world.tell(created(order(1))).await;
    world.until_jobs("done", 1).await;
    world.tell(cancelled(order(1))).await;
    world.until_jobs("done", 2).await;
    assert_eq!(world.balance(PHONE).await, ["500.00", "0.00", "0.00", "0.00"]);
    // And one that was paid and completed.
    for (count, fact) in [(3, created(order(2))), (4, paid(order(2))), (5, completed(order(2)))] {
        world.tell(fact).await;
        world.until_jobs("done", count).await;
    }
    world.tell(cancelled(order(2))).await;
    world.until_jobs("done", 6).await;
    assert_eq!(world.balance(PHONE).await, ["500.00", "0.00", "0.00", "0.00"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_takes_and_gives_in_proportion() {
    let world = world().await;
    let mut fresh = order(1);
    fresh.updated_at = time::OffsetDateTime::now_utc();
    let facts = [created(order(1)), paid(order(1)), completed(fresh), returned(order(1))];
    for (count, fact) in (1..).zip(facts) {
        world.tell(fact).await;
        world.until_jobs("done", count).await;
    }
    // 500 of 1200 came back: 41.66 of the 100 spent, 27.22 of the 65.33 earned.
    assert_eq!(world.balance(PHONE).await, ["441.66", "38.11", "0.00", "0.00"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_without_enough_points_stops_for_a_person_and_its_replay_tries_anew() {
    let world = World::new().await;
    world.tell(created(order(1))).await;
    world.until_jobs("dead", 1).await;
    let queue = world.stage.names().dead_queue("loyalty");
    world
        .stage
        .until("the letter", crate::world::LONG, || async { world.stage.waiting(&queue).await > 0 })
        .await;
    let letter = world.stage.take(&queue).await.unwrap();
    let reason = format!("{:?}", letter.headers);
    assert!(reason.contains("points_insufficient"), "{reason}");
    let body =
        json!({"type": "accrual", "amount": 500, "external_id": "late", "user_phone": PHONE});
    assert_eq!(world.transact(body).await.status, 200);
    let event = Event::from_json(letter.body.as_bytes()).unwrap();
    let headers = [("x-parom-replay", "1")];
    world
        .stage
        .put(
            "",
            &world.stage.names().queue("loyalty"),
            event.to_json().unwrap().as_bytes(),
            &headers,
        )
        .await;
    world.until_jobs("done", 1).await;
    assert_eq!(world.balance(PHONE).await, ["400.00", "0.00", "100.00", "0.00"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_of_a_buyer_nobody_knows_wait_for_him() {
    let world = World::new().await;
    let mut guest = order(1);
    guest.buyer.id = None;
    guest.properties.clear();
    guest.updated_at = time::OffsetDateTime::now_utc();
    world.tell(completed(guest)).await;
    world.until_jobs("done", 1).await;
    world.meet(77, PHONE).await;
    assert_eq!(world.balance(PHONE).await[1], "65.33");
    world.end().await;
}
