//! INN and KPP: the tax numbers of organisations and persons.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Weights of the check digit of an organisation's INN.
const ORGANISATION: [u64; 9] = [2, 4, 10, 3, 5, 9, 4, 6, 8];
/// Weights of the first check digit of a person's INN.
const PERSON_FIRST: [u64; 10] = [7, 2, 4, 10, 3, 5, 9, 4, 6, 8];
/// Weights of the second check digit of a person's INN.
const PERSON_SECOND: [u64; 11] = [3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8];

/// A taxpayer's number with right check digits.
///
/// A person's number is personal data: `Debug` shows only its last two digits, `Display` all of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Inn {
    kind: InnKind,
    number: u64,
}

/// Whose INN it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InnKind {
    /// A legal entity, 10 digits.
    Organisation,
    /// A person, sole traders included, 12 digits.
    Person,
}

/// The reason code of an organisation's registration: nine characters `NNNNPPXXX`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Kpp([u8; 9]);

/// Why a text is not an INN or a KPP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InnError {
    /// Something other than digits.
    #[error("The INN holds something other than digits.")]
    NotDigits,
    /// Neither 10 nor 12 digits.
    #[error("The INN must have 10 digits (organisation) or 12 digits (person), not {0}.")]
    Length(usize),
    /// No tax region has the code 00.
    #[error("The INN begins with 00, and there is no such tax region.")]
    Region,
    /// A check digit is wrong: the number was mistyped.
    #[error("The check digits of the INN are wrong.")]
    CheckDigit,
    /// Not of the form `NNNNPPXXX`.
    #[error("The KPP must be four digits, two digits or capital Latin letters, and three digits.")]
    KppForm,
}

impl Inn {
    /// Whether an organisation or a person has it.
    #[must_use]
    pub const fn kind(self) -> InnKind {
        self.kind
    }
}

impl FromStr for Inn {
    type Err = InnError;

    /// Reads 10 or 12 digits; whitespace around them is ignored.
    fn from_str(text: &str) -> Result<Self, InnError> {
        let text = text.trim();
        let digits: Vec<u64> = text
            .chars()
            .map(|c| c.to_digit(10).map(u64::from))
            .collect::<Option<_>>()
            .ok_or(InnError::NotDigits)?;
        let kind = match digits.len() {
            10 => InnKind::Organisation,
            12 => InnKind::Person,
            other => return Err(InnError::Length(other)),
        };
        if digits.starts_with(&[0, 0]) {
            return Err(InnError::Region);
        }
        let right = match kind {
            InnKind::Organisation => check(&digits, &ORGANISATION),
            InnKind::Person => check(&digits, &PERSON_FIRST) && check(&digits, &PERSON_SECOND),
        };
        if !right {
            return Err(InnError::CheckDigit);
        }
        let number = digits.iter().fold(0, |number, digit| number * 10 + digit);
        Ok(Self { kind, number })
    }
}

impl FromStr for Kpp {
    type Err = InnError;

    /// Reads nine characters; whitespace around them is ignored.
    fn from_str(text: &str) -> Result<Self, InnError> {
        let bytes: [u8; 9] = text.trim().as_bytes().try_into().map_err(|_| InnError::KppForm)?;
        let fits = bytes.iter().enumerate().all(|(place, byte)| {
            byte.is_ascii_digit() || (byte.is_ascii_uppercase() && matches!(place, 4 | 5))
        });
        if fits { Ok(Self(bytes)) } else { Err(InnError::KppForm) }
    }
}

impl fmt::Display for Inn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            InnKind::Organisation => write!(f, "{:010}", self.number),
            InnKind::Person => write!(f, "{:012}", self.number),
        }
    }
}

impl fmt::Debug for Inn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            InnKind::Organisation => write!(f, "Inn({self})"),
            InnKind::Person => write!(f, "Inn(**********{:02})", self.number % 100),
        }
    }
}

impl fmt::Display for Kpp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| f.write_char(char::from(*byte)))
    }
}

impl fmt::Debug for Kpp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kpp({self})")
    }
}

impl From<Inn> for String {
    fn from(inn: Inn) -> Self {
        inn.to_string()
    }
}

impl TryFrom<String> for Inn {
    type Error = InnError;

    fn try_from(text: String) -> Result<Self, InnError> {
        text.parse()
    }
}

impl From<Kpp> for String {
    fn from(kpp: Kpp) -> Self {
        kpp.to_string()
    }
}

impl TryFrom<String> for Kpp {
    type Error = InnError;

    fn try_from(text: String) -> Result<Self, InnError> {
        text.parse()
    }
}

/// Whether the digit after those that `weights` cover is their check digit.
fn check(digits: &[u64], weights: &[u64]) -> bool {
    let sum: u64 = digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum();
    digits.get(weights.len()) == Some(&(sum % 11 % 10))
}
