//! The portal's memory: orders, notifications, limits, counters.

use std::collections::{BTreeMap, HashMap};

use time::OffsetDateTime;

use super::{cashbox::Check, limits::Limits, order::Order};
use crate::{outgoing::Deliveries, violations::Violations};

/// Everything the portal remembers.
#[derive(Debug, Default)]
pub struct Portal {
    pub(super) orders: BTreeMap<u64, Order>,
    pub(super) checks: BTreeMap<u64, Check>,
    pub(super) notifications: Notifications,
    pub(super) hits: u64,
    pub(super) over_limit: u64,
    pub(super) while_blocked: u64,
    pub(super) webhooks: Deliveries,
    pub(super) violations: Violations,
    pub(super) limits: Limits,
    /// The order of each payment and of each shipment.
    pub(super) owners: HashMap<(&'static str, u64), u64>,
    /// The order of each deal.
    pub(super) deals: HashMap<u64, u64>,
    last_id: u64,
}

/// Notifications to people of the portal.
#[derive(Debug, Default)]
pub(super) struct Notifications {
    list: BTreeMap<u64, Notification>,
    tagged: HashMap<String, u64>,
    by_order: HashMap<u64, Vec<u64>>,
}

#[derive(Debug)]
struct Notification {
    message: String,
}

impl Portal {
    /// A receipt of the portal's journal.
    #[must_use]
    pub fn check(&self, id: u64) -> Option<&Check> {
        self.checks.get(&id)
    }

    /// Puts an order as the shop saved it; answers its version.
    pub(super) fn put(
        &mut self,
        id: u64,
        body: &[u8],
        deal: Option<u64>,
        now: OffsetDateTime,
    ) -> Result<u64, String> {
        let mut order = Order::put(id, body, self.orders.get(&id), now)?;
        order.deal = deal.or(order.deal);
        for kind in ["payments", "shipments"] {
            let owned = order.children(kind).into_iter().map(|(child, _)| ((kind, child), id));
            self.owners.extend(owned);
        }
        self.deals.extend(order.deal.map(|deal| (deal, id)));
        let version = order.version;
        self.orders.insert(id, order);
        Ok(version)
    }

    /// The next id of whatever the portal numbers.
    pub(super) fn new_id(&mut self) -> u64 {
        self.last_id += 1;
        10_000 + self.last_id
    }
}

impl Notifications {
    /// Adds a notification; one with the same tag goes away.
    pub(super) fn add(&mut self, id: u64, message: String, tag: Option<String>) {
        if let Some(tag) = tag {
            if let Some(replaced) = self.tagged.insert(tag.clone(), id) {
                self.list.remove(&replaced);
            }
            for order in named(&tag) {
                self.by_order.entry(order).or_default().push(id);
            }
        }
        self.list.insert(id, Notification { message });
    }

    /// The messages about an order, in order.
    pub(super) fn about(&self, order: u64) -> Vec<String> {
        let ids = self.by_order.get(&order).map(Vec::as_slice).unwrap_or_default();
        ids.iter().filter_map(|id| self.list.get(id)).map(|one| one.message.clone()).collect()
    }

    /// All messages, in order.
    pub(super) fn all(&self) -> Vec<String> {
        self.list.values().map(|one| one.message.clone()).collect()
    }
}

/// The numbers a tag names, such as 236 in `PAROM|ORDER|236`.
fn named(tag: &str) -> Vec<u64> {
    tag.split(|c: char| !c.is_alphanumeric()).filter_map(|word| word.parse().ok()).collect()
}
