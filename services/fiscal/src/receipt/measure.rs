//! Units of quantity (tag 2108), from the OKEI codes that shops use.

use serde::{Deserialize, Serialize};

/// The unit of a position's quantity: a value of tag 2108.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Measure(u8);

/// A number that tag 2108 does not have.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0} is no unit of quantity of a receipt (tag 2108), such as 0 for pieces or 255 for others"
)]
pub struct MeasureError(u8);

/// OKEI codes with a value of their own in tag 2108 (FFD 1.2).
const KNOWN: [(u16, u8); 22] = [
    (796, 0),  // piece
    (642, 0),  // unit
    (163, 10), // gram
    (166, 11), // kilogram
    (168, 12), // tonne
    (4, 20),   // centimetre
    (5, 21),   // decimetre
    (6, 22),   // metre
    (51, 30),  // square centimetre
    (53, 31),  // square decimetre
    (55, 32),  // square metre
    (111, 40), // millilitre
    (112, 41), // litre
    (113, 42), // cubic metre
    (245, 50), // kilowatt hour
    (233, 51), // gigacalorie
    (359, 70), // day
    (356, 71), // hour
    (355, 72), // minute
    (354, 73), // second
    (256, 80), // kilobyte
    (257, 81), // megabyte
];

/// Values of tag 2108 without an OKEI code here: gigabyte, terabyte, any other unit.
const OTHERS: [u8; 3] = [82, 83, 255];

impl Measure {
    /// Pieces, or units of a service.
    pub const PIECE: Self = Self(0);

    /// The unit with this OKEI code, such as `796` or `006`; `None` for one that has no value of
    /// its own in tag 2108.
    #[must_use]
    pub fn from_okei(code: &str) -> Option<Self> {
        let code: u16 = code.trim().parse().ok()?;
        KNOWN.iter().find(|(okei, _)| *okei == code).map(|(_, measure)| Self(*measure))
    }

    /// The value of tag 2108.
    #[must_use]
    pub const fn code(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Measure {
    type Error = MeasureError;

    fn try_from(code: u8) -> Result<Self, MeasureError> {
        let known = KNOWN.iter().any(|(_, measure)| *measure == code) || OTHERS.contains(&code);
        if known { Ok(Self(code)) } else { Err(MeasureError(code)) }
    }
}

impl From<Measure> for u8 {
    fn from(measure: Measure) -> Self {
        measure.0
    }
}
