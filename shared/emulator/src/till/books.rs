//! Books of receipts under the names that callers give them. Nothing here does I/O.

use std::collections::HashMap;

use serde::Serialize;
use time::{Duration, OffsetDateTime};

use crate::{outgoing::Deliveries, violations::Violations};

/// The number of the fiscal drive (ФН) of these registers.
pub const DRIVE: &str = "9999078902004339";
/// Registration number of these registers.
pub const REGISTER: &str = "0000000005020922";

/// Everything a register has on record.
#[derive(Debug, Default)]
pub struct Books {
    receipts: Vec<Receipt>,
    by_id: HashMap<String, usize>,
    by_name: HashMap<String, usize>,
    processed: u64,
    repeated: usize,
    throttled: usize,
    refused: Vec<String>,
    last: Option<OffsetDateTime>,
    pub(crate) violations: Violations,
    pub(crate) callbacks: Deliveries,
}

/// Where a receipt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Status {
    /// Accepted, not yet issued.
    Queued,
    /// Issued: it has fiscal data.
    Done,
    /// Will never be issued.
    Failed,
    /// Its time in the queue ran out: it will never be issued.
    Expired,
}

/// Fiscal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fiscal {
    /// Tag 1040.
    pub document: u64,
    /// Tag 1077.
    pub sign: u64,
    /// When it was issued.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// A position; numbers are the text that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Position {
    /// Tag 1030.
    pub name: String,
    /// Tag 1079, roubles.
    pub price: String,
    /// Tag 1023.
    pub quantity: String,
    /// Tag 1199, in the register's words.
    pub vat: String,
    /// Tag 1214, in the register's words.
    pub method: String,
    /// Tag 1212, in the register's words.
    pub object: String,
    /// Tag 2000, as it was sent.
    pub mark: Option<String>,
}

/// What was asked for, checked.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub(crate) name: String,
    /// The register's id; without one, the register makes one.
    pub(crate) id: Option<String>,
    pub(crate) operation: String,
    pub(crate) total_kopecks: i64,
    pub(crate) positions: Vec<Position>,
    /// Kopecks by the register's words for kinds of money.
    pub(crate) payments: Vec<(String, i64)>,
    pub(crate) callback_url: Option<String>,
    pub(crate) body: String,
}

/// A receipt that was accepted: an effect.
#[derive(Debug, Clone, Serialize)]
pub struct Receipt {
    /// The register's id.
    pub id: String,
    /// The caller's name for it.
    pub name: String,
    /// Sale, refund or correction, in the register's words.
    pub operation: String,
    /// The total.
    pub total_kopecks: i64,
    /// The positions.
    pub positions: Vec<Position>,
    /// Kopecks by the register's words for kinds of money.
    pub payments: Vec<(String, i64)>,
    /// Where it stands.
    pub status: Status,
    /// Its fiscal data, once issued.
    pub fiscal: Option<Fiscal>,
    /// When it was accepted.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// How many times it was asked for.
    pub requested: u32,
    /// Looks so far.
    pub looks: u32,
    /// The exact request.
    #[serde(skip)]
    pub body: String,
    #[serde(skip)]
    pub(crate) callback_url: Option<String>,
    #[serde(skip)]
    ends: Status,
}

/// What a request came with.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) at: OffsetDateTime,
    /// The least time between two receipts; 0 for any.
    pub(crate) pace_ms: u32,
    pub(crate) fails: bool,
    pub(crate) expires: bool,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A new receipt, by its place in the books.
    New(usize),
    /// One of this name was there.
    Known(usize),
    /// Too soon after the last one; nothing was done.
    TooFast,
}

