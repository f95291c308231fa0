//! Facts that do not fit what was receipted for the order before.

use events::{Money, Quantity};

/// What does not fit the order's earlier receipts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BookFault {
    /// More money than is left to pay.
    Overpaid {
        /// What was paid now.
        paid: Money,
        /// What was left to pay.
        left: Money,
    },
    /// More is to be paid back than came in.
    MoreThanPaid {
        /// What was to be paid back.
        total: Money,
    },
    /// More came back than the buyer has.
    MoreThanSold {
        /// The position's name.
        line: String,
        /// How much came back.
        wanted: Quantity,
    },
    /// Some pieces of marked goods came back, and it is open which.
    CodesUnknown {
        /// The position's name.
        line: String,
    },
    /// A part of the money went back, and it is open what for.
    LinesUnknown {
        /// What went back.
        sum: Money,
    },
    /// Goods came back before they were handed over for good.
    ReturnedBefore,
    /// Nothing is there to be refunded.
    NothingSold,
}

impl BookFault {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Overpaid { .. } => "overpaid",
            Self::MoreThanPaid { .. } => "refund_above_payment",
            Self::MoreThanSold { .. } => "refund_above_sale",
            Self::CodesUnknown { .. } => "refund_codes_unknown",
            Self::LinesUnknown { .. } => "refund_lines_unknown",
            Self::ReturnedBefore => "returned_before_hand_over",
            Self::NothingSold => "nothing_sold",
        }
    }

    pub(super) fn words(&self) -> (String, String) {
        match self {
            Self::Overpaid { paid, left } => (
                format!(
                    "оплачено {paid} руб., а по заказу оставалось заплатить {left} руб. Проверьте \
                     цену и оплаты заказа и повторите."
                ),
                format!(
                    "{paid} roubles were paid and {left} were left to pay. Check the order's \
                     price and payments, then replay."
                ),
            ),
            Self::MoreThanPaid { total } => (
                format!(
                    "вернуть нужно {total} руб., а по чекам заказа столько не поступало. Проверьте \
                     возврат и пробейте чек вручную."
                ),
                format!(
                    "{total} roubles are to go back, and its receipts say that less came in. \
                     Check the refund and issue the receipt by hand."
                ),
            ),
            Self::LinesUnknown { sum } => (
                format!(
                    "возвращены {sum} руб., но неизвестно, за какие товары. Отметьте возврат \
                     товаров и повторите, или пробейте чек возврата вручную."
                ),
                format!(
                    "{sum} roubles went back, and it is open for which goods. Mark the goods as \
                     returned and replay, or issue the refund by hand."
                ),
            ),
            _ => self.about_goods(),
        }
    }

    fn about_goods(&self) -> (String, String) {
        match self {
            Self::MoreThanSold { line, wanted } => (
                format!(
                    "вернулось {wanted} товара «{line}», а у покупателя по чекам столько нет. \
                     Проверьте возврат и пробейте чек вручную."
                ),
                format!(
                    "{wanted} of \"{line}\" came back, and by its receipts the buyer does not \
                     have as many. Check the return and issue the receipt by hand."
                ),
            ),
            Self::CodesUnknown { line } => (
                format!(
                    "вернулась часть маркированного товара «{line}», но неизвестно, с какими \
                     кодами. Пробейте чек возврата вручную, указав коды."
                ),
                format!(
                    "a part of the marked goods \"{line}\" came back, and it is open with which \
                     codes. Issue the refund by hand and name the codes."
                ),
            ),
            Self::NothingSold => (
                "возвращать нечего: чеков продажи по нему нет. Проверьте заказ.".into(),
                "there is nothing to refund: it has no receipts of sale. Check the order.".into(),
            ),
            _ => (
                "товары вернулись раньше, чем были переданы покупателю. Проверьте отгрузки \
                 и пробейте чек вручную."
                    .into(),
                "goods came back before they were handed over. Check the shipments and issue the \
                 receipt by hand."
                    .into(),
            ),
        }
    }
}
