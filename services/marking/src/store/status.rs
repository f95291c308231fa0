//! The statuses of a code.

use serde::{Deserialize, Serialize};

/// Where a code stands with us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeStatus {
    /// Free for an order.
    InStock,
    /// Reserved for an order's line, or bound to it by a scan.
    InOrder,
    /// On its way out of circulation.
    Withdrawing,
    /// Out of circulation: the register has confirmed it.
    Sold,
    /// On its way back into circulation.
    Returning,
    /// Not to be sold until a person has looked.
    Quarantined,
}

impl CodeStatus {
    /// Every status.
    pub const ALL: [Self; 6] = [
        Self::InStock,
        Self::InOrder,
        Self::Withdrawing,
        Self::Sold,
        Self::Returning,
        Self::Quarantined,
    ];

    /// Its word in tables, metrics and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InStock => "in_stock",
            Self::InOrder => "in_order",
            Self::Withdrawing => "withdrawing",
            Self::Sold => "sold",
            Self::Returning => "returning",
            Self::Quarantined => "quarantined",
        }
    }

    /// The status with this word.
    ///
    /// # Errors
    /// [`sqlx::Error::Decode`] for any other word: the table's check does not let one in.
    pub(crate) fn read(word: &str) -> sqlx::Result<Self> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == word);
        found.ok_or_else(|| sqlx::Error::Decode("a status that this version does not know".into()))
    }
}
