//! Why an order gives no receipt: sentences for the shop, codes for machines.

mod book;
mod line;
mod payment;
mod sums;

use events::{OrderRef, Text};

pub use book::BookFault;
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
        }
    }

    /// Whole sentences for the shop: which order, what is wrong, what to do.
    #[must_use]
    pub fn text(&self, order: &OrderRef) -> Text {
        let (ru, en) = match self {
            Self::Payment(fault) => fault.words(),
            Self::Sums(fault) => fault.words(),
            Self::Line(name, fault) => fault.words(name),
            Self::Book(fault) => fault.words(),
        };
        let number = &order.number;
        Text::new(
            format!("Чек по заказу № {number} не пробит: {ru}"),
            format!("There is no receipt for order {number}: {en}"),
        )
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
