//! What a shop must say about its receipts: law and register know no default for any of it.

use std::collections::{BTreeMap, BTreeSet};

use events::{Inn, Vat};
use serde::Deserialize;

use super::{Measure, MoneyKind, Object, PrepaymentObject, Seller, Taxation, contact::is_email};

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
    /// The seller's address for questions about receipts, tag 1117. ATOL cannot do without it.
    #[serde(default)]
    pub seller_email: Option<String>,
    /// What a payment is: the first of the receipts that settle an order.
    pub settlement: Flow,
    /// When the goods count as handed over: the last of those receipts. Whoever takes money
    /// before that must say.
    #[serde(default)]
    pub closes_on: Option<ClosesOn>,
    /// What has goods paid back that were handed over.
    #[serde(default)]
    pub refunds_on: RefundsOn,
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

/// By which receipts an order is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// Who pays gets the goods at once: one receipt when all is paid. What is paid in parts before
    /// that is a prepayment.
    FullPayment,
    /// Each payment before the hand-over is a prepayment of what was ordered (tag 1214: 1, or 2
    /// for a part), and the hand-over has a receipt of its own.
    #[serde(alias = "full_prepayment")]
    Prepayment,
    /// The same with advances (3): it is open what the money is for.
    Advance,
    /// Goods are handed over before they are paid (5, 6), and payments afterwards are payments of
    /// a debt (7). What is paid before the hand-over is a prepayment.
    Credit,
}

/// The fact that says that the buyer has the goods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosesOn {
    /// The last shipment has left.
    Shipped,
    /// Each shipment closes what is in it; the last one also the delivery and what is in none.
    EachShipment,
    /// The order is completed.
    Completed,
}

/// The fact that says that goods which were handed over are paid back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundsOn {
    /// The payment is returned.
    #[default]
    Refunded,
    /// The goods came back: their lines and quantities.
    Returned,
}

/// What a pay system brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tender {
    /// Money: it has a receipt when it comes.
    Money(MoneyKind),
    /// A certificate, or something in return: it counts when the goods are handed over.
    Cover(MoneyKind),
    /// Bonus points: a discount on the whole order.
    Points,
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
    /// Gift certificates, whose sale had its receipt: tag 1215 at the hand-over.
    #[serde(default)]
    pub certificates: BTreeSet<u64>,
    /// Something in return for the goods: tag 1217 at the hand-over.
    #[serde(default)]
    pub provision: BTreeSet<u64>,
    /// Bonus points: a discount, and no money.
    #[serde(default)]
    pub points: BTreeSet<u64>,
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
    #[error("pay system {0} stands under {1} and under {2}")]
    TwoKinds(u64, &'static str, &'static str),
    /// Money that comes before the goods needs a second receipt, and nobody said when.
    #[error("closes_on must say when the goods are handed over: shipped or completed")]
    NoClosing,
    /// Tag 1117 is an address.
    #[error("seller_email must be an e-mail address")]
    SellerEmail,
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
        self.payments.check()?;
        if self.settlement != Flow::FullPayment && self.closes_on.is_none() {
            return Err(RulesError::NoClosing);
        }
        if self.seller_email.as_deref().is_some_and(|email| !is_email(email)) {
            return Err(RulesError::SellerEmail);
        }
        match self.delivery_vat {
            Some(vat) if vat.is_calculated() => Err(RulesError::CalculatedVat(vat)),
            _ => Ok(()),
        }
    }

    /// Who sells.
    #[must_use]
    pub fn seller(&self) -> Seller {
        Seller {
            inn: self.inn,
            taxation: self.taxation,
            place: self.place.clone(),
            email: self.seller_email.clone(),
            unit: self.unit,
            units: self.units.clone(),
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
    /// What this pay system brings; `None` where nobody said.
    #[must_use]
    pub fn tender(&self, system: u64) -> Option<Tender> {
        let tenders = [
            Tender::Money(MoneyKind::Electronic),
            Tender::Money(MoneyKind::Cash),
            Tender::Cover(MoneyKind::Prepaid),
            Tender::Cover(MoneyKind::Provision),
            Tender::Points,
        ];
        let mut named = self.named().into_iter().zip(tenders);
        named.find(|((_, systems), _)| systems.contains(&system)).map(|(_, tender)| tender)
    }

    fn named(&self) -> [(&'static str, &BTreeSet<u64>); 5] {
        [
            ("electronic", &self.electronic),
            ("cash", &self.cash),
            ("certificates", &self.certificates),
            ("provision", &self.provision),
            ("points", &self.points),
        ]
    }

    fn check(&self) -> Result<(), RulesError> {
        if self.electronic.is_empty() && self.cash.is_empty() {
            return Err(RulesError::NoPaySystem);
        }
        let named = self.named();
        for (place, (name, systems)) in named.iter().enumerate() {
            for (other, more) in named.iter().skip(place + 1) {
                if let Some(both) = systems.intersection(more).next() {
                    return Err(RulesError::TwoKinds(*both, name, other));
                }
            }
        }
        Ok(())
    }
}

fn commodity() -> Object {
    Object::Commodity
}
