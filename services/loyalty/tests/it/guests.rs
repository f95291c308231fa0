//! Guests' orders: what they earn waits for them, and what waits is seen by what comes after it.

use events::{Fact, Order, OrderFact};

use crate::{
    order::{cancelled, completed, created, order, returned},
    world::{PHONE, World},
};

/// An order of somebody who is no user of the shop; no points are spent in it.
fn guest() -> Order {
    let mut guest = order(1);
    guest.buyer.id = None;
    guest.properties.clear();
    guest.updated_at = time::OffsetDateTime::now_utc();
    guest
}

fn completed_again(occurrence: u32) -> Fact {
    Fact::OrderCompleted(Box::new(OrderFact { order: guest(), occurrence }))
}

async fn tell_all(world: &World, facts: impl IntoIterator<Item = Fact>) {
    world.tell_each(facts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_takes_back_points_that_still_wait_for_their_guest() {
    let world = World::new().await;
    tell_all(&world, [completed(guest()), returned(guest())]).await;
    world.meet(77, PHONE).await;
    // 27.22 of 65.33, as for a buyer who was known.
    assert_eq!(world.balance(PHONE).await[1], "38.11");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_completion_earns_nothing_while_the_first_waits() {
    let world = World::new().await;
    tell_all(&world, [completed(guest()), completed_again(2)]).await;
    world.meet(77, PHONE).await;
    assert_eq!(world.balance(PHONE).await[1], "65.33");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guests_order_cancelled_and_completed_anew_earns_once() {
    let world = World::new().await;
    let anew = Order { version: Some(5), ..guest() };
    let anew = Fact::OrderCompleted(Box::new(OrderFact { order: anew, occurrence: 2 }));
    tell_all(&world, [completed(guest()), cancelled(guest()), anew]).await;
    world.meet(77, PHONE).await;
    assert_eq!(world.balance(PHONE).await[1], "65.33");
    world.end().await;
}

/// Whoever types a phone into an order without being logged in has shown nothing: the points of
/// the phone's owner stay his.
#[tokio::test(flavor = "multi_thread")]
async fn a_guest_spends_nobodys_points() {
    let world = World::new().await;
    world.meet(42, PHONE).await;
    let body = serde_json::json!({"type": "accrual", "amount": 500, "external_id": "start", "user_phone": PHONE});
    assert_eq!(world.transact(body).await.status, 200);
    let mut guest = guest();
    guest.properties.insert("LOYALTY_POINTS".to_owned(), "100.00".to_owned());
    world.tell(created(guest)).await;
    world.until_jobs("dead", 1).await;
    assert_eq!(world.balance(PHONE).await, ["500.00", "0.00", "0.00", "0.00"]);
    world.end().await;
}
