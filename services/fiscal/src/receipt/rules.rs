//! What a shop must say about its receipts: law and register know no default for any of it.

use std::collections::{BTreeMap, BTreeSet};

use events::{Inn, Vat};
use serde::Deserialize;

use super::{Measure, MoneyKind, Object, PrepaymentObject, Settlement, Taxation};

/// How one shop's receipts are made.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// The seller's INN, tag 1018: the register is registered to it.
    pub inn: Inn,
    /// The seller's tax system, tag 1055.
    pub taxation: Taxation,
    /// Where the sale takes place, tag 1187: the shop's address on the internet.
    pub place: String,
    /// What a payment on the site settles, tag 1214.
    pub settlement: Settlement,
    /// What the lines of an order are, tag 1212.
    #[serde(default = "commodity")]
    pub object: Object,
    /// What the positions of a prepayment are, tag 1212.
    #[serde(default)]
    pub prepayment_object: PrepaymentObject,
    /// The VAT rate of delivery for orders in which the shop tells none.
    pub delivery_vat: Option<Vat>,
    /// The unit (tag 2108) of lines for which the shop tells none.
    pub unit: Option<Measure>,
    /// Units (tag 2108) of OKEI codes that FFD does not name, such as packs: OKEI code → tag 2108.
    #[serde(default)]
    pub units: BTreeMap<String, Measure>,
    /// Which kind of money each pay system brings.
    pub payments: PaySystems,
}

/// Bitrix's pay system ids by the kind of money.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaySystems {
    /// Cards, the faster payment system, electronic money: tag 1081.
    #[serde(default)]
    pub electronic: BTreeSet<u64>,
    /// Cash: tag 1031.
    #[serde(default)]
    pub cash: BTreeSet<u64>,
}

/// A rule that cannot be right, found at the start.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// Tag 1187 takes 1 to 256 characters.
    #[error("place must have 1 to 256 characters")]
    Place,
    /// A shop that has no pay systems has no receipts.
    #[error("payments names no pay system, neither under electronic nor under cash")]
    NoPaySystem,
    /// The same pay system under two kinds.
    #[error("pay system {0} stands under electronic and under cash")]
    TwoKinds(u64),
    /// Rates such as 22/122 belong to prepayments only and are derived.
    #[error("delivery_vat must be a plain rate such as vat22, not {0}")]
    CalculatedVat(Vat),
}

impl Rules {
    /// Looks for contradictions that the types do not catch.
    ///
    /// # Errors
    /// [`RulesError`] names the setting.
    pub fn check(&self) -> Result<(), RulesError> {
        if !(1..=256).contains(&self.place.trim().chars().count()) {
            return Err(RulesError::Place);
        }
        let PaySystems { electronic, cash } = &self.payments;
        if electronic.is_empty() && cash.is_empty() {
            return Err(RulesError::NoPaySystem);
        }
        if let Some(both) = electronic.intersection(cash).next() {
            return Err(RulesError::TwoKinds(*both));
        }
        match self.delivery_vat {
            Some(vat) if vat.is_calculated() => Err(RulesError::CalculatedVat(vat)),
            _ => Ok(()),
        }
    }

    /// The unit of a line whose shop tells this OKEI code, or none; `None` where nobody says.
    pub(super) fn measure(&self, okei: Option<&str>) -> Option<Measure> {
        match okei {
            Some(code) => self.units.get(code).copied().or_else(|| Measure::from_okei(code)),
            None => self.unit,
        }
    }
}

impl PaySystems {
    /// The kind of money that this pay system brings.
    pub(super) fn kind(&self, system: u64) -> Option<MoneyKind> {
        if self.electronic.contains(&system) {
            Some(MoneyKind::Electronic)
        } else if self.cash.contains(&system) {
            Some(MoneyKind::Cash)
        } else {
            None
        }
    }
}

fn commodity() -> Object {
    Object::Commodity
}
