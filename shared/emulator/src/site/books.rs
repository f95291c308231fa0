//! What the site has on record of its orders.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use serde::Serialize;

use super::status::{StatusLine, WriteBack};
use crate::{outgoing::Deliveries, violations::Violations};

/// An order of the site as the write-backs left it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SiteOrder {
    /// The order's number for people.
    pub account_number: String,
    /// The last status written.
    pub status_id: Option<String>,
    /// All statuses written, in order.
    pub status_history: Vec<String>,
    /// Properties by code, as last written.
    pub properties: BTreeMap<String, String>,
    /// All comments, in order.
    pub comments: Vec<String>,
    /// The last word of each service.
    pub statuses: BTreeMap<String, StatusLine>,
    /// Write-backs applied.
    pub writes: u32,
    /// Write-backs that came again and changed nothing.
    pub repeats: u32,
}

/// Everything the site has on record.
#[derive(Debug, Default, Serialize)]
pub struct Books {
    /// Orders by Bitrix id.
    pub orders: BTreeMap<u64, SiteOrder>,
    /// Snapshots sent.
    pub snapshots: Deliveries,
    /// Breaches of the protocol.
    #[serde(flatten)]
    pub violations: Violations,
    #[serde(skip)]
    bodies: HashMap<String, Bytes>,
}

/// What became of a write-back.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Applied,
    /// Its webhook id was known.
    Repeated,
    /// Its webhook id was known with another body.
    Contradicts,
}

impl Books {
    pub(super) fn violate(&mut self, what: String) {
        self.violations.add(what);
    }

    pub(super) fn take(&mut self, id: &str, body: &Bytes, write: WriteBack) -> Taken {
        match self.bodies.get(id) {
            Some(known) if known == body => {
                self.orders.entry(write.order.id).or_default().repeats += 1;
                return Taken::Repeated;
            }
            Some(_) => {
                self.violate(format!("409: webhook-id {id} came again with another body"));
                return Taken::Contradicts;
            }
            None => self.bodies.insert(id.to_owned(), body.clone()),
        };
        let order = self.orders.entry(write.order.id).or_default();
        order.account_number = write.order.account_number;
        order.status_history.extend(write.status_id.clone());
        order.status_id = write.status_id.or(order.status_id.take());
        order.properties.extend(write.properties);
        order.comments.extend(write.comments);
        order.statuses.extend(write.statuses.into_iter().map(|line| (line.service.clone(), line)));
        order.writes += 1;
        Taken::Applied
    }
}
