//! Double entry: every movement has two ends.

use std::collections::BTreeMap;

/// Where points can be. The first four are a customer's, the others the programme's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// The customer may spend them.
    Available,
    /// Earned; spendable when the time for returns is over.
    Pending,
    /// Promised to an order that is not paid yet.
    Held,
    /// Spent beyond the balance; never above zero.
    Debt,
    /// Where earned points come from.
    Issued,
    /// Where spent points go.
    Spent,
    /// Where points go whose time is over.
    Expired,
    /// The other end of adjustments by hand.
    Adjusted,
}

impl Account {
    /// Every account.
    pub const ALL: [Self; 8] = [
        Self::Available,
        Self::Pending,
        Self::Held,
        Self::Debt,
        Self::Issued,
        Self::Spent,
        Self::Expired,
        Self::Adjusted,
    ];

    /// The name in the journal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Pending => "pending",
            Self::Held => "held",
            Self::Debt => "debt",
            Self::Issued => "issued",
            Self::Spent => "spent",
            Self::Expired => "expired",
            Self::Adjusted => "adjusted",
        }
    }
}

/// The entries of one operation: per account, kopecks that came (above zero) or went (below).
///
/// Only [`Entries::shift`] makes them, so their sum is zero by construction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entries(BTreeMap<Account, i64>);

impl Entries {
    /// Moves `amount` kopecks from one account to another.
    pub fn shift(&mut self, from: Account, to: Account, amount: i64) {
        *self.0.entry(from).or_default() -= amount;
        *self.0.entry(to).or_default() += amount;
    }

    /// What came to an account.
    #[must_use]
    pub fn of(&self, account: Account) -> i64 {
        self.0.get(&account).copied().unwrap_or(0)
    }

    /// The entries that are not zero.
    pub fn iter(&self) -> impl Iterator<Item = (Account, i64)> {
        self.0
            .iter()
            .map(|(account, amount)| (*account, *amount))
            .filter(|(_, amount)| *amount != 0)
    }
}