/// The books in a few numbers.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Receipts that are, or will be, fiscal documents.
    pub receipts: usize,
    /// Receipts that are issued.
    pub processed: usize,
    /// Receipts that failed or ran out of time.
    pub failed: usize,
    /// Requests refused for what they say.
    pub refused: Vec<String>,
    /// Requests under a name that was known.
    pub repeated: usize,
    /// Requests that came too soon.
    pub throttled: usize,
    /// How the callbacks went.
    pub callbacks: Deliveries,
    /// Breaches of the protocol.
    #[serde(flatten)]
    pub violations: Violations,
}

impl Books {
    /// All receipts in the order in which they were accepted.
    #[must_use]
    pub fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }

    /// The books in a few numbers.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let dead = |receipt: &&Receipt| matches!(receipt.ends, Status::Failed | Status::Expired);
        let failed = self.receipts.iter().filter(dead).count();
        Summary {
            receipts: self.receipts.len() - failed,
            processed: usize::try_from(self.processed).unwrap_or(usize::MAX),
            failed,
            refused: self.refused.clone(),
            repeated: self.repeated,
            throttled: self.throttled,
            callbacks: self.callbacks,
            violations: self.violations.clone(),
        }
    }

    pub(crate) fn refuse(&mut self, why: String) {
        self.refused.push(why);
    }

    pub(crate) fn ask(&mut self, checked: Checked, asked: &Asked) -> Outcome {
        if let Some(place) = self.by_name.get(&checked.name).copied() {
            self.repeated += 1;
            if let Some(receipt) = self.receipts.get_mut(place) {
                receipt.requested = receipt.requested.saturating_add(1);
                if receipt.body != checked.body {
                    self.violations.add(format!("{} came again with another body", checked.name));
                }
            }
            return Outcome::Known(place);
        }
        let pace = Duration::milliseconds(asked.pace_ms.into());
        if self.last.is_some_and(|last| asked.at - last < pace) {
            self.throttled += 1;
            return Outcome::TooFast;
        }
        self.last = Some(asked.at);
        Outcome::New(self.accept(checked, asked))
    }

    fn accept(&mut self, checked: Checked, asked: &Asked) -> usize {
        let place = self.receipts.len();
        let id = checked.id.unwrap_or_else(|| format!("00000000-0000-4000-8000-{place:012}"));
        self.by_id.insert(id.clone(), place);
        self.by_name.insert(checked.name.clone(), place);
        let ends = match (asked.fails, asked.expires) {
            (true, _) => Status::Failed,
            (_, true) => Status::Expired,
            _ => Status::Done,
        };
        self.receipts.push(Receipt {
            id,
            name: checked.name,
            operation: checked.operation,
            total_kopecks: checked.total_kopecks,
            positions: checked.positions,
            payments: checked.payments,
            status: Status::Queued,
            fiscal: None,
            at: asked.at,
            requested: 1,
            looks: 0,
            body: checked.body,
            callback_url: checked.callback_url,
            ends,
        });
        place
    }

    /// One look: the receipt as it is now, and whether it is due afterwards.
    pub(crate) fn look(&mut self, id: &str, looks: u32) -> Option<(usize, Receipt, bool)> {
        let place = *self.by_id.get(id)?;
        let receipt = self.receipts.get_mut(place)?;
        receipt.looks = receipt.looks.saturating_add(1);
        let due = receipt.status == Status::Queued && receipt.looks >= looks;
        Some((place, receipt.clone(), due))
    }

    /// Ends a queued receipt; answers it if it is issued by that.
    pub(crate) fn process(&mut self, place: usize, at: OffsetDateTime) -> Option<Receipt> {
        let receipt = self.receipts.get_mut(place)?;
        if receipt.status != Status::Queued {
            return None;
        }
        receipt.status = receipt.ends;
        if receipt.ends != Status::Done {
            return None;
        }
        self.processed += 1;
        let sign = 1_000_000_000 + self.processed.wrapping_mul(2_654_435_761) % 3_294_967_296;
        receipt.fiscal = Some(Fiscal { document: self.processed, sign, at });
        Some(receipt.clone())
    }
}
