//! A receipt as FFD 1.2 (format of fiscal documents, FNS order ED-7-20/662@) knows it, whoever
//! registers it: pure, exact, and refused where anything is unknown.

mod amounts;
mod contact;
mod items;
mod measure;
mod name;
mod part;
mod rates;
mod refund;
mod refusal;
mod rules;
mod sale;
mod seller;
mod sums;

use events::{Inn, MarkCode, Money, Quantity, Vat};
use serde::{Deserialize, Serialize};
use time::Date;

pub use amounts::{Amounts, MoneyKind};
pub use contact::Contact;
pub(crate) use contact::is_email;
pub use measure::{Measure, MeasureError};
pub use name::Name;
pub(crate) use part::part_closing;
pub use rates::{RateFault, in_force};
pub use refund::{Sold, Taken, Wanted};
pub(crate) use refund::{pay_back, take};
pub use refusal::{
    BookFault, CheckFault, CorrectionFault, LineFault, PaymentFault, Refusal, SumFault,
};
pub use rules::{ClosesOn, Flow, PaySystems, RefundsOn, Rules, RulesError, Tender};
pub(crate) use sale::{Sale, advance, closing, credit_payment, prepayment};
pub use seller::Seller;
pub(crate) use seller::today;
pub use sums::{allocate, split};

/// The most positions of one receipt: `CloudKassir` makes several receipts of more, ATOL refuses
/// them.
pub const MAX_POSITIONS: usize = 100;

/// A receipt, as FFD 1.2 knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Tag 1054.
    pub kind: Kind,
    /// The seller's INN, tag 1018.
    pub inn: Inn,
    /// The seller's tax system, tag 1055.
    pub taxation: Taxation,
    /// Where the sale takes place, tag 1187.
    pub place: String,
    /// The seller's address for questions about receipts, tag 1117.
    pub seller_email: Option<String>,
    /// The buyer's address, tag 1008.
    pub contact: Contact,
    /// The positions, tag 1059: 1 to [`MAX_POSITIONS`].
    pub positions: Vec<Position>,
    /// The total, tag 1020: exactly the sum of the positions.
    pub total: Money,
    /// What was paid, by kinds of money: as much as the total.
    pub amounts: Amounts,
    /// What is corrected, if this is a correction receipt.
    pub correction: Option<Correction>,
}

/// What a receipt states, tag 1054.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 1, income: the buyer paid.
    Sale,
    /// 2, return of income: the buyer got money back.
    Refund,
}

/// Why a correction receipt is made, tag 1174.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// Tag 1173.
    pub basis: Basis,
    /// The day of the settlement that is corrected, tag 1178.
    #[serde(with = "day")]
    pub date: Date,
    /// The number of the document that asks for it (a memo, a prescription), tag 1179.
    pub document: String,
    /// Why, in words: for the shop's own papers and for registers that take them.
    pub reason: String,
}

/// Who found the error, tag 1173.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// 0: the seller did.
    Own,
    /// 1: the tax service prescribed it.
    Prescribed,
}

time::serde::format_description!(day, Date, "[year]-[month]-[day]");

/// One position of a receipt, tag 1059.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// What of the order it is about.
    pub source: Source,
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

/// What of an order a position is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A line, by Bitrix's basket item id.
    Line(u64),
    /// The delivery.
    Delivery,
    /// All of it: an advance.
    Order,
}

/// What a payment settles, tag 1214 (FNS order ED-7-20/662@).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// 1: all is paid, the goods are handed over later, with a second receipt.
    FullPrepayment,
    /// 2: a part is paid, the goods are handed over later.
    Prepayment,
    /// 3: something is paid, and it is open for what.
    Advance,
    /// 4: all is paid, the goods are handed over now.
    FullPayment,
    /// 5: the goods are handed over now, and a part of the price is owed.
    PartialPayment,
    /// 6: the goods are handed over now, and all of the price is owed.
    Credit,
    /// 7: what was owed is paid.
    CreditPayment,
}

/// What is sold, tag 1212.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    ExciseMarkable,
    /// 31: excisable marked goods with their code.
    ExciseMarked,
    /// 32: marked goods without their code.
    Markable,
    /// 33: marked goods with their code.
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

/// A tax system, tag 1055.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
