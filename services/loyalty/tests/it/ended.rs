//! What is handled after the cancellation that it came before takes nothing.

use std::{sync::Arc, time::Duration};

use events::{Event, Fact, OrderFact};
use loyalty::{
    ledger::{Lapse, What},
    store::Store,
};
use serde_json::json;
use time::OffsetDateTime;

use crate::{
    laws::request,
    order::{cancelled as cancelled_at_once, completed, created, order, paid},
    restored::{balances, cancelled, fresh, paid_again, world},
    world::{LONG, PHONE, World},
};

const WHOLE: &str = "500.00 0.00 0.00";

/// Its payment was unmarked and marked again; before that is looked at the order is cancelled.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_is_looked_at_after_the_cancellation_spends_nothing() {
    let world = world().await;
    let facts = [created(order(1)), paid(order(1)), cancelled(5, 1), paid_again(4, 2)];
    let seen = balances(&world, facts).await;
    assert_eq!(seen[1..], ["400.00 0.00 0.00", WHOLE, WHOLE]);
    world.end().await;
}

/// The first payment fails for a while, and the cancellation passes it; the completion too.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_cancellation_passes_moves_nothing() {
    let world = world().await;
    let facts = [
        created(order(1)),
        cancelled(6, 1),
        paid_again(4, 1),
        Fact::OrderCompleted(Box::new(OrderFact { order: fresh(5), occurrence: 1 })),
    ];
    assert_eq!(balances(&world, facts).await[1..], [WHOLE, WHOLE, WHOLE]);
    world.end().await;
}

/// The shop deletes a paid order: that has the version of what was last seen of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_with_the_payments_version_counts() {
    let world = world().await;
    let facts = [cancelled_at_once(order(1)), paid(order(1)), created(order(1))];
    assert_eq!(balances(&world, facts).await, [WHOLE, WHOLE, WHOLE]);
    let parked: i64 = parked(&world).await;
    assert_eq!(parked, 0, "nothing waits for an order that is over");
    world.end().await;
}

async fn parked(world: &World) -> i64 {
    let pool = world.stage.pool("loyalty");
    let count = sqlx::query_scalar("SELECT count(*) FROM parked").fetch_one(&pool).await.unwrap();
    pool.close().await;
    count
}

/// The cancellation is handled between a payment's plan and its operations.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_planned_before_the_cancellation_is_undone() {
    for fact in [paid_again(4, 1), completed(fresh(4))] {
        let world = world().await;
        let pool = world.stage.pool("loyalty");
        let mut holder = pool.begin().await.unwrap();
        let lock = "SELECT id FROM customers FOR UPDATE";
        sqlx::query(lock).execute(&mut *holder).await.unwrap();
        world.tell(fact).await;
        let sql = "SELECT count(*) FROM jobs WHERE state::text LIKE '%\"Planned\"%'";
        let planned =
            || async { sqlx::query_scalar::<_, i64>(sql).fetch_one(&pool).await.unwrap() == 1 };
        world.stage.until("it is planned", LONG, planned).await;
        world.tell(cancelled(5, 1)).await;
        world.until_jobs("done", 1).await;
        holder.rollback().await.unwrap();
        world.until_jobs("done", 2).await;
        assert_eq!(world.balance(PHONE).await, ["500.00", "0.00", "0.00", "0.00"]);
        pool.close().await;
        world.end().await;
    }
}

/// An order that nobody could pay with points stops; its replay comes when that is over.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_after_the_cancellation_or_the_payment_holds_nothing() {
    let then: [(Fact, &str); 2] = [(cancelled(4, 1), WHOLE), (paid(fresh(4)), "400.00 0.00 0.00")];
    for (then, balance) in then {
        let world = World::new().await;
        world.meet(42, PHONE).await;
        world.tell(created(order(1))).await;
        world.until_jobs("dead", 1).await;
        let queue = world.stage.names().dead_queue("loyalty");
        let there = || async { world.stage.waiting(&queue).await > 0 };
        world.stage.until("the letter", LONG, there).await;
        let letter = world.stage.take(&queue).await.unwrap();
        let body =
            json!({"type": "accrual", "amount": 500, "external_id": "late", "user_phone": PHONE});
        assert_eq!(world.transact(body).await.status, 200);
        world.tell(then).await;
        world.until_jobs("done", 1).await;
        assert_eq!(world.balance(PHONE).await[..3].join(" "), balance);
        let event = Event::from_json(letter.body.as_bytes()).unwrap().to_json().unwrap();
        let own = world.stage.names().queue("loyalty");
        world.stage.put("", &own, event.as_bytes(), &[("x-parom-replay", "1")]).await;
        world.until_jobs("done", 2).await;
        assert_eq!(world.balance(PHONE).await[..3].join(" "), balance);
        world.end().await;
    }
}

/// Cancelled with something spent and something held: both come back.
#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_releases_what_is_held_beside_what_is_spent() {
    let world = world().await;
    let pool = world.stage.pool("loyalty");
    for (count, fact) in [(1, created(order(1))), (2, paid(order(1)))] {
        world.tell(fact).await;
        world.until_jobs("done", count).await;
    }
    // As a replay of the order left it, before it looked at what was spent.
    let store = Store::new(pool.clone(), Arc::new(OffsetDateTime::now_utc), Lapse::Burn);
    let until = OffsetDateTime::now_utc() + Duration::from_secs(3600);
    let mut hold = request(1, "portal-1:hold:1", What::Hold { amount: 5_000, until });
    hold.key.source = "shop:acme".to_owned();
    store.apply(vec![hold]).await.pop().unwrap().unwrap();
    assert_eq!(world.balance(PHONE).await, ["350.00", "0.00", "50.00", "0.00"]);
    world.tell(cancelled(4, 1)).await;
    world.until_jobs("done", 3).await;
    assert_eq!(world.balance(PHONE).await, ["500.00", "0.00", "0.00", "0.00"]);
    pool.close().await;
    world.end().await;
}
