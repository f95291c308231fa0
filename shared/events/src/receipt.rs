//! Receipts that are asked for by name, and what a shop's own cash register protocol is told.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{OrderRef, ShopId};

/// Somebody asked for a receipt that follows from no change of an order: a correction, a refund by
/// hand, or a receipt that the shop composed itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptAsked {
    /// The shop whose receipt it is.
    pub shop: ShopId,
    /// The receipt's name within the shop: what is asked for twice under one name is one receipt.
    pub name: String,
    /// The order, where one is known.
    pub order: Option<OrderRef>,
    /// What was asked for, in the receipt service's own words (JSON).
    pub body: String,
}

/// Shows none of the body: it holds the buyer's address.
impl fmt::Debug for ReceiptAsked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiptAsked")
            .field("shop", &self.shop)
            .field("name", &self.name)
            .field("order", &self.order)
            .finish_non_exhaustive()
    }
}

/// A receipt that the shop composed itself is issued: what its journal of receipts is to be told
/// (Bitrix's method `sale.cashbox.check.apply`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckIssued {
    /// The shop.
    pub shop: ShopId,
    /// By which id the shop knows the receipt: the id of the event that asked for it.
    pub check: Uuid,
    /// When it was found issued.
    #[serde(with = "time::serde::rfc3339")]
    pub issued_at: OffsetDateTime,
    /// Tag 1037, the register's registration number, where it is known.
    pub registration: Option<String>,
    /// Tag 1077, the fiscal sign of the document.
    pub sign: String,
    /// Tag 1040, the number of the fiscal document.
    pub document: String,
    /// Tag 1042, the number within the shift, where it is known.
    pub number: Option<String>,
    /// Tag 1041, the number of the fiscal drive.
    pub drive: String,
    /// Tag 1038, the number of the shift, where it is known.
    pub shift: Option<String>,
}
