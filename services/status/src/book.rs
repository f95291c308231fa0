//! What is known about an order, and what is being written on it.

use std::collections::BTreeSet;

use runtime::Failure;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    news::{Part, Said},
    plan::Plan,
    words,
};

/// The right to write on an order, until the lease ends or it is given back.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub key: String,
    pub owner: Uuid,
}

/// All that is known about an order.
#[derive(Debug)]
pub(crate) struct Book {
    pub said: Vec<Said>,
    /// The write that was begun and not ended.
    pub open: Option<Write>,
}

/// A write that was begun.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    pub id: Uuid,
    pub plan: Plan,
    pub owner: Uuid,
    pub done: BTreeSet<Part>,
    pub tried_at: Option<OffsetDateTime>,
    /// Nobody knows what the last attempt did.
    pub unsettled: bool,
}

/// Whether the claim still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    Yes,
    /// The lease ended and another owner has the order.
    Lost,
}

impl Claim {
    /// Whether this very claim has begun the write.
    pub(crate) fn began(&self, write: &Write) -> bool {
        self.owner == write.owner
    }
}

/// Parts by the names that stand in the table.
pub(crate) fn parts(names: &[String]) -> Result<BTreeSet<Part>, Failure> {
    let part = |name: &String| Part::ALL.into_iter().find(|part| part.name() == name);
    names.iter().map(|name| part(name).ok_or_else(|| words::unknown_part(name))).collect()
}

/// The names of parts, as they stand in the table.
pub(crate) fn names(parts: &BTreeSet<Part>) -> Vec<String> {
    parts.iter().map(|part| part.name().to_owned()).collect()
}
