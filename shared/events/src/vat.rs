//! VAT rates of Russian receipts (FFD tag 1199) and the tax inside a sum.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Money;
use crate::decimal::{Exact, divide_half_up};

/// A VAT rate. `None` (the seller pays no VAT) and `V0` (the rate is 0 %) are different in law.
///
/// `C…` are the calculated rates of Tax Code article 164 paragraph 4, taken from advances:
/// `C20` is 20/120.
/// The names on the wire are those of ATOL and CloudKassir documents: `none`, `vat20`, `vat120`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Vat {
    /// Not subject to VAT.
    None,
    /// 0 %.
    V0,
    /// 5 % (simplified tax system, since 2025).
    V5,
    /// 7 % (simplified tax system, since 2025).
    V7,
    /// 10 %.
    V10,
    /// 20 % (the base rate until the end of 2025).
    V20,
    /// 22 % (the base rate since 2026).
    V22,
    /// 5/105.
    C5,
    /// 7/107.
    C7,
    /// 10/110.
    C10,
    /// 20/120.
    C20,
    /// 22/122.
    C22,
}

/// Why a text or a conversion gives no VAT rate; there is no default rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VatError {
    /// The fraction is none of the known rates.
    #[error("The VAT fraction {0:?} is not a known rate.")]
    UnknownFraction(String),
    /// The wire name is none of the known rates.
    #[error("The VAT name {0:?} is not a known rate.")]
    UnknownName(String),
    /// There is no calculated rate for goods without VAT or at 0 %.
    #[error("The VAT rate {0} has no calculated rate.")]
    NoCalculatedRate(Vat),
}

impl Vat {
    /// Every rate.
    pub const ALL: [Self; 12] = [
        Self::None,
        Self::V0,
        Self::V5,
        Self::V7,
        Self::V10,
        Self::V20,
        Self::V22,
        Self::C5,
        Self::C7,
        Self::C10,
        Self::C20,
        Self::C22,
    ];

    /// Reads the exact text of Bitrix's basket `VAT_RATE`, a fraction: `"0"`, `"0.2"`, `"0.20"`.
    ///
    /// Bitrix's null means "no VAT"; the caller turns it into [`Vat::None`].
    ///
    /// # Errors
    /// [`VatError::UnknownFraction`] for anything else, a percentage such as `"20"` included.
    pub fn from_bitrix_fraction(text: &str) -> Result<Self, VatError> {
        let percent = Exact::parse(text).and_then(|exact| exact.scaled(2)).ok();
        match percent {
            Some(0) => Ok(Self::V0),
            Some(5) => Ok(Self::V5),
            Some(7) => Ok(Self::V7),
            Some(10) => Ok(Self::V10),
            Some(20) => Ok(Self::V20),
            Some(22) => Ok(Self::V22),
            _ => Err(VatError::UnknownFraction(shortened(text))),
        }
    }

    /// The name on the wire: `none`, `vat20`, `vat120`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::V0 => "vat0",
            Self::V5 => "vat5",
            Self::V7 => "vat7",
            Self::V10 => "vat10",
            Self::V20 => "vat20",
            Self::V22 => "vat22",
            Self::C5 => "vat105",
            Self::C7 => "vat107",
            Self::C10 => "vat110",
            Self::C20 => "vat120",
            Self::C22 => "vat122",
        }
    }

    /// The rate in percent, `r` of both `r %` and `r/(100+r)`; `None` for [`Vat::None`].
    #[must_use]
    pub const fn percent(self) -> Option<u8> {
        match self {
            Self::None => None,
            Self::V0 => Some(0),
            Self::V5 | Self::C5 => Some(5),
            Self::V7 | Self::C7 => Some(7),
            Self::V10 | Self::C10 => Some(10),
            Self::V20 | Self::C20 => Some(20),
            Self::V22 | Self::C22 => Some(22),
        }
    }

    /// The tax inside `sum`: `sum * r / (100 + r)` to the kopeck, half a kopeck away from zero.
    ///
    /// The same for a rate and its calculated rate. Zero at 0 %, `None` where there is no VAT.
    #[must_use]
    pub fn included_in(self, sum: Money) -> Option<Money> {
        let percent = i128::from(self.percent()?);
        let tax = divide_half_up(i128::from(sum.kopecks()) * percent, 100 + percent)?;
        i64::try_from(tax).ok().map(Money::from_kopecks)
    }

    /// Whether this is a calculated rate, `r/(100+r)`.
    #[must_use]
    pub const fn is_calculated(self) -> bool {
        matches!(self, Self::C5 | Self::C7 | Self::C10 | Self::C20 | Self::C22)
    }

    /// The calculated rate of an advance for goods at this rate; a calculated rate stays itself.
    ///
    /// # Errors
    /// [`VatError::NoCalculatedRate`] for [`Vat::None`] and [`Vat::V0`].
    pub const fn calculated(self) -> Result<Self, VatError> {
        match self {
            Self::None | Self::V0 => Err(VatError::NoCalculatedRate(self)),
            Self::V5 | Self::C5 => Ok(Self::C5),
            Self::V7 | Self::C7 => Ok(Self::C7),
            Self::V10 | Self::C10 => Ok(Self::C10),
            Self::V20 | Self::C20 => Ok(Self::C20),
            Self::V22 | Self::C22 => Ok(Self::C22),
        }
    }

    /// The plain rate: `C20` gives `V20`; a plain rate stays itself.
    #[must_use]
    pub const fn plain(self) -> Self {
        match self {
            Self::C5 => Self::V5,
            Self::C7 => Self::V7,
            Self::C10 => Self::V10,
            Self::C20 => Self::V20,
            Self::C22 => Self::V22,
            plain => plain,
        }
    }
}

impl FromStr for Vat {
    type Err = VatError;

    fn from_str(name: &str) -> Result<Self, VatError> {
        Self::ALL
            .into_iter()
            .find(|vat| vat.as_str() == name)
            .ok_or_else(|| VatError::UnknownName(shortened(name)))
    }
}

impl fmt::Display for Vat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Vat> for &'static str {
    fn from(vat: Vat) -> Self {
        vat.as_str()
    }
}

impl TryFrom<String> for Vat {
    type Error = VatError;

    fn try_from(name: String) -> Result<Self, VatError> {
        name.parse()
    }
}

/// Enough of a foreign text to recognise it in an error.
fn shortened(text: &str) -> String {
    text.chars().take(24).collect()
}
