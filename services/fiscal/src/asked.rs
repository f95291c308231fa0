//! Receipts that are asked for by name: corrections, refunds by hand, and receipts that the shop
//! composed itself. What is asked for is checked at the door, kept, and told to our own queue.

mod hand;
mod keep;
pub mod wish;

use events::{Event, Fact, OrderRef, ReceiptAsked, ShopId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    ledger::{Deed, Entry},
    plan::Plan,
    receipt::{Kind, Receipt, Refusal},
};

pub use hand::HandRefund;
pub(crate) use keep::{Taken, Trouble};

/// What was asked for: the body of [`ReceiptAsked`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "asked", content = "what", rename_all = "snake_case")]
pub enum Asked {
    /// A correction, checked and ready.
    Correction {
        /// With its document, its day and its reason.
        receipt: Box<Receipt>,
    },
    /// A receipt that Bitrix composed.
    Check {
        /// Bitrix's number of it.
        check: u64,
        /// Bitrix's name of it: `check|domain|number`.
        uuid: String,
        /// The receipt.
        receipt: Box<Receipt>,
    },
    /// A refund of what the order's ledger says was sold.
    Refund(HandRefund),
}

impl Asked {
    /// Reads the body of an event; `None` for one that this version does not know.
    #[must_use]
    pub fn read(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok()
    }

    /// What tells it from everything else that the shop asks for: two requests with one key are
    /// the same one.
    #[must_use]
    pub fn key(&self, order: Option<&OrderRef>, part: u32) -> String {
        let whose = match order {
            Some(OrderRef { id, site: true, .. }) => format!("site-{id}"),
            Some(OrderRef { id, .. }) => id.to_string(),
            None => "0".to_owned(),
        };
        match self {
            Self::Correction { receipt } => {
                let kind = match receipt.kind {
                    Kind::Sale => "sale",
                    Kind::Refund => "refund",
                };
                let basis = receipt.correction.as_ref();
                let basis = basis.map(|c| format!("{} {}", c.date, c.document));
                let text = format!("{kind} {}", basis.unwrap_or_default());
                format!("{whose}:{}-{part}:correct", short(&text, 12))
            }
            Self::Check { check, uuid, .. } => format!("0:{check}-{}:check", short(uuid, 8)),
            Self::Refund(refund) => {
                format!("{whose}:{}-{part}:hand", short(refund.document.trim(), 12))
            }
        }
    }

    /// What follows from it for an order with these entries.
    pub(crate) fn plan(&self, entries: &[Entry]) -> Result<Plan, Refusal> {
        match self {
            Self::Correction { receipt } | Self::Check { receipt, .. } => {
                Ok(Plan::Issue(Deed::Free { receipt: (**receipt).clone() }))
            }
            Self::Refund(refund) => refund.plan(entries),
        }
    }

    /// The event that tells it, as the shop's `occurrence`-th request with this key.
    pub(crate) fn event(
        &self,
        shop: &ShopId,
        order: Option<&OrderRef>,
        (key, occurrence): (&str, u32),
        now: OffsetDateTime,
    ) -> Result<Event, serde_json::Error> {
        let asked = ReceiptAsked {
            shop: shop.clone(),
            name: format!("{key}:{occurrence}"),
            order: order.cloned(),
            body: serde_json::to_string(self)?,
        };
        Ok(Event::new(Fact::ReceiptAsked(Box::new(asked)), now))
    }
}

/// So many hexadecimal digits that follow from a text.
fn short(text: &str, digits: usize) -> String {
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).simple().to_string();
    id.chars().take(digits).collect()
}
