//! Orders that were cancelled and came back: what was given back is taken anew, once.

use events::{Fact, Order, OrderFact, Payment, PaymentFact};
use serde_json::json;

use crate::{
    order::{created, order, paid},
    world::{PHONE, World},
};

pub(crate) async fn world() -> World {
    let world = World::new().await;
    world.meet(42, PHONE).await;
    let body =
        json!({"type": "accrual", "amount": 500, "external_id": "start", "user_phone": PHONE});
    assert_eq!(world.transact(body).await.status, 200);
    world
}

/// The order as it was saved for the `version`th time.
pub(crate) fn fresh(version: u64) -> Order {
    let mut fresh = order(1);
    fresh.version = Some(version);
    fresh.updated_at = time::OffsetDateTime::now_utc();
    fresh
}

pub(crate) fn cancelled(version: u64, occurrence: u32) -> Fact {
    let order = Order { canceled: true, ..fresh(version) };
    Fact::OrderCancelled(Box::new(OrderFact { order, occurrence }))
}

pub(crate) fn paid_again(version: u64, occurrence: u32) -> Fact {
    Fact::OrderPaid(Box::new(PaymentFact { order: fresh(version), payment: 55, occurrence }))
}

pub(crate) async fn balances(world: &World, facts: impl IntoIterator<Item = Fact>) -> Vec<String> {
    let mut seen = Vec::new();
    for (count, fact) in (1..).zip(facts) {
        world.tell(fact).await;
        world.until_jobs("done", count).await;
        seen.push(world.balance(PHONE).await[..3].join(" "));
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_restored_and_paid_again_spends_again() {
    let world = world().await;
    let facts = [
        created(order(1)),
        paid(order(1)),
        cancelled(4, 1),
        paid_again(5, 2),
        cancelled(6, 2),
        paid_again(7, 3),
    ];
    let seen = balances(&world, facts).await;
    let (spent, back) = ("400.00 0.00 0.00", "500.00 0.00 0.00");
    assert_eq!(seen, ["400.00 0.00 100.00", spent, back, spent, back, spent]);
    world.end().await;
}

/// Its payment was never taken back, so no payment comes: the points are taken at the latest when
/// the order is completed.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_restored_with_its_payment_spends_when_it_is_completed() {
    let world = world().await;
    let completed = Fact::OrderCompleted(Box::new(OrderFact { order: fresh(5), occurrence: 1 }));
    let facts = [created(order(1)), paid(order(1)), cancelled(4, 1), completed];
    let seen = balances(&world, facts).await;
    assert_eq!(seen[2..], ["500.00 0.00 0.00", "400.00 65.33 0.00"]);
    world.end().await;
}

/// Two payments make the order's price; both facts show both of them as paid.
#[tokio::test(flavor = "multi_thread")]
async fn two_payments_spend_once_also_after_the_hold_has_ended() {
    let world = world().await;
    let mut halves = order(1);
    let half: Payment = Payment { sum: "700.00".parse().unwrap(), ..halves.payments[0].clone() };
    halves.payments = vec![half.clone(), Payment { id: 56, ..half }];
    let paid = |payment| {
        let order = halves.clone();
        Fact::OrderPaid(Box::new(PaymentFact { order, payment, occurrence: 1 }))
    };
    world.tell(created(halves.clone())).await;
    world.until_jobs("done", 1).await;
    let pool = world.stage.pool("loyalty");
    sqlx::query("UPDATE progress SET until = now()").execute(&pool).await.unwrap();
    pool.close().await;
    let ended = || async { world.balance(PHONE).await[0] == "500.00" };
    world.stage.until("the hold ends", crate::world::LONG, ended).await;
    world.tell(paid(55)).await;
    world.tell(paid(56)).await;
    world.until_jobs("done", 3).await;
    assert_eq!(world.balance(PHONE).await, ["400.00", "0.00", "0.00", "0.00"]);
    world.end().await;
}
