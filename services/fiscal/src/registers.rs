//! The registers: services that issue fiscal receipts. One trait, one module for each, and files
//! of the same names in each: `client.rs` the wire, `body.rs` the document, `answer.rs` what
//! comes back.

pub mod atol;
pub mod cloudkassir;
pub mod cloudkassir_v1;
pub(crate) mod error;
pub(crate) mod exact;
mod line;
pub mod orangedata;
mod places;
mod standing;
mod text;
mod words;

use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

pub use error::{Error, What};
pub(crate) use line::Line;
pub use standing::{FiscalData, Standing};

use crate::{receipt::Receipt, subject::Subject};

/// Which register: its name in settings and in what is saved.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub enum RegisterName {
    /// CloudKassir, the KKT interface of CloudPayments.
    #[default]
    #[serde(rename = "cloudkassir")]
    CloudKassir,
    /// The contract of the customer's brief.
    #[serde(rename = "cloudkassir-v1")]
    CloudKassirV1,
    /// ATOL Online.
    #[serde(rename = "atol")]
    Atol,
    /// `OrangeData`.
    #[serde(rename = "orangedata")]
    OrangeData,
}

/// A register, on the account of one shop.
pub trait Register: Send + Sync {
    /// Which one.
    fn name(&self) -> RegisterName;

    /// What people call it.
    fn title(&self) -> &'static str;

    /// By which name its callbacks call our receipt `name`.
    fn alias(&self, name: &str) -> String {
        name.to_owned()
    }

    /// Whether "too many requests" means too many in a time, and not too many at once.
    fn is_paced(&self) -> bool {
        true
    }

    /// How long after its first sending a request may be sent again and is known again; `None`
    /// where there is no such end.
    fn resend_within(&self) -> Option<Duration>;

    /// The exact bytes that ask for this receipt under our name for it.
    ///
    /// # Errors
    /// [`Unwritable`] for a receipt that this register has no words for.
    fn write(&self, receipt: &Receipt, naming: &Naming<'_>) -> Result<String, Unwritable>;

    /// Whether the last call found no connection: [`Register::ping`] first.
    fn is_away(&self) -> bool;

    /// Asks whether the register is there: no effect.
    fn ping<'a>(&'a self, subject: &'a Subject) -> Answer<'a, ()>;

    /// Asks for a receipt with the exact bytes; answers the register's id of it. It is then
    /// accepted, not yet issued.
    fn register<'a>(&'a self, subject: &'a Subject, request: &'a Request) -> Answer<'a, String>;

    /// The register's id of what bears our `name`, where the register can be asked by it; `None`
    /// where it cannot, or knows no such receipt.
    fn find<'a>(&'a self, _: &'a Subject, _name: &'a str) -> Answer<'a, Option<String>> {
        Box::pin(async { Ok(None) })
    }

    /// How an accepted receipt stands.
    fn look<'a>(&'a self, subject: &'a Subject, accepted: &'a Accepted) -> Answer<'a, Standing>;

    /// Whether the register's receipt `id` bears our `name`.
    fn bears<'a>(&'a self, subject: &'a Subject, id: &'a str, name: &'a str) -> Answer<'a, bool>;
}

/// A call under way.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, Error>>;

/// What a request is called.
#[derive(Debug, Clone, Copy)]
pub struct Naming<'a> {
    /// Our name for the receipt.
    pub name: &'a str,
    /// Bitrix's id of the buyer.
    pub buyer: Option<u64>,
    /// When the settlement took place.
    pub at: time::OffsetDateTime,
}

/// A request that was written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Our name for the receipt.
    pub name: String,
    /// Whether it is a correction, a refund, a sale: some registers have an address for each.
    pub path: Path,
    /// The exact bytes that are sent.
    pub body: String,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Path {
    /// A sale.
    #[default]
    Sell,
    /// A refund.
    Refund,
    /// A correction of a sale.
    SellCorrection,
    /// A correction of a refund.
    RefundCorrection,
}

/// A receipt that a register has accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Our name for it.
    pub name: String,
    /// The register's id of it.
    pub id: String,
    /// What was asked for.
    #[serde(default)]
    pub path: Path,
}

/// A receipt that a register has no words for: a part of a sentence, in Russian and in English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwritable {
    /// In Russian.
    pub ru: &'static str,
    /// In English.
    pub en: &'static str,
}

impl Path {
    /// What this receipt is asked for as.
    #[must_use]
    pub const fn of(receipt: &Receipt) -> Self {
        use crate::receipt::Kind::{Refund, Sale};
        match (receipt.kind, receipt.correction.is_some()) {
            (Sale, false) => Self::Sell,
            (Refund, false) => Self::Refund,
            (Sale, true) => Self::SellCorrection,
            (Refund, true) => Self::RefundCorrection,
        }
    }

    /// Whether it is a correction.
    #[must_use]
    pub const fn is_correction(self) -> bool {
        matches!(self, Self::SellCorrection | Self::RefundCorrection)
    }
}
