//! What is asked of the ledger.

use std::fmt;

use events::Phone;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// A customer's number in our tables.
pub type CustomerId = i64;

/// The name of an operation: who made it, and its id there (in 1C the document's). Each name is
/// carried out at most once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Who made it, such as `1c_retail`.
    pub source: String,
    /// The id there.
    pub external_id: String,
}

impl Key {
    /// The name `external_id` of `source`.
    pub fn new(source: impl Into<String>, external_id: impl Into<String>) -> Self {
        Self { source: source.into(), external_id: external_id.into() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.source, self.external_id)
    }
}

/// What a debit may do beyond the balance. For registers that were offline: the goods have left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beyond {
    /// Nothing: the whole debit is refused.
    Refuse,
    /// The rest is owed, as long as the customer's debt stays within so many kopecks.
    Allow(i64),
    /// As much as there is is taken.
    Part,
}

/// An operation. Amounts are kopecks above zero, except an adjustment's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Points are earned.
    Accrual {
        /// How many.
        amount: i64,
        /// When they can be spent; at once without.
        matures_at: Option<OffsetDateTime>,
        /// When their time is over; never without.
        expires_at: Option<OffsetDateTime>,
    },
    /// Points are spent at once.
    Debit {
        /// How many.
        amount: i64,
        /// What if there are not that many.
        beyond: Beyond,
    },
    /// Points are promised.
    Hold {
        /// How many.
        amount: i64,
        /// When the promise ends by itself.
        until: OffsetDateTime,
    },
    /// Held points are spent; what is left of the hold is released.
    Capture {
        /// The hold.
        of: Key,
        /// How many; all without.
        amount: Option<i64>,
    },
    /// A hold is released, or a debit given back.
    Release {
        /// The hold or the debit.
        of: Key,
        /// How many of a debit; all without.
        amount: Option<i64>,
    },
    /// An accrual, a debit or a captured hold is undone.
    Reversal {
        /// What is undone.
        of: Key,
        /// How many; all that is left without.
        amount: Option<i64>,
    },
    /// A person corrects the balance.
    Adjustment {
        /// How many; below zero takes away.
        amount: i64,
        /// When given points expire; never without.
        expires_at: Option<OffsetDateTime>,
    },
    /// Pending points become spendable. Ours alone.
    Maturity {
        /// The lot.
        lot: Uuid,
    },
    /// The time of points is over. Ours alone.
    Expiry {
        /// The lot.
        lot: Uuid,
    },
}

/// The kinds of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "see What")]
pub enum Kind {
    Accrual,
    Debit,
    Hold,
    Capture,
    Release,
    Reversal,
    Adjustment,
    Maturity,
    Expiry,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Accrual,
        Self::Debit,
        Self::Hold,
        Self::Capture,
        Self::Release,
        Self::Reversal,
        Self::Adjustment,
        Self::Maturity,
        Self::Expiry,
    ];

    /// The name on the wire and in the journal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accrual => "accrual",
            Self::Debit => "debit",
            Self::Hold => "hold",
            Self::Capture => "capture",
            Self::Release => "release",
            Self::Reversal => "reversal",
            Self::Adjustment => "adjustment",
            Self::Maturity => "maturity",
            Self::Expiry => "expiry",
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl What {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Accrual { .. } => Kind::Accrual,
            Self::Debit { .. } => Kind::Debit,
            Self::Hold { .. } => Kind::Hold,
            Self::Capture { .. } => Kind::Capture,
            Self::Release { .. } => Kind::Release,
            Self::Reversal { .. } => Kind::Reversal,
            Self::Adjustment { .. } => Kind::Adjustment,
            Self::Maturity { .. } => Kind::Maturity,
            Self::Expiry { .. } => Kind::Expiry,
        }
    }

    /// When a hold ends by itself.
    #[must_use]
    pub const fn until(&self) -> Option<OffsetDateTime> {
        match self {
            Self::Hold { until, .. } => Some(*until),
            _ => None,
        }
    }

    /// How many kopecks are asked for, where a number is named.
    #[must_use]
    pub const fn amount(&self) -> Option<i64> {
        match self {
            Self::Accrual { amount, .. }
            | Self::Debit { amount, .. }
            | Self::Hold { amount, .. }
            | Self::Adjustment { amount, .. } => Some(*amount),
            Self::Capture { amount, .. }
            | Self::Release { amount, .. }
            | Self::Reversal { amount, .. } => *amount,
            Self::Maturity { .. } | Self::Expiry { .. } => None,
        }
    }

    /// The operation that this one refers to.
    #[must_use]
    pub const fn of(&self) -> Option<&Key> {
        match self {
            Self::Capture { of, .. } | Self::Release { of, .. } | Self::Reversal { of, .. } => {
                Some(of)
            }
            _ => None,
        }
    }
}

/// What people want to know about an operation. None of it changes what the operation does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The register that sent it.
    pub register: Option<String>,
    /// The store.
    pub store: Option<String>,
    /// What the customer is shown: the store's address.
    pub description: Option<String>,
    /// The order's number, for an operation that follows from an order.
    pub order: Option<String>,
    /// Who made an adjustment.
    pub author: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// When it happened by the register's own clock, as it was told.
    pub occurred_at: Option<OffsetDateTime>,
}

/// An operation as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Our id for it.
    pub id: Uuid,
    /// Its name.
    pub key: Key,
    /// What is to be done.
    pub what: What,
    /// Whose points, by phone.
    pub phone: Option<Phone>,
    /// Whose points, where it is known better than by phone.
    pub customer: Option<CustomerId>,
    /// When it happened; never later than it was recorded.
    pub effective_at: OffsetDateTime,
    /// For people.
    pub note: Note,
}
