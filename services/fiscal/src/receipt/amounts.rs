//! What was paid, by kinds of money.

use std::collections::BTreeMap;

use events::Money;
use serde::{Deserialize, Serialize};

/// A kind of money. Each register has numbers of its own for them, and the same number means
/// different things at different registers: they are never shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoneyKind {
    /// Tag 1081.
    Electronic,
    /// Tag 1031.
    Cash,
    /// Tag 1215: set off against what was paid before.
    Prepaid,
    /// Tag 1216: owed.
    Credit,
    /// Tag 1217: by a provision in return.
    Provision,
}

/// Sums by kinds of money: none is below zero, and those of zero are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Amounts(BTreeMap<MoneyKind, Money>);

impl Amounts {
    /// One sum of one kind.
    #[must_use]
    pub fn of(kind: MoneyKind, sum: Money) -> Self {
        Self::default().with(kind, sum).unwrap_or_default()
    }

    /// With `sum` more of this kind; `None` when it does not fit.
    #[must_use]
    pub fn with(mut self, kind: MoneyKind, sum: Money) -> Option<Self> {
        let all = self.get(kind).checked_add(sum)?;
        self.set(kind, all)?;
        Some(self)
    }

    /// With all of `other` more; `None` when it does not fit.
    #[must_use]
    pub fn plus(self, other: &Self) -> Option<Self> {
        other.0.iter().try_fold(self, |all, (kind, sum)| all.with(*kind, *sum))
    }

    /// With all of `other` less; `None` where there is not as much.
    #[must_use]
    pub fn minus(mut self, other: &Self) -> Option<Self> {
        for (kind, sum) in &other.0 {
            let left = self.get(*kind).checked_sub(*sum)?;
            self.set(*kind, left)?;
        }
        Some(self)
    }

    /// The sum of this kind.
    #[must_use]
    pub fn get(&self, kind: MoneyKind) -> Money {
        self.0.get(&kind).copied().unwrap_or(Money::ZERO)
    }

    /// Kinds and sums above zero.
    pub fn iter(&self) -> impl Iterator<Item = (MoneyKind, Money)> {
        self.0.iter().map(|(kind, sum)| (*kind, *sum))
    }

    /// All of it; `None` when it does not fit.
    #[must_use]
    pub fn total(&self) -> Option<Money> {
        Money::sum(self.0.values().copied())
    }

    fn set(&mut self, kind: MoneyKind, sum: Money) -> Option<()> {
        if sum.is_negative() {
            return None;
        }
        if sum.is_zero() {
            self.0.remove(&kind);
        } else {
            self.0.insert(kind, sum);
        }
        Some(())
    }
}
