//! What the portal has on record of each order, and over all.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{order::Order, portal::Portal};
use crate::{outgoing::Deliveries, violations::Violations};

/// How often REST wrote to an order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Writes {
    /// `statusId` by `sale.order.update`.
    pub status: u32,
    /// `comments` by `sale.order.update`.
    pub comments: u32,
    /// Saves by `sale.propertyvalue.modify`.
    pub properties: u32,
    /// Timeline comments.
    pub timeline: u32,
    /// Saves of the order altogether: each made a version and a webhook.
    pub saves: u32,
}

/// An order in the books.
#[derive(Debug, Clone, Serialize)]
pub struct OrderBook {
    /// Its number for people.
    pub account_number: String,
    /// Its status now.
    pub status: String,
    /// Statuses written by REST, in order.
    pub status_history: Vec<String>,
    /// Its version now.
    pub version: u64,
    /// Whether it is paid: `Y` or `N`.
    pub payed: String,
    /// The manager's comment now.
    pub comments: String,
    /// Its properties by code.
    pub properties: BTreeMap<String, String>,
    /// Comments in its timeline.
    pub timeline: Vec<String>,
    /// Messages of the notifications whose `TAG` names the order.
    pub notifications: Vec<String>,
    /// How often REST wrote to it.
    pub writes: Writes,
}

/// Counters over all orders.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Orders on the portal.
    pub orders: usize,
    /// How many stand in each status.
    pub by_status: BTreeMap<String, usize>,
    /// REST requests with good credentials.
    pub hits: u64,
    /// Those answered `QUERY_LIMIT_EXCEEDED` because the bucket was full.
    pub over_limit: u64,
    /// Calls of a method while it was blocked.
    pub while_blocked: u64,
    /// Saves of orders by REST.
    pub saves: u64,
    /// Outgoing webhooks.
    pub webhooks: Deliveries,
    /// Breaches of the protocol.
    #[serde(flatten)]
    pub violations: Violations,
}

impl Portal {
    /// An order in the books.
    #[must_use]
    pub fn order(&self, id: u64) -> Option<OrderBook> {
        self.orders.get(&id).map(|order| self.book(order))
    }

    /// All orders in the books, by id.
    #[must_use]
    pub fn books(&self) -> BTreeMap<u64, OrderBook> {
        self.orders.iter().map(|(id, order)| (*id, self.book(order))).collect()
    }

    /// Counters over all orders.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut by_status = BTreeMap::new();
        for order in self.orders.values() {
            *by_status.entry(order.text("statusId").unwrap_or_default()).or_default() += 1;
        }
        Summary {
            orders: self.orders.len(),
            by_status,
            hits: self.hits,
            over_limit: self.over_limit,
            while_blocked: self.while_blocked,
            saves: self.orders.values().map(|order| u64::from(order.writes.saves)).sum(),
            webhooks: self.webhooks,
            violations: self.violations.clone(),
        }
    }

    fn book(&self, order: &Order) -> OrderBook {
        let text = |name| order.text(name).unwrap_or_default();
        OrderBook {
            account_number: text("accountNumber"),
            status: text("statusId"),
            status_history: order.status_history.clone(),
            version: order.version,
            payed: text("payed"),
            comments: text("comments"),
            properties: order.properties(),
            timeline: order.timeline.clone(),
            notifications: self.notifications.about(order.id),
            writes: order.writes.clone(),
        }
    }
}
