//! What is wrong with a receipt that Bitrix composed.

use events::Money;

/// What cannot be read without a guess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckFault {
    /// No number or no UUID.
    Number,
    /// A type that nobody knows, or positions that say otherwise.
    Type(String),
    /// A sum that is no roubles and kopecks.
    Sum,
    /// A kind of money that nobody knows.
    Payment(String),
    /// An object of settlement that nobody knows.
    Object(String),
    /// A VAT id that the settings do not name.
    Vat(String),
    /// Bitrix's tax is not the one of the rate that the settings name.
    VatSum {
        /// Bitrix's id of the rate.
        id: String,
        /// Bitrix's tax.
        said: Money,
        /// The tax by the rate.
        own: Money,
    },
    /// A mark code without its separators, by the line's name.
    Mark(String),
}

impl CheckFault {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Number => "check_number_missing",
            Self::Type(_) => "check_type_unknown",
            Self::Sum => "check_sum_unreadable",
            Self::Payment(_) => "check_payment_unknown",
            Self::Object(_) => "check_object_unknown",
            Self::Vat(_) => "check_vat_unknown",
            Self::VatSum { .. } => "check_vat_sum",
            Self::Mark(_) => "check_mark_separators",
        }
    }

    pub(super) fn words(&self) -> (String, String) {
        match self {
            Self::Vat(id) => (
                format!(
                    "ставка НДС с номером {id} в Битриксе неизвестна Парому. Добавьте её в \
                     настройки магазина (cashbox.vats)."
                ),
                format!("Bitrix's VAT rate {id} is unknown. Add it to the shop's cashbox.vats."),
            ),
            Self::VatSum { id, said, own } => (
                format!(
                    "по ставке НДС с номером {id} Битрикс насчитал {said} руб., а по настройкам \
                     Парома выходит {own} руб. Проверьте cashbox.vats и ставку товара."
                ),
                format!(
                    "Bitrix's tax at rate {id} is {said} roubles and {own} by the settings. Check \
                     cashbox.vats and the product's rate."
                ),
            ),
            Self::Mark(line) => (
                format!(
                    "код маркировки товара «{line}» пришёл без разделителей GS и поэтому неверен. \
                     Отсканируйте его заново с разделителями."
                ),
                format!(
                    "the mark code of \"{line}\" has lost its GS separators. Scan it again with \
                     them."
                ),
            ),
            _ => self.unreadable(),
        }
    }

    fn unreadable(&self) -> (String, String) {
        let (ru, en) = match self {
            Self::Type(word) => (format!("вид чека «{word}»"), format!("its type \"{word}\"")),
            Self::Payment(word) => (format!("вид оплаты «{word}»"), format!("payment \"{word}\"")),
            Self::Object(word) => {
                (format!("предмет расчёта «{word}»"), format!("the object \"{word}\""))
            }
            Self::Sum => ("размер одной из сумм".to_owned(), "a sum in it".to_owned()),
            _ => ("номер чека".to_owned(), "its number".to_owned()),
        };
        (
            format!("{ru} Парому непонятен. Проверьте чек в Битриксе и спросите поддержку."),
            format!("{en} makes no sense to Parom. Check it in Bitrix and ask support."),
        )
    }
}
