//! What a service says about an order: shown to the shop and kept in the order's timeline.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{OrderRef, Text};

/// Where a service stands with its work on an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The register has taken the work and not yet answered for good.
    Working,
    /// An attempt failed; it is tried again by itself.
    Retrying,
    /// Done, and the register has confirmed it.
    Done,
    /// Stopped for a person: a dead letter tells why.
    Failed,
    /// Stopped for a person: nobody can tell whether the register did it. Never repeated blindly.
    Unknown,
}

/// A change in a service's work on one order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// The service that speaks, such as `fiscal`.
    pub service: String,
    /// The order that it speaks of.
    pub order: OrderRef,
    /// The event whose work this is.
    pub cause: Uuid,
    /// Tells this status from the others of the same cause: a step's name or an attempt's number.
    pub step: String,
    /// Where the work stands.
    pub phase: Phase,
    /// A stable machine word, such as `receipt_done` or `vat_unknown`.
    pub code: String,
    /// A whole sentence for the shop.
    pub text: Text,
    /// What is to be written into the order's properties, by property code
    /// (such as `CLOUDKASSIR_FN`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, String>,
    /// Links worth showing, by a short name (such as `qr`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<String, String>,
}

impl Status {
    /// The code of a [`Phase::Done`] that the runtime says itself: a job that was told to have failed or to be tried
    /// again has ended, and its worker had nothing to say about it (the order needs nothing any more).
    pub const FINISHED: &'static str = "finished";
}
