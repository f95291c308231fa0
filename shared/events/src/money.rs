//! Money: a whole number of kopecks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Quantity;
use crate::decimal::{Exact, Refusal, divide_half_up};

/// An amount in kopecks; negative amounts are allowed (a difference, a correction).
///
/// On Parom's wire it is a JSON integer of kopecks; as text it is roubles, `"1480.00"`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Money(i64);

/// Why a text is not an amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// The text is not a decimal number.
    #[error("The amount is not a decimal number of roubles.")]
    NotANumber,
    /// The text has a part of a kopeck; it is never rounded away.
    #[error("The amount has more than two decimal places, and a part of a kopeck cannot be paid.")]
    PartOfKopeck,
    /// The amount does not fit into 64 bits of kopecks.
    #[error("The amount is too large.")]
    TooLarge,
}

impl Money {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// An amount of `kopecks`.
    #[must_use]
    pub const fn from_kopecks(kopecks: i64) -> Self {
        Self(kopecks)
    }

    /// The amount in kopecks.
    #[must_use]
    pub const fn kopecks(self) -> i64 {
        self.0
    }

    /// Whether the amount is below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Whether the amount is exactly zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `self + other`, `None` on overflow.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// `self - other`, `None` on overflow.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The sum of all `amounts` whatever their order, `None` when it does not fit.
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        let total =
            amounts.into_iter().try_fold(0_i128, |sum, money| sum.checked_add(money.0.into()))?;
        i64::try_from(total).ok().map(Self)
    }

    /// This price times `quantity` to the kopeck, half a kopeck away from zero; `None` on overflow.
    ///
    /// Registers compute the sum of a line (FFD tag 1043) from price and quantity this way.
    #[must_use]
    pub fn times(self, quantity: Quantity) -> Option<Self> {
        let (mantissa, scale) = quantity.parts();
        let product = i128::from(self.0).checked_mul(mantissa)?;
        let rounded = divide_half_up(product, 10_i128.checked_pow(scale)?)?;
        i64::try_from(rounded).ok().map(Self)
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    /// Reads decimal roubles as databases and JSON print them: `1480`, `1480.00`, `-3.5`, `9.8E2`.
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let kopecks = Exact::parse(text)?.scaled(2)?;
        i64::try_from(kopecks).map(Self).map_err(|_| MoneyError::TooLarge)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_negative() { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", magnitude / 100, magnitude % 100)
    }
}

impl From<Refusal> for MoneyError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotANumber => Self::NotANumber,
            Refusal::TooPrecise => Self::PartOfKopeck,
            Refusal::TooLarge => Self::TooLarge,
        }
    }
}
