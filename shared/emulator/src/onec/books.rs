//! What the 1C base has: customers with balances, operations it was told, tills.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::Violations;

/// An operation as Parom tells it. Every field must be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// By which a repeat is known.
    pub id: String,
    /// Its name.
    pub external_id: String,
    /// `accrual`, `debit`, `hold`, `capture`, `release` or `reversal`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Points with two decimals.
    pub amount: Option<String>,
    /// The name of the operation that this one refers to.
    pub reference: Option<String>,
    /// E.164.
    pub user_phone: String,
    /// The order's number.
    pub order: Option<String>,
    /// RFC 3339.
    pub created_at: String,
    /// When a hold ends by itself, RFC 3339; no other operation has it.
    pub until: Option<String>,
}

impl Operation {
    fn ends(&self) -> Option<OffsetDateTime> {
        OffsetDateTime::parse(self.until.as_deref()?, &Rfc3339).ok()
    }
}

/// An operation in the books.
#[derive(Debug, Clone, Serialize)]
pub struct Received {
    /// As it was told.
    pub operation: Operation,
    /// How often it was told.
    pub told: u32,
    /// Why it was refused, if it was.
    pub refused: Option<&'static str>,
    /// Kopecks of a hold that are still held.
    pub held: i64,
    /// By how many kopecks it changed the balance.
    pub change: i64,
}

/// A till.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Till {
    /// Parom's interface, `http://…/v1`.
    pub url: String,
    /// The till's key.
    #[serde(skip_serializing)]
    pub key: String,
    /// Whether it has a connection.
    pub online: bool,
    /// What it sold without one.
    #[serde(skip_deserializing)]
    pub waiting: Vec<Value>,
}

/// Everything the base knows.
#[derive(Debug, Default, Serialize)]
pub struct Books {
    /// Kopecks of points by phone, held ones included.
    pub customers: BTreeMap<String, i64>,
    /// Operations in the order in which they came.
    pub operations: Vec<Received>,
    /// Tills by name.
    pub tills: BTreeMap<String, Till>,
    /// Breaches of the protocol.
    #[serde(flatten)]
    pub violations: Violations,
}

/// What became of an operation that was told.
pub(super) enum Taken {
    New,
    Repeated,
    Unknown,
    Refused(&'static str),
}

impl Books {
    /// Takes an operation once.
    pub(super) fn take(&mut self, operation: Operation, now: OffsetDateTime) -> Taken {
        self.end_holds(now);
        let known = self.operations.iter_mut().find(|known| known.operation.id == operation.id);
        if let Some(known) = known {
            known.told += 1;
            if known.operation != operation {
                self.violations.add(format!("{} came again with another content", operation.id));
                return Taken::Refused("conflict");
            }
            return known.refused.map_or(Taken::Repeated, Taken::Refused);
        }
        let Some(balance) = self.customers.get(&operation.user_phone).copied() else {
            return Taken::Unknown;
        };
        if (operation.kind == "hold") != operation.ends().is_some() {
            self.violations.add(format!("{}: a hold, and only a hold, has an end", operation.id));
        }
        let (refused, change, held) = match self.effect(&operation, balance) {
            Ok((change, held)) => (None, change, held),
            // It may still come: nothing is decided.
            Err(why @ "reference_unknown") => return Taken::Refused(why),
            Err(why) => (Some(why), 0, 0),
        };
        self.customers.insert(operation.user_phone.clone(), balance + change);
        self.operations.push(Received { operation, told: 1, refused, held, change });
        refused.map_or(Taken::New, Taken::Refused)
    }

    /// Points whose hold has ended are free again.
    fn end_holds(&mut self, now: OffsetDateTime) {
        for known in &mut self.operations {
            if known.operation.ends().is_some_and(|end| end <= now) {
                known.held = 0;
            }
        }
    }

    /// By how much an operation changes the balance, and how much it holds.
    fn effect(&mut self, operation: &Operation, balance: i64) -> Result<(i64, i64), &'static str> {
        if operation.kind == "adjustment" {
            let amount = operation.amount.as_deref().ok_or("amount_missing")?;
            return Ok(match amount.strip_prefix('-') {
                Some(taken) => (-kopecks(taken)?, 0),
                None => (kopecks(amount)?, 0),
            });
        }
        let amount = operation.amount.as_deref().map(kopecks).transpose()?;
        let phone = &operation.user_phone;
        let held: i64 = self
            .operations
            .iter()
            .filter(|known| known.operation.user_phone == *phone)
            .map(|known| known.held)
            .sum();
        let free = balance - held;
        match operation.kind.as_str() {
            "accrual" => Ok((amount.ok_or("amount_missing")?, 0)),
            "debit" => match amount.ok_or("amount_missing")? {
                amount if amount <= free => Ok((-amount, 0)),
                _ => Err("insufficient_balance"),
            },
            "hold" => match amount.ok_or("amount_missing")? {
                amount if amount <= free => Ok((0, amount)),
                _ => Err("insufficient_balance"),
            },
            kind @ ("capture" | "release" | "reversal") => {
                let of = operation.reference.as_ref().ok_or("reference_missing")?;
                let target = self
                    .operations
                    .iter_mut()
                    .find(|known| known.operation.external_id == *of)
                    .ok_or("reference_unknown")?;
                let was = std::mem::take(&mut target.held);
                match kind {
                    "capture" if was > 0 => {
                        target.change = -amount.unwrap_or(was);
                        Ok((target.change, 0))
                    }
                    "capture" => Err("already_resolved"),
                    "release" if was > 0 => Ok((0, 0)),
                    _ => {
                        let left = target.change;
                        let part = amount.map_or(left, |amount| amount * left.signum());
                        target.change -= part;
                        Ok((-part, 0))
                    }
                }
            }
            _ => Err("unknown_type"),
        }
    }
}

/// `480.00` in kopecks.
fn kopecks(text: &str) -> Result<i64, &'static str> {
    let (whole, part) = text.split_once('.').filter(|(_, part)| part.len() == 2).ok_or("amount")?;
    let digits: i64 = format!("{whole}{part}").parse().map_err(|_| "amount")?;
    if digits > 0 { Ok(digits) } else { Err("amount") }
}
