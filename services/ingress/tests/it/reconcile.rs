//! The poll: webhooks that never came.

use std::{collections::BTreeSet, time::Duration};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    quay::{LONG, Quay},
    shop,
};

impl Quay {
    /// The shop saves orders, this many seconds ago, and nobody is told.
    async fn save_silently(&self, orders: std::ops::RangeInclusive<u64>, seconds_ago: i64) {
        let at = OffsetDateTime::now_utc() - time::Duration::seconds(seconds_ago);
        for id in orders {
            let mut order = shop::rest(id);
            order["dateUpdate"] = at.format(&Rfc3339).unwrap().into();
            self.save(&order, 0).await;
        }
    }

    async fn until_created(&self, orders: std::ops::RangeInclusive<u64>) {
        let wanted: BTreeSet<String> = orders.map(|id| format!("{id} created")).collect();
        let heard = tokio::sync::Mutex::new(BTreeSet::new());
        let all = || async {
            let mut heard = heard.lock().await;
            for word in self.told().await {
                assert!(heard.insert(word.clone()), "{word} was told twice");
            }
            *heard == wanted
        };
        self.stage.until("all orders", LONG, all).await;
    }
}

async fn polling() -> Quay {
    let mut quay = Quay::prepare().await;
    quay.config.reconcile_every = Duration::from_millis(100);
    quay
}

#[tokio::test]
async fn orders_whose_webhooks_were_lost_are_found_page_by_page() {
    let mut quay = polling().await;
    // Two pages of one second, and one of another.
    quay.save_silently(1..=120, 3600).await;
    quay.save_silently(121..=130, 60).await;
    quay.start().await;
    quay.until_created(1..=130).await;
    quay.save_silently(131..=132, 30).await;
    quay.until_created(131..=132).await;
    // Nothing is told again, and the cursor has come to the last of them.
    let reads = quay.jobs("done").await;
    let behind = "SELECT extract(epoch FROM now() - cursor)::int8 FROM cursors";
    quay.stage.until("the cursor", LONG, || async { quay.number(behind).await < 45 }).await;
    assert_eq!((reads, quay.jobs("done").await), (132, 132));
    quay.close().await;
}

#[tokio::test]
async fn what_a_webhook_has_brought_is_not_asked_for_again() {
    let mut quay = polling().await;
    quay.start().await;
    quay.save_silently(1..=1, 60).await;
    quay.until_created(1..=1).await;
    let found = "reconciled_total{shop=\"portal\"}";
    let before = quay.metric(found).await;
    let polls = quay
        .metric("vendor_seconds_count{call=\"sale.order.list\",code=\"200\",vendor=\"bitrix\"}")
        .await;
    let many = || async {
        let now = quay
            .metric("vendor_seconds_count{call=\"sale.order.list\",code=\"200\",vendor=\"bitrix\"}")
            .await;
        now >= polls + 5.0
    };
    quay.stage.until("five more polls", LONG, many).await;
    assert!((quay.metric(found).await - before).abs() < f64::EPSILON);
    quay.close().await;
}

#[tokio::test]
async fn one_replica_polls_and_another_takes_over() {
    let mut quay = polling().await;
    quay.save_silently(1..=3, 60).await;
    quay.start().await;
    quay.until_created(1..=3).await;
    let pool = quay.stage.pool("ingress");
    let holder = || async {
        sqlx::query_scalar::<_, uuid::Uuid>("SELECT holder FROM cursors")
            .fetch_one(&pool)
            .await
            .unwrap()
    };
    let first = holder().await;
    quay.kill().await;
    quay.save_silently(4..=6, 30).await;
    quay.start().await;
    // The dead one's lease still runs.
    let polled = || async {
        quay.metric("vendor_seconds_count{call=\"sale.order.list\",code=\"200\",vendor=\"bitrix\"}")
            .await
    };
    assert_eq!(holder().await, first);
    assert!(polled().await < f64::EPSILON);
    sqlx::query("UPDATE cursors SET lease_until = now()").execute(&pool).await.unwrap();
    quay.until_created(4..=6).await;
    assert_ne!(holder().await, first);
    quay.close().await;
}
