//! Orders from the bus: held, spent, earned, undone, whatever comes first and how often.

use events::{Event, Fact, Line, Order, OrderFact, ReturnFact, ReturnedLine};
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
    world.tell_each(facts).await;
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

/// Three equal lines, returned one by one: each return has a part of a kopeck, their sum has none.
#[tokio::test(flavor = "multi_thread")]
async fn returns_one_by_one_come_to_the_whole() {
    let world = world().await;
    let mut thirds = order(1);
    let mug = thirds.lines[0].clone();
    thirds.lines =
        (7..10).map(|id| Line { id, quantity: "1".parse().unwrap(), ..mug.clone() }).collect();
    thirds.delivery = None;
    thirds.updated_at = time::OffsetDateTime::now_utc();
    let facts = [created(thirds.clone()), paid(thirds.clone()), completed(thirds.clone())];
    let returns = (1_u32..=3).map(|occurrence| {
        let lines =
            vec![ReturnedLine { line: u64::from(occurrence) + 6, quantity: "1".parse().unwrap() }];
        Fact::OrderReturned(Box::new(ReturnFact { order: thirds.clone(), lines, occurrence }))
    });
    let mut seen = Vec::new();
    for (count, fact) in (1..).zip(facts.into_iter().chain(returns)) {
        world.tell(fact).await;
        world.until_jobs("done", count).await;
        seen.push(world.balance(PHONE).await[..2].join(" "));
    }
    // 100.00 were spent, 70.00 earned.
    assert_eq!(
        seen,
        [
            "400.00 0.00",
            "400.00 0.00",
            "400.00 70.00",
            "433.33 46.67",
            "466.66 23.34",
            "500.00 0.00"
        ]
    );
    world.end().await;
}

/// A manager takes the mug that came back out of the order: that makes its share of the points no larger.
#[tokio::test(flavor = "multi_thread")]
async fn a_return_is_a_share_of_what_was_sold_and_not_of_what_is_left() {
    let world = world().await;
    let mut fresh = order(1);
    fresh.updated_at = time::OffsetDateTime::now_utc();
    let mut less = fresh.clone();
    less.lines[0].quantity = "1".parse().unwrap();
    let facts = [created(order(1)), paid(order(1)), completed(fresh), returned(less)];
    world.tell_each(facts).await;
    // 500 of 1200, as if the order had stayed as it was.
    assert_eq!(world.balance(PHONE).await, ["441.66", "38.11", "0.00", "0.00"]);
    world.end().await;
}

/// A shipment that is undone and leaves anew is told as a return: what was given back is spent once more at the end,
/// and given back once more when the goods really come home.
#[tokio::test(flavor = "multi_thread")]
async fn what_went_back_and_left_again_is_spent_and_given_back_anew() {
    let world = world().await;
    let mut fresh = order(1);
    fresh.updated_at = time::OffsetDateTime::now_utc();
    let all = |occurrence| {
        let lines = fresh.lines.iter();
        let lines = lines.map(|line| ReturnedLine { line: line.id, quantity: line.quantity });
        let (order, lines) = (fresh.clone(), lines.collect());
        Fact::OrderReturned(Box::new(ReturnFact { order, lines, occurrence }))
    };
    let again = Fact::OrderCompleted(Box::new(OrderFact { order: fresh.clone(), occurrence: 2 }));
    let steps = [
        (created(order(1)), "400.00 0.00"),
        (paid(order(1)), "400.00 0.00"),
        (completed(fresh.clone()), "400.00 65.33"),
        (all(1), "500.00 0.00"),
        (again, "400.00 65.33"),
        (all(2), "500.00 0.00"),
    ];
    for (count, (fact, expected)) in (1..).zip(steps) {
        world.tell(fact).await;
        world.until_jobs("done", count).await;
        assert_eq!(world.balance(PHONE).await[..2].join(" "), expected, "step {count}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_paid_with_points_alone_is_paid_when_it_is_made() {
    let world = world().await;
    let mut free = order(1);
    free.price = events::Money::ZERO;
    free.payments.clear();
    free.properties.insert("LOYALTY_POINTS".to_owned(), "500.00".to_owned());
    world.tell(created(free)).await;
    world.until_jobs("done", 1).await;
    assert_eq!(world.balance(PHONE).await, ["0.00", "0.00", "0.00", "0.00"]);
    world.end().await;
}

/// Completed, opened again and completed again: earned once; after a cancellation it is earned anew.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_completed_twice_earns_once() {
    let world = world().await;
    let mut plain = order(1);
    plain.properties.clear();
    plain.updated_at = time::OffsetDateTime::now_utc();
    let saved = |version| Order { version: Some(version), ..plain.clone() };
    let completed = |version, occurrence| {
        Fact::OrderCompleted(Box::new(OrderFact { order: saved(version), occurrence }))
    };
    let facts = [completed(4, 1), completed(5, 2), cancelled(saved(6)), completed(7, 3)];
    let mut seen = Vec::new();
    for (count, fact) in (1..).zip(facts) {
        world.tell(fact).await;
        world.until_jobs("done", count).await;
        seen.push(world.balance(PHONE).await[1].clone());
    }
    assert_eq!(seen, ["65.33", "65.33", "0.00", "65.33"]);
    world.end().await;
}
