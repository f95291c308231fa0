//! Refunds by hand: a person says what comes back where the facts leave it open.

use std::collections::BTreeMap;

use events::{MarkCode, Quantity};
use serde::{Deserialize, Serialize};

use crate::{
    ledger::{Book, Deed, Entry},
    plan::{EARLIER, Plan},
    receipt::{BookFault, MoneyKind, Refusal, Source, SumFault, Wanted, pay_back, take},
};

/// What a person says is to be paid back of an order's sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandRefund {
    /// The number of the paper that asks for it, such as the buyer's application.
    pub document: String,
    /// Lines by Bitrix's basket item id, and how much of each.
    #[serde(default)]
    pub lines: BTreeMap<u64, Quantity>,
    /// How much of the delivery: 1, or 0.
    #[serde(default)]
    pub delivery: bool,
    /// The mark codes of the pieces that come back.
    #[serde(default)]
    pub codes: Vec<MarkCode>,
    /// Everything that is left, instead of lines.
    #[serde(default)]
    pub all: bool,
    /// Whether the goods came back as well.
    pub goods: bool,
    /// Bitrix's payment whose money went back with it, if one is settled by this.
    #[serde(default)]
    pub payment: Option<u64>,
    /// As what the money goes back; as it came where nobody says.
    #[serde(default)]
    pub money: Option<MoneyKind>,
}

impl HandRefund {
    /// What follows from it for an order with these entries.
    pub(super) fn plan(&self, entries: &[Entry]) -> Result<Plan, Refusal> {
        let book = Book::read(entries).ok_or(SumFault::TooLarge)?;
        if book.is_pending() {
            return Ok(EARLIER);
        }
        if book.part_closed {
            return Err(BookFault::PartlyClosed.into());
        }
        let sale = book.sale.as_ref().ok_or(BookFault::NothingSold)?;
        if let Some(payment) = self.payment.filter(|payment| !book.counts(*payment)) {
            return Err(BookFault::NotPaid { payment }.into());
        }
        let refund = take(&sale.sold, &self.wanted())?;
        if refund.total.is_zero() {
            return Err(BookFault::NothingSold.into());
        }
        let amounts = pay_back(&book.had, refund.total, self.money)?;
        let receipt = refund.receipt(sale.receipt, amounts);
        let (goods, payment) = (self.goods, self.payment);
        Ok(Plan::Issue(Deed::Refund { receipt, taken: refund.taken, goods, payment }))
    }

    fn wanted(&self) -> Wanted {
        if self.all {
            return Wanted::All;
        }
        let lines = self.lines.iter().map(|(line, quantity)| (Source::Line(*line), *quantity));
        let delivery = self.delivery.then_some((Source::Delivery, Quantity::ONE));
        Wanted::Some { quantities: lines.chain(delivery).collect(), codes: self.codes.clone() }
    }
}
