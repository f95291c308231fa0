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
    /// A refund by hand names everything that is left, and parts of it as well.
    AllAndSome,
    /// Something changed while only some of the shipments were closed.
    PartlyClosed,
    /// The order was receipted by Parom, and the shop's receipts are composed by Bitrix now.
    OtherWay,
    /// A receipt of the same kind, sum and buyer came by the other way not long ago, or one that Bitrix
    /// composed may be issued and nobody knows.
    Alike,
    /// People have asked for a correction of that day, and it may be of this very settlement.
    Corrected {
        /// Its paper.
        document: String,
    },
    /// A correction is asked for while a receipt of the same kind for the order is not issued yet.
    InFlight,
    /// A refund by hand names a payment that has no receipt, or none any more.
    NotPaid {
        /// Bitrix's payment id.
        payment: u64,
    },
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
            Self::AllAndSome => "refund_all_and_some",
            Self::NotPaid { .. } => "payment_not_receipted",
            Self::PartlyClosed => "partly_closed",
            Self::OtherWay => "receipted_by_parom",
            Self::Alike => "receipted_the_other_way",
            Self::Corrected { .. } => "corrected_by_paper",
            Self::InFlight => "receipt_in_flight",
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
                     товаров и повторите, или назовите их по документу (fiscal refund)."
                ),
                format!(
                    "{sum} roubles went back, and it is open for which goods. Mark the goods as \
                     returned and replay, or name them by a paper (fiscal refund)."
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
                    "вернулась или ушла часть маркированного товара «{line}», но неизвестно, с какими \
                     кодами. Назовите их по документу (fiscal refund)."
                ),
                format!(
                    "a part of the marked goods \"{line}\" came back or left, and it is open with which \
                     codes. Name them by a paper (fiscal refund)."
                ),
            ),
            Self::NotPaid { payment } => (
                format!(
                    "по оплате {payment} чека нет, или её деньги уже возвращены. Проверьте номер \
                     оплаты."
                ),
                format!(
                    "payment {payment} has no receipt, or its money went back already. Check the \
                     payment's id."
                ),
            ),
            Self::AllAndSome => (
                "в запросе и «всё, что осталось» (all), и отдельные строки, доставка или коды. \
                 Оставьте что-то одно и повторите."
                    .to_owned(),
                "the request names all that is left, and lines, delivery or codes as well. Keep \
                 one of the two and ask again."
                    .to_owned(),
            ),
            Self::NothingSold => (
                "возвращать нечего: чеков продажи по нему нет. Проверьте заказ.".into(),
                "there is nothing to refund: it has no receipts of sale. Check the order.".into(),
            ),
            _ => self.about_changes(),
        }
    }

    /// Goods or ways that changed in between.
    fn about_changes(&self) -> (String, String) {
        match self {
            Self::PartlyClosed => (
                "часть отгрузок уже закрыта чеками, а заказ изменился или по нему что-то вернулось. \
                 Проверьте отгрузки и суммы; когда уйдут все отгрузки, запросите возврат по \
                 документу (fiscal refund)."
                    .into(),
                "some shipments are closed by receipts already, and the order changed or something \
                 of it came back. Check shipments and sums; once all have left, ask for a refund \
                 by hand (fiscal refund)."
                    .into(),
            ),
            Self::OtherWay => (
                "по нему чеки пробил Паром, а теперь чеки магазина составляет Битрикс. Проверьте, \
                 есть ли чек в Битриксе; если нет, запросите возврат по документу (fiscal refund)."
                    .into(),
                "Parom issued its receipts, and the shop's receipts are composed by Bitrix now. \
                 Look whether Bitrix has this one; if not, ask for a refund by hand (fiscal \
                 refund)."
                    .into(),
            ),
            Self::Alike => (
                "чек этому же покупателю на эту же сумму недавно прошёл другим путём (из Битрикса \
                 или по событиям заказа), или неизвестно, пробит ли такой же чек Битрикса. Проверьте \
                 в кабинете кассы, не та ли это продажа: если нет, скажите Парому, что чека нет, и \
                 он уйдёт."
                    .into(),
                "a receipt for the same buyer and sum came by the other way (from Bitrix or from \
                 the order's facts) not long ago, or nobody can tell whether one alike of Bitrix is \
                 issued. Look in the cabinet whether it is the same sale: if not, tell Parom that the receipt is not there, and it goes out."
                    .into(),
            ),
            Self::Corrected { document } => (
                format!(
                    "по документу № {document} за этот день уже запрошен чек коррекции. Проверьте, \
                     не об этом ли он расчёте: если нет, скажите Парому, что чека нет, и он уйдёт."
                ),
                format!(
                    "a correction of that day was asked for by document {document}. Look whether it \
                     is about this settlement: if not, tell Parom that the receipt is not there, and \
                     it goes out."
                ),
            ),
            Self::InFlight => (
                "по заказу уже есть чек того же вида, который ещё не пробит. Решите сначала о нём: \
                 если его не будет, скажите Парому, что чека нет, и чек коррекции уйдёт."
                    .into(),
                "the order has a receipt of the same kind that is not issued yet. Decide on that one \
                 first: if it will not come, tell Parom that the receipt is not there, and the \
                 correction goes out."
                    .into(),
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
