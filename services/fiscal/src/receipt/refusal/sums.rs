//! Sums that give no receipt.

use events::{Money, Vat};

use super::rate;
use crate::receipt::MAX_POSITIONS;

/// What is wrong with the order's sums or its delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SumFault {
    /// The order costs nothing, or less.
    Price(Money),
    /// Lines and delivery make less than the order's price: no discount explains that.
    Mismatch {
        /// Sum of the lines and the delivery.
        lines: Money,
        /// What the order costs.
        price: Money,
    },
    /// Numbers beyond what sums can hold.
    TooLarge,
    /// More positions than one receipt can hold.
    TooManyPositions(usize),
    /// A delivery that costs less than nothing.
    DeliveryPrice(Money),
    /// Nobody told the VAT rate of the delivery.
    DeliveryVatUnknown,
    /// A delivery with a rate that only prepayments have.
    DeliveryVat(Vat),
    /// A delivery with a rate that does not exist on the day of the settlement.
    DeliveryVatNotInForce(Vat),
    /// What was paid is not what the positions make.
    Amounts {
        /// All kinds of money together.
        paid: Money,
        /// All positions together.
        total: Money,
    },
}

impl SumFault {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Price(_) => "price_not_positive",
            Self::Mismatch { .. } => "sum_mismatch",
            Self::TooLarge => "sum_too_large",
            Self::TooManyPositions(_) => "too_many_positions",
            Self::DeliveryPrice(_) => "delivery_price_negative",
            Self::DeliveryVatUnknown => "delivery_vat_unknown",
            Self::DeliveryVat(_) => "delivery_vat_calculated",
            Self::DeliveryVatNotInForce(_) => "delivery_vat_not_in_force",
            Self::Amounts { .. } => "amounts_mismatch",
        }
    }

    pub(super) fn words(self) -> (String, String) {
        match self {
            Self::Price(price) => (
                format!(
                    "заказ стоит {price} руб., а чек бывает только на сумму больше нуля. \
                     Проверьте цену заказа и повторите."
                ),
                format!(
                    "it costs {price} roubles, and a receipt must be above zero. Check the \
                     order's price, then replay."
                ),
            ),
            Self::Mismatch { lines, price } => (
                format!(
                    "товары и доставка стоят {lines} руб., а весь заказ дороже: {price} руб. \
                     Исправьте суммы в заказе и повторите."
                ),
                format!(
                    "goods and delivery make {lines} roubles, yet the whole order costs more, \
                     {price}. Mend the sums in the order, then replay."
                ),
            ),
            Self::TooLarge => (
                "суммы в заказе слишком велики. Исправьте цены и количества и повторите.".into(),
                "its sums are too large. Mend prices and quantities, then replay.".into(),
            ),
            Self::TooManyPositions(count) => (
                format!(
                    "в чеке было бы {count} позиций, а бывает не больше {MAX_POSITIONS}. \
                     Разделите заказ или пробейте чеки вручную."
                ),
                format!(
                    "the receipt would have {count} positions, and at most {MAX_POSITIONS} fit. \
                     Split the order, or issue receipts by hand."
                ),
            ),
            Self::Amounts { paid, total } => (
                format!(
                    "оплачено {paid} руб., а позиции чека составляют {total} руб. Проверьте \
                     оплаты и товары заказа и повторите."
                ),
                format!(
                    "{paid} roubles were paid and the positions make {total}. Check the order's \
                     payments and lines, then replay."
                ),
            ),
            _ => self.about_delivery(),
        }
    }

    fn about_delivery(self) -> (String, String) {
        match self {
            Self::DeliveryPrice(price) => (
                format!(
                    "цена доставки меньше нуля ({price} руб.). Исправьте её в заказе и повторите."
                ),
                format!(
                    "its delivery costs less than nothing ({price} roubles). Mend the price in \
                     the order, then replay."
                ),
            ),
            Self::DeliveryVat(vat) => (
                format!(
                    "у доставки расчётная ставка НДС {}, а нужна обычная. Исправьте ставку в \
                     службе доставки и повторите.",
                    rate(vat)
                ),
                format!(
                    "its delivery has the calculated VAT rate {} and needs a plain one. Mend \
                     the rate in the delivery service, then replay.",
                    rate(vat)
                ),
            ),
            Self::DeliveryVatNotInForce(vat) => (
                format!(
                    "ставка НДС доставки {} на день расчёта не действует. Исправьте её в \
                     службе доставки и повторите.",
                    rate(vat)
                ),
                format!(
                    "the VAT rate {} of its delivery is not in force on that day. Mend it in \
                     the delivery service, then replay.",
                    rate(vat)
                ),
            ),
            _ => (
                "неизвестна ставка НДС доставки. Укажите её в службе доставки или в настройках \
                 магазина (delivery_vat) и повторите."
                    .into(),
                "the VAT rate of its delivery is unknown. Set it in the delivery service or in \
                 the shop's settings (delivery_vat), then replay."
                    .into(),
            ),
        }
    }
}
