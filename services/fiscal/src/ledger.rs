//! What was receipted for an order so far: the ledger that keeps refunds within sales.
//!
//! An entry is what one fact came to: a receipt, or a note that a later receipt needs. Entries
//! are folded, in the order in which they were made, into a [`Book`].

mod book;

use events::{Money, Quantity};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use book::{Book, SaleBook, less};

use crate::receipt::{MoneyKind, Receipt, Taken};

/// What one fact came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The event that states the fact.
    pub cause: Uuid,
    /// What it came to.
    pub deed: Deed,
    /// Whether the register has issued the receipt; notes are settled at once.
    pub settled: bool,
}

/// A receipt, or a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case")]
pub enum Deed {
    /// Money for goods that are handed over later.
    Prepayment {
        /// Bitrix's payment id.
        payment: u64,
        /// The receipt.
        receipt: Receipt,
    },
    /// The goods are handed over.
    Closing {
        /// The payment that came with it, if one did.
        payment: Option<u64>,
        /// The receipt.
        receipt: Receipt,
    },
    /// A part of the goods is handed over, with a shipment that is not the only one.
    PartClosing {
        /// Bitrix's shipment id.
        shipment: u64,
        /// Whether everything is handed over with it.
        last: bool,
        /// The receipt.
        receipt: Receipt,
    },
    /// Money for goods handed over before.
    CreditPayment {
        /// Bitrix's payment id.
        payment: u64,
        /// The receipt.
        receipt: Receipt,
    },
    /// A prepayment went back.
    PrepaymentRefund {
        /// Bitrix's payment id.
        payment: u64,
        /// The receipt.
        receipt: Receipt,
    },
    /// Goods and their money went back.
    Refund {
        /// The receipt.
        receipt: Receipt,
        /// What it takes of each position of the sale.
        taken: Vec<Taken>,
        /// Whether the goods came back too.
        goods: bool,
        /// The payment that went back, if one did.
        payment: Option<u64>,
    },
    /// A correction, or a receipt that the shop composed itself: outside of what is counted here.
    Free {
        /// The receipt.
        receipt: Receipt,
    },
    /// A certificate or the like was handed in before the goods were handed over.
    Cover {
        /// Bitrix's payment id.
        payment: u64,
        /// What it counts as.
        kind: MoneyKind,
        /// Its worth.
        sum: Money,
    },
    /// It was taken back.
    Uncover {
        /// Bitrix's payment id.
        payment: u64,
    },
    /// A shipment left.
    Left {
        /// Bitrix's shipment id.
        shipment: u64,
        /// Lines and quantities.
        lines: Vec<(u64, Quantity)>,
    },
    /// The buyer has the goods and has not paid for all of them: the next payments close the sale.
    HandedOver,
    /// Goods came back, and their money has not yet.
    Returned {
        /// Lines and quantities.
        lines: Vec<(u64, Quantity)>,
    },
    /// A payment that has its receipt was unmarked and marked as paid again.
    PaidAgain {
        /// Bitrix's payment id.
        payment: u64,
        /// Which time it was paid.
        occurrence: u32,
    },
}

impl Deed {
    /// The receipt, if it is one.
    #[must_use]
    pub const fn receipt(&self) -> Option<&Receipt> {
        match self {
            Self::Prepayment { receipt, .. }
            | Self::Closing { receipt, .. }
            | Self::PartClosing { receipt, .. }
            | Self::CreditPayment { receipt, .. }
            | Self::PrepaymentRefund { receipt, .. }
            | Self::Refund { receipt, .. }
            | Self::Free { receipt } => Some(receipt),
            _ => None,
        }
    }
}
