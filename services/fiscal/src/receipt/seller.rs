//! Who sells: what all receipts of a shop say alike.

use std::collections::BTreeMap;

use events::{Inn, Money};
use time::{Date, OffsetDateTime, UtcOffset};

use super::{Amounts, Contact, Kind, LineFault, Measure, Position, Receipt, Taxation};

/// Who sells, and the units of the shop.
#[derive(Debug, Clone)]
pub struct Seller {
    /// Tag 1018.
    pub inn: Inn,
    /// Tag 1055.
    pub taxation: Taxation,
    /// Tag 1187.
    pub place: String,
    /// Tag 1117.
    pub email: Option<String>,
    /// The unit (tag 2108) of what has none.
    pub unit: Option<Measure>,
    /// Units (tag 2108) of OKEI codes that FFD does not name.
    pub units: BTreeMap<String, Measure>,
}

impl Seller {
    /// The unit of a line whose shop tells this OKEI code, or none.
    pub(crate) fn measure(&self, okei: Option<&str>) -> Result<Measure, LineFault> {
        match okei {
            Some(code) => {
                let known = self.units.get(code).copied().or_else(|| Measure::from_okei(code));
                known.ok_or_else(|| LineFault::Unit(code.to_owned()))
            }
            None => self.unit.ok_or(LineFault::NoUnit),
        }
    }

    /// A receipt of this seller that is no correction.
    pub(crate) fn receipt(
        &self,
        kind: Kind,
        contact: Contact,
        positions: Vec<Position>,
        total: Money,
        amounts: Amounts,
    ) -> Receipt {
        Receipt {
            kind,
            inn: self.inn,
            taxation: self.taxation,
            place: self.place.trim().to_owned(),
            seller_email: self.email.clone(),
            contact,
            positions,
            total,
            amounts,
            correction: None,
        }
    }
}

/// The day in Moscow.
pub(crate) fn today(now: OffsetDateTime) -> Date {
    now.to_offset(UtcOffset::from_hms(3, 0, 0).unwrap_or(UtcOffset::UTC)).date()
}
