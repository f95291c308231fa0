//! Quantities of goods: exact decimals, never negative.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

use crate::decimal::{Exact, Refusal};

/// 10^20: with six decimals it still fits a [`Decimal`], and every `u64` is below it.
const LIMIT: Decimal = Decimal::from_parts(0x6310_0000, 0x6BC7_5E2D, 5, false, 0);

/// How much of a line: pieces, kilograms, metres; zero or more, at most six decimals (FFD tag
/// 1023).
///
/// Always normalised, so `1.0` and `1` are the same value, hash and text.
/// On Parom's wire it is a string: `"1"`, `"0.746"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Quantity(Decimal);

/// Why a number is not a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuantityError {
    /// The text is not a decimal number.
    #[error("The quantity is not a decimal number.")]
    NotANumber,
    /// Nobody sells less than nothing; a return is another fact, not a negative quantity.
    #[error("The quantity is below zero.")]
    Negative,
    /// Registers take at most six decimals; it is never rounded.
    #[error("The quantity has more than six decimal places.")]
    TooPrecise,
    /// 10^20 or more.
    #[error("The quantity is too large.")]
    TooLarge,
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);
    /// One piece.
    pub const ONE: Self = Self(Decimal::ONE);
    /// Decimals that a register accepts.
    pub const MAX_DECIMALS: u32 = 6;

    /// A quantity of `value`.
    ///
    /// # Errors
    /// [`QuantityError::Negative`] below zero, [`QuantityError::TooPrecise`] beyond six significant
    /// decimals, [`QuantityError::TooLarge`] from 10^20 on.
    pub fn new(value: Decimal) -> Result<Self, QuantityError> {
        let value = value.normalize();
        if value.is_sign_negative() {
            return Err(QuantityError::Negative);
        }
        if value.scale() > Self::MAX_DECIMALS {
            return Err(QuantityError::TooPrecise);
        }
        if value >= LIMIT {
            return Err(QuantityError::TooLarge);
        }
        Ok(Self(value))
    }

    /// A quantity of whole units.
    #[must_use]
    pub fn from_units(units: u64) -> Self {
        Self(Decimal::from(units))
    }

    /// The exact value.
    #[must_use]
    pub const fn value(self) -> Decimal {
        self.0
    }

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// Whether it is a whole number of units.
    #[must_use]
    pub fn is_integer(self) -> bool {
        self.0.is_integer()
    }

    /// The number of units when it is whole and fits.
    #[must_use]
    pub fn as_units(self) -> Option<u64> {
        if self.is_integer() { self.0.to_u64() } else { None }
    }

    /// `self + other`, `None` when it does not fit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Self::new(self.0.checked_add(other.0)?).ok()
    }

    /// `self - other`, `None` when that would be below zero.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        Self::new(self.0.checked_sub(other.0)?).ok()
    }

    /// The value as `(mantissa, scale)`: `mantissa / 10^scale`.
    pub(crate) const fn parts(self) -> (i128, u32) {
        (self.0.mantissa(), self.0.scale())
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    /// Reads a decimal as databases and JSON print it: `1`, `0.7460`, `2E1`.
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let millionths = Exact::parse(text)?.scaled(Self::MAX_DECIMALS)?;
        let value = Decimal::try_from_i128_with_scale(millionths, Self::MAX_DECIMALS)
            .map_err(|_| QuantityError::TooLarge)?;
        Self::new(value)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl From<Quantity> for String {
    fn from(quantity: Quantity) -> Self {
        quantity.to_string()
    }
}

impl TryFrom<String> for Quantity {
    type Error = QuantityError;

    fn try_from(text: String) -> Result<Self, QuantityError> {
        text.parse()
    }
}

impl From<Refusal> for QuantityError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotANumber => Self::NotANumber,
            Refusal::TooPrecise => Self::TooPrecise,
            Refusal::TooLarge => Self::TooLarge,
        }
    }
}
