//! A receipt as FFD 1.2 (format of fiscal documents, FNS order ED-7-20/662@) knows it, whoever
//! registers it: pure, exact, and refused where anything is unknown.

mod contact;
mod measure;
mod name;
mod refusal;
mod rules;
mod sale;
mod sums;

use events::{Inn, MarkCode, Money, Quantity, Vat};
use serde::Deserialize;

pub use contact::Contact;
pub use measure::{Measure, MeasureError};
pub use name::Name;
pub use refusal::{LineFault, PaymentFault, Refusal, SumFault};
pub use rules::{PaySystems, Rules, RulesError};
pub use sale::sale;
pub use sums::{allocate, split};

/// The most positions of one receipt: `CloudKassir` makes several receipts of more.
pub const MAX_POSITIONS: usize = 100;

/// A receipt of a sale (tag 1054: 1, income).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The seller's INN, tag 1018.
    pub inn: Inn,
    /// The seller's tax system, tag 1055.
    pub taxation: Taxation,
    /// Where the sale takes place, tag 1187.
    pub place: String,
    /// The buyer's address, tag 1008.
    pub contact: Contact,
    /// The positions, tag 1059: 1 to [`MAX_POSITIONS`].
    pub positions: Vec<Position>,
    /// The total, tag 1020: exactly the sum of the positions.
    pub total: Money,
    /// What kind of money was paid: as much as the total.
    pub paid: MoneyKind,
}

/// One position of a receipt, tag 1059.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Tag 1030.
    pub name: Name,
    /// Price of one unit, tag 1079: discounts taken off, VAT inside.
    pub price: Money,
    /// Tag 1023.
    pub quantity: Quantity,
    /// Tag 1043: price times quantity to the kopeck, half a kopeck up.
    pub sum: Money,
    /// Tag 1199.
    pub vat: Vat,
    /// Tag 1214.
    pub settlement: Settlement,
    /// Tag 1212.
    pub object: Object,
    /// Tag 2108.
    pub measure: Measure,
    /// The mark code of this very piece, tag 2000.
    pub mark: Option<MarkCode>,
}

/// What a payment settles, tag 1214.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// 1: all is paid, the goods are handed over later, with a second receipt.
    FullPrepayment,
    /// 4: all is paid, the goods are handed over now.
    FullPayment,
}

/// What is sold, tag 1212.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Object {
    /// 1: goods.
    Commodity,
    /// 2: excisable goods.
    Excise,
    /// 3: work.
    Job,
    /// 4: a service.
    Service,
    /// 10: a payment.
    Payment,
    /// 13: something else.
    Another,
    /// 30: excisable marked goods without their code.
    #[serde(skip)]
    ExciseMarkable,
    /// 31: excisable marked goods with their code.
    #[serde(skip)]
    ExciseMarked,
    /// 32: marked goods without their code.
    #[serde(skip)]
    Markable,
    /// 33: marked goods with their code.
    #[serde(skip)]
    Marked,
}

/// What the positions of a prepayment are, tag 1212.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrepaymentObject {
    /// 10, a payment, whatever was ordered.
    #[default]
    Payment,
    /// What was ordered.
    Goods,
}

/// A kind of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoneyKind {
    /// Tag 1081.
    Electronic,
    /// Tag 1031.
    Cash,
}

/// A tax system, tag 1055.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Taxation {
    /// The general system.
    Osn,
    /// The simplified system, income.
    UsnIncome,
    /// The simplified system, income less expenses.
    UsnIncomeOutcome,
    /// The agricultural tax.
    Esn,
    /// The patent system.
    Patent,
}
