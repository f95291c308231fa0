//! What the shop hears of an order's points.

use crate::{
    order::{completed, created, order, paid, returned},
    restored::world,
};

/// Earned points are taken back and spent ones given back: two movements, two sentences.
#[tokio::test(flavor = "multi_thread")]
async fn a_return_that_takes_and_gives_is_heard_as_both() {
    let world = world().await;
    world.listen().await;
    let facts = [created(order(1)), paid(order(1)), completed(order(1)), returned(order(1))];
    world.tell_each(facts).await;
    let heard = world.heard().await;
    let ids: std::collections::BTreeSet<_> = heard.iter().map(|(id, ..)| id).collect();
    assert_eq!(ids.len(), heard.len(), "each has an id of its own: {heard:?}");
    let words: Vec<_> = heard.iter().map(|(_, code, ru)| format!("{code}: {ru}")).collect();
    assert_eq!(
        words,
        [
            "points_held: Заказ № A-1: удержано баллов — 100.00.",
            "points_spent: Заказ № A-1: списано баллов — 100.00.",
            "points_earned: Заказ № A-1: начислено баллов — 65.33.",
            "points_taken_back: Заказ № A-1: снято начисленных баллов — 27.22.",
            "points_returned: Заказ № A-1: возвращено списанных баллов — 41.66.",
        ]
    );
    world.end().await;
}
