//! GTIN: the number of a product.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A product's number in fourteen digits; shorter ones (EAN-13, EAN-8, UPC) have zeros in front.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Gtin(String);

/// A text that is no GTIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a GTIN is 8, 12, 13 or 14 digits")]
pub struct GtinError;

impl Gtin {
    /// The fourteen digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether its last digit is the check digit of the others (GS1, modulo 10).
    ///
    /// Labels are read without it: codes of test systems and of remains do not always keep to it.
    #[must_use]
    pub fn has_check_digit(&self) -> bool {
        let digits = self.0.bytes().rev().map(|digit| u32::from(digit - b'0'));
        let sum: u32 =
            digits.zip([1, 3].into_iter().cycle()).map(|(digit, weight)| digit * weight).sum();
        sum.is_multiple_of(10)
    }
}

impl FromStr for Gtin {
    type Err = GtinError;

    fn from_str(text: &str) -> Result<Self, GtinError> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        if digits && matches!(text.len(), 8 | 12 | 13 | 14) {
            Ok(Self(format!("{text:0>14}")))
        } else {
            Err(GtinError)
        }
    }
}

impl TryFrom<String> for Gtin {
    type Error = GtinError;

    fn try_from(text: String) -> Result<Self, GtinError> {
        text.parse()
    }
}

impl From<Gtin> for String {
    fn from(gtin: Gtin) -> Self {
        gtin.0
    }
}

impl fmt::Display for Gtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
