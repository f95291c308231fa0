//! The poll: what the portals say has changed, for the webhooks that never came.
//!
//! Bitrix24 sends a webhook once and never again. So every portal is asked every few minutes for
//! the orders saved since a cursor, a little further back than the last time, and each one that we
//! have not read as it stands is told to the reader like a webhook.

use std::{collections::HashMap, time::Duration};

use bitrix::{
    Shops,
    rest::{ChangedOrder, Portal, RestError},
};
use events::{Channel, Event, Fact, OrderRef, ShopId, Webhook};
use futures_util::future::{join_all, try_join_all};
use runtime::{Kit, PublishError};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{gauges::Gauges, http::call_id, store::Store};

/// Times are told to the second: what was saved just now may be saved again within it, and is
/// left for the next poll.
const JUST_NOW: Duration = Duration::from_secs(5);
/// How much longer than a poll's interval its holder keeps the cursor.
const GRACE: Duration = Duration::from_secs(60);
/// After a poll that failed, the next comes sooner.
const SOON: Duration = Duration::from_secs(30);

/// The poll of all portals.
pub(crate) struct Reconcile {
    pub kit: Kit,
    pub store: Store,
    pub gauges: Gauges,
    pub portals: HashMap<ShopId, Portal>,
    /// Where a shop begins that was never polled.
    pub since: HashMap<ShopId, OffsetDateTime>,
    pub every: Duration,
    pub overlap: Duration,
}

/// Why a poll did not come to its end.
#[derive(Debug, thiserror::Error)]
enum Halt {
    #[error("{0}")]
    Portal(#[from] RestError),
    #[error("{0}")]
    Store(#[from] sqlx::Error),
    #[error("{0}")]
    Broker(#[from] PublishError),
}

/// Where the shops say that Parom took over.
pub(crate) fn beginnings(shops: &Shops) -> HashMap<ShopId, OffsetDateTime> {
    shops.portals().filter_map(|(id, shop, _)| Some((id.clone(), shop.since?))).collect()
}

impl Reconcile {
    /// Polls until the process is to stop.
    pub(crate) async fn run(&self) {
        if self.every.is_zero() {
            return;
        }
        join_all(self.portals.iter().map(|(shop, portal)| self.watch(shop, portal))).await;
    }

    async fn watch(&self, shop: &ShopId, portal: &Portal) {
        let holder = Uuid::new_v4();
        loop {
            let pause = match self.poll(shop, portal, holder).await {
                Ok(()) => self.every,
                Err(error) => {
                    tracing::warn!(%shop, %error, "a poll stopped; the next one goes on");
                    self.every.min(SOON)
                }
            };
            if !self.kit.pause(pause).await {
                return;
            }
        }
    }

    /// One poll from the cursor to now, page by page.
    ///
    /// Pages are told apart by time and not by number: an order that is saved meanwhile moves to
    /// the end of the list, and a page number would then skip another.
    async fn poll(&self, shop: &ShopId, portal: &Portal, holder: Uuid) -> Result<(), Halt> {
        let began = OffsetDateTime::now_utc();
        let begin = self.since.get(shop).copied().unwrap_or(began);
        let lease = self.every + GRACE;
        let Some(cursor) = self.store.lease_cursor(shop, holder, lease, begin).await? else {
            return Ok(());
        };
        let (mut from, mut start, mut told) = (cursor - self.overlap, 0, 0);
        loop {
            let page = portal.changed_since(from, start).await?;
            told += self.tell(shop, &page.orders, began - JUST_NOW).await?;
            let last = page.orders.last().map_or(from, |order| order.updated_at);
            self.store.move_cursor(shop, holder, last.min(began - JUST_NOW)).await?;
            let Some(next) = page.next.filter(|_| last < began) else { break };
            (from, start) = if last > from { (last, 0) } else { (from, next) };
            self.store.lease_cursor(shop, holder, lease, begin).await?;
        }
        self.gauges.reconcile(shop.as_str(), told, unix(OffsetDateTime::now_utc()));
        Ok(())
    }

    /// Tells the reader of those orders that it has not read as they stand.
    async fn tell(
        &self,
        shop: &ShopId,
        orders: &[ChangedOrder],
        until: OffsetDateTime,
    ) -> Result<u64, Halt> {
        let ids: Vec<u64> = orders.iter().map(|order| order.id).collect();
        let read = self.store.last_saves(shop, &ids).await?;
        let unread: Vec<Event> = orders
            .iter()
            .filter(|order| order.updated_at <= until)
            .filter(|order| read.get(&order.id).is_none_or(|read| *read < order.updated_at))
            .map(|order| changed(shop, order))
            .collect();
        try_join_all(unread.iter().map(|event| self.kit.tell(event))).await?;
        Ok(u64::try_from(unread.len()).unwrap_or(u64::MAX))
    }
}

/// The same save of the same order is the same event, however often it is found.
fn changed(shop: &ShopId, order: &ChangedOrder) -> Event {
    let (id, saved) = (order.id, order.updated_at.unix_timestamp());
    let webhook = Webhook {
        call: call_id(&format!("{shop} reconcile {id} {saved}")),
        shop: shop.clone(),
        channel: Channel::Reconcile,
        name: String::new(),
        entity: Some(id),
        order: Some(OrderRef { shop: shop.clone(), id, number: id.to_string(), site: false }),
        body: None,
    };
    Event::new(Fact::WebhookReceived(webhook), order.updated_at)
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a metric")]
fn unix(at: OffsetDateTime) -> f64 {
    at.unix_timestamp() as f64
}
