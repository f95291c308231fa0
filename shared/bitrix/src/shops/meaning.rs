//! Bitrix's status codes: what they mean to us, and which we set.

use std::collections::{BTreeMap, BTreeSet};

use events::Phase;
use serde::Deserialize;

/// What the shop's order statuses mean. A status in none of the lists is unknown, and an order
/// that has one is not acted upon.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statuses {
    /// The goods have left, said by the order and not by its shipments (`DEDUCTED`).
    #[serde(default)]
    pub shipped: BTreeSet<StatusCode>,
    /// The buyer has the goods and the order is closed.
    #[serde(default)]
    pub completed: BTreeSet<StatusCode>,
    /// The order is cancelled, beside the order's own flag (`CANCELED`).
    #[serde(default)]
    pub cancelled: BTreeSet<StatusCode>,
    /// All goods came back.
    #[serde(default)]
    pub returned: BTreeSet<StatusCode>,
    /// Statuses of which nothing follows, such as "accepted".
    #[serde(default)]
    pub neutral: BTreeSet<StatusCode>,
}

/// What a status says about its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// The goods have left.
    Shipped,
    /// The buyer has the goods.
    Completed,
    /// Cancelled.
    Cancelled,
    /// All goods came back.
    Returned,
    /// Nothing that Parom acts upon.
    Neutral,
}

/// A Bitrix order status: one or two Latin letters, as Bitrix itself demands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct StatusCode(String);

/// What is told to the shop.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Writeback {
    /// In which phases a comment is put into the order's timeline.
    pub comment: BTreeSet<Phase>,
    /// In which phases the responsible user is notified (portals only).
    pub notify: BTreeSet<Phase>,
    /// Which status the order is given, by `"<service>.<phase>"`; nothing else changes it.
    pub order_status: BTreeMap<Moment, StatusCode>,
}

/// A service's phase, written `fiscal.failed`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Moment {
    service: String,
    phase: Phase,
}

impl Statuses {
    /// What this status means; `None` where the file does not say.
    #[must_use]
    pub fn meaning(&self, status: &str) -> Option<Meaning> {
        self.lists()
            .into_iter()
            .find(|(_, list)| list.iter().any(|code| code.0 == status))
            .map(|(meaning, _)| meaning)
    }

    fn lists(&self) -> [(Meaning, &BTreeSet<StatusCode>); 5] {
        [
            (Meaning::Shipped, &self.shipped),
            (Meaning::Completed, &self.completed),
            (Meaning::Cancelled, &self.cancelled),
            (Meaning::Returned, &self.returned),
            (Meaning::Neutral, &self.neutral),
        ]
    }

    /// A status that stands in two lists.
    pub(super) fn ambiguous(&self) -> Option<&StatusCode> {
        let mut seen = BTreeSet::new();
        self.lists().into_iter().flat_map(|(_, list)| list).find(|code| !seen.insert(*code))
    }
}

impl Writeback {
    /// The status that the order is given when `service` comes to `phase`, if any.
    #[must_use]
    pub fn status(&self, service: &str, phase: Phase) -> Option<&StatusCode> {
        self.order_status.get(&Moment { service: service.to_owned(), phase })
    }
}

impl Default for Writeback {
    fn default() -> Self {
        Self {
            comment: BTreeSet::from([Phase::Done, Phase::Failed, Phase::Unknown]),
            notify: BTreeSet::from([Phase::Failed, Phase::Unknown]),
            order_status: BTreeMap::new(),
        }
    }
}

impl StatusCode {
    /// The code's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for StatusCode {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let letters = text.chars().all(|letter| letter.is_ascii_alphabetic());
        if letters && (1..=2).contains(&text.len()) {
            Ok(Self(text))
        } else {
            Err(format!("a status is one or two Latin letters, not {text:?}"))
        }
    }
}

impl TryFrom<String> for Moment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong =
            || format!("a moment is written service.phase, as in fiscal.failed, not {text:?}");
        let (service, phase) = text.split_once('.').ok_or_else(wrong)?;
        let phase = match phase {
            "working" => Phase::Working,
            "retrying" => Phase::Retrying,
            "done" => Phase::Done,
            "failed" => Phase::Failed,
            "unknown" => Phase::Unknown,
            _ => return Err(wrong()),
        };
        if service.is_empty() {
            return Err(wrong());
        }
        Ok(Self { service: service.to_owned(), phase })
    }
}
