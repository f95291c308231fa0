//! Why an order gives no receipt: sentences for the shop, codes for machines.

mod book;
mod check;
mod correction;
mod line;
mod payment;
mod sums;

use events::{Text, Vat};

use crate::subject::Subject;

pub use book::BookFault;
pub use check::CheckFault;
pub use correction::CorrectionFault;
pub use line::LineFault;
pub use payment::PaymentFault;
pub use sums::SumFault;

/// What is wrong with an order, so that no lawful receipt can be made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The payment, or the buyer's address for the receipt.
    Payment(PaymentFault),
    /// Prices, sums, the delivery.
    Sums(SumFault),
    /// A line, as the shop names it.
    Line(String, LineFault),
    /// What was receipted for the order before.
    Book(BookFault),
    /// What Bitrix composed.
    Check(CheckFault),
    /// The paper that asks for it.
    Correction(CorrectionFault),
}

impl Refusal {
    /// A stable word for machines: dead letters are grouped by it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Payment(fault) => fault.code(),
            Self::Sums(fault) => fault.code(),
            Self::Line(_, fault) => fault.code(),
            Self::Book(fault) => fault.code(),
            Self::Check(fault) => fault.code(),
            Self::Correction(fault) => fault.code(),
        }
    }

    /// Whether nobody can tell if the settlement has its receipt already.
    #[must_use]
    pub const fn is_doubt(&self) -> bool {
        matches!(
            self,
            Self::Book(BookFault::Alike | BookFault::Corrected { .. } | BookFault::InFlight)
        )
    }

    /// Whole sentences for the shop: which order, what is wrong, what to do.
    #[must_use]
    pub fn text(&self, subject: &Subject) -> Text {
        let (ru, en) = match self {
            Self::Payment(fault) => fault.words(),
            Self::Sums(fault) => fault.words(),
            Self::Line(name, fault) => fault.words(name),
            Self::Book(fault) => fault.words(),
            Self::Check(fault) => fault.words(),
            Self::Correction(fault) => fault.words(),
        };
        let Subject { ru: about_ru, en: about_en, .. } = subject;
        Text::new(
            format!("Чек {about_ru} не пробит: {ru}"),
            format!("There is no receipt {about_en}: {en}"),
        )
    }
}

/// A rate as people write it: `20 %`, `20/120`.
fn rate(vat: Vat) -> String {
    match vat.percent() {
        None => "«без НДС»".to_owned(),
        Some(percent) if vat.is_calculated() => format!("{percent}/{}", 100 + u16::from(percent)),
        Some(percent) => format!("{percent} %"),
    }
}

impl From<PaymentFault> for Refusal {
    fn from(fault: PaymentFault) -> Self {
        Self::Payment(fault)
    }
}

impl From<SumFault> for Refusal {
    fn from(fault: SumFault) -> Self {
        Self::Sums(fault)
    }
}

impl From<BookFault> for Refusal {
    fn from(fault: BookFault) -> Self {
        Self::Book(fault)
    }
}

impl From<CheckFault> for Refusal {
    fn from(fault: CheckFault) -> Self {
        Self::Check(fault)
    }
}

impl From<CorrectionFault> for Refusal {
    fn from(fault: CorrectionFault) -> Self {
        Self::Correction(fault)
    }
}
