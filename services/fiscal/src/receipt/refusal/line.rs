//! Lines that give no position.

use events::{Money, Quantity, Vat};

use super::rate;

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineFault {
    /// No printable name.
    Name,
    /// A price of zero or less.
    Price(Money),
    /// No quantity.
    Quantity,
    /// A rate that only prepayments have.
    Vat(Vat),
    /// A rate that does not exist on the day of the settlement.
    VatNotInForce(Vat),
    /// A unit without a value in a receipt, by its OKEI code.
    Unit(String),
    /// No unit.
    NoUnit,
    /// Marked goods without any mark code.
    NoMarks,
    /// Fewer or more mark codes than pieces.
    MarksCount(usize, Quantity),
    /// The same mark code twice.
    MarkTwice,
    /// A mark code that is no text.
    MarkUnreadable,
}

impl LineFault {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Name => "line_name_empty",
            Self::Price(_) => "line_price_not_positive",
            Self::Quantity => "line_quantity_zero",
            Self::Vat(_) => "line_vat_calculated",
            Self::VatNotInForce(_) => "vat_not_in_force",
            Self::Unit(_) => "unit_unknown",
            Self::NoUnit => "unit_missing",
            Self::NoMarks => "marks_missing",
            Self::MarksCount(..) => "marks_count",
            Self::MarkTwice => "mark_twice",
            Self::MarkUnreadable => "mark_unreadable",
        }
    }

    pub(super) fn words(&self, line: &str) -> (String, String) {
        let (ru, en) = self.fault();
        (
            format!("товар «{line}»: {ru} и повторите."),
            format!("line \"{line}\": {en}, then replay."),
        )
    }

    fn fault(&self) -> (String, String) {
        match self {
            Self::Name => (
                "у него нет названия, которое можно напечатать. Укажите название".into(),
                "it has no name that can be printed. Name the product".into(),
            ),
            Self::Price(price) => (
                format!("цена {price} руб., а должна быть больше нуля. Исправьте её"),
                format!("its price is {price} roubles and must be above zero. Mend it"),
            ),
            Self::Quantity => (
                "количество равно нулю. Исправьте его".into(),
                "its quantity is zero. Mend it".into(),
            ),
            Self::Vat(vat) => (
                format!("ставка НДС {} расчётная, а нужна обычная. Исправьте её", rate(*vat)),
                format!("its VAT rate {} is a calculated one and must be plain. Mend it", rate(*vat)),
            ),
            Self::VatNotInForce(vat) => (
                format!(
                    "ставка НДС {} на день расчёта не действует. Исправьте её в каталоге",
                    rate(*vat)
                ),
                format!(
                    "its VAT rate {} is not in force on that day. Mend it in the catalogue",
                    rate(*vat)
                ),
            ),
            Self::Unit(okei) => (
                format!(
                    "единица измерения с кодом ОКЕИ {okei} неизвестна. Исправьте её или добавьте \
                     в настройки магазина (units)"
                ),
                format!(
                    "its unit, OKEI code {okei}, is unknown. Mend it or add it to the shop's \
                     settings (units)"
                ),
            ),
            Self::NoUnit => (
                "не указана единица измерения. Укажите её в товаре или в настройках магазина (unit)"
                    .into(),
                "it has no unit. Set one in the product or in the shop's settings (unit)".into(),
            ),
            _ => self.about_marks(),
        }
    }

    fn about_marks(&self) -> (String, String) {
        match self {
            Self::MarksCount(codes, quantity) => (
                format!(
                    "кодов маркировки {codes}, а количество {quantity}. Привяжите по одному коду \
                     к каждой штуке"
                ),
                format!(
                    "it has {codes} mark codes for a quantity of {quantity}. Bind one code to \
                     each piece"
                ),
            ),
            Self::MarkTwice => (
                "один и тот же код маркировки привязан дважды. Исправьте коды".into(),
                "the same mark code is bound twice. Mend the codes".into(),
            ),
            Self::MarkUnreadable => (
                "код маркировки повреждён. Отсканируйте его заново".into(),
                "a mark code is damaged. Scan it again".into(),
            ),
            _ => (
                "он подлежит маркировке, а кодов в заказе нет. Привяжите коды к заказу".into(),
                "it must be marked, and the order has no codes for it. Bind codes to the order"
                    .into(),
            ),
        }
    }
}
