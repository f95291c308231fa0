//! Payments and buyers that give no receipt.

/// What is wrong with the payment or the buyer's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentFault {
    /// The order has no payment with this id.
    Missing(u64),
    /// Nobody told what kind of money this pay system brings.
    SystemUnknown(u64),
    /// The payment names no pay system.
    NoSystem,
    /// Neither an e-mail address nor a phone that can get the receipt.
    NoContact,
}

impl PaymentFault {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Missing(_) => "payment_missing",
            Self::SystemUnknown(_) => "pay_system_unknown",
            Self::NoSystem => "pay_system_missing",
            Self::NoContact => "contact_missing",
        }
    }

    pub(super) fn words(self) -> (String, String) {
        match self {
            Self::Missing(id) => (
                format!("в заказе нет оплаты {id}. Проверьте оплаты заказа и повторите."),
                format!("it has no payment {id}. Check the order's payments, then replay."),
            ),
            Self::SystemUnknown(id) => (
                format!(
                    "неизвестно, наличные это или безналичные: платёжной системы {id} нет в \
                     настройках магазина. Добавьте её туда и повторите."
                ),
                format!(
                    "pay system {id} is not among the shop's settings, so the kind of money is \
                     unknown. Add it there, then replay."
                ),
            ),
            Self::NoSystem => (
                "у оплаты не указана платёжная система. Укажите её в заказе и повторите.".into(),
                "its payment names no pay system. Name it in the order, then replay.".into(),
            ),
            Self::NoContact => (
                "нет ни e-mail, ни телефона покупателя (+7), на который можно отправить чек. \
                 Укажите их в заказе и повторите."
                    .into(),
                "it has neither an e-mail address nor a phone (+7) of the buyer for the receipt. \
                 Write one into the order, then replay."
                    .into(),
            ),
        }
    }
}
