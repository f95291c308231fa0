//! The body of a write-back, `parom.status.v1`: strict, an unknown field is refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

const SCHEMA: &str = "parom.status.v1";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WriteBack {
    schema: String,
    pub(super) order: OrderRef,
    #[serde(default)]
    pub(super) status_id: Option<String>,
    #[serde(default)]
    pub(super) properties: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) comments: Vec<String>,
    #[serde(default)]
    pub(super) statuses: Vec<StatusLine>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderRef {
    pub(super) id: u64,
    pub(super) account_number: String,
}

/// What one of Parom's services says about the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusLine {
    /// `fiscal`, `marking`, …
    pub service: String,
    /// `done`, `failed`, …
    pub phase: String,
    /// For the shop's people.
    pub text: String,
}

impl WriteBack {
    /// Refuses another schema, an empty reference, and a status Bitrix could not have: one or two Latin letters.
    pub(super) fn checked(self) -> Result<Self, String> {
        if self.schema != SCHEMA {
            return Err(format!("schema is not {SCHEMA}"));
        }
        if self.order.id == 0 || self.order.account_number.is_empty() {
            return Err("order is not named".to_owned());
        }
        let status = |status: &String| {
            (1..=2).contains(&status.len()) && status.bytes().all(|b| b.is_ascii_alphabetic())
        };
        if !self.status_id.as_ref().is_none_or(status) {
            return Err("status_id is not one or two Latin letters".to_owned());
        }
        if self.properties.keys().any(String::is_empty) {
            return Err("a property has no code".to_owned());
        }
        if self.statuses.iter().any(|line| line.service.is_empty() || line.phase.is_empty()) {
            return Err("a status has no service or phase".to_owned());
        }
        Ok(self)
    }
}
