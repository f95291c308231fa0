//! Why an order cannot be read, in words that name the order, the field and what to do.

use std::fmt;

use events::{Money, Text};

/// An order that cannot be read without guessing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderError {
    /// The number that people use, where it could be read.
    pub order: Option<String>,
    /// Which part of the order.
    pub place: Place,
    /// The field by Bitrix's own name, such as `VAT_RATE`; empty where it is the whole text.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: Problem,
}

/// A part of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The order itself.
    Order,
    /// A basket item, by its id and its name (what of them could be read).
    Line(Option<u64>, String),
    /// A payment, by its id.
    Payment(Option<u64>),
    /// A shipment, by its id.
    Shipment(Option<u64>),
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The field is not there or empty.
    Missing,
    /// It is not the number that it must be.
    NotANumber,
    /// It is below zero.
    Negative,
    /// It has more decimals than can be paid or sold.
    TooPrecise,
    /// It is larger than anything real.
    TooLarge,
    /// It is neither yes nor no.
    NotAFlag,
    /// It is no point in time.
    NotATime,
    /// The VAT rate (its text) is none that the law knows.
    VatUnknown(String),
    /// The price is without VAT.
    VatExcluded,
    /// Two deliveries of one order have different VAT rates.
    VatDiffers,
    /// Another currency than the rouble.
    Currency(String),
    /// The order costs more than its parts.
    Sum {
        /// What the order says.
        price: Money,
        /// What lines and deliveries come to.
        parts: Money,
    },
    /// It is no mark code.
    Mark,
    /// A part of a set must be marked, and only whole sets are carried.
    MarkedSetPart,
    /// Two parts have the same id.
    Repeated,
    /// It names a basket item that is not in the order.
    NoSuchLine,
    /// The text is not `bitrix.order.v1`.
    Schema,
    /// The text is not the JSON that it must be.
    NotJson {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// The text nests too deep.
    TooDeep,
    /// The text is too long.
    TooLong,
}

impl std::error::Error for OrderError {}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

impl OrderError {
    /// An error of which the order is not known.
    pub(super) const fn unnamed(field: &'static str, problem: Problem) -> Self {
        Self { order: None, place: Place::Order, field, problem }
    }

    /// A stable machine word.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.problem {
            Problem::VatUnknown(_) | Problem::VatDiffers => "vat_unknown",
            Problem::VatExcluded => "vat_excluded",
            Problem::Currency(_) => "currency",
            Problem::Sum { .. } => "sum",
            Problem::Negative => "negative",
            Problem::Missing => "missing",
            Problem::Mark | Problem::MarkedSetPart => "mark",
            Problem::Schema | Problem::NotJson { .. } | Problem::TooDeep | Problem::TooLong => {
                "not_a_snapshot"
            }
            _ => "malformed",
        }
    }

    /// Whole sentences for the shop's manager.
    #[must_use]
    pub fn text(&self) -> Text {
        let (ru, en) = self.problem.words();
        let (what_ru, what_en) = self.problem.remedy();
        let (place_ru, place_en) = self.place.words(self.field);
        let (order_ru, order_en) = self.order.as_ref().map_or_else(
            || {
                (
                    "Заказ (номер не прочитан)".to_owned(),
                    "The order (its number is not readable)".to_owned(),
                )
            },
            |number| (format!("Заказ № {number}"), format!("Order {number}")),
        );
        Text::new(
            format!("{order_ru}: {ru}{place_ru}. {what_ru}"),
            format!("{order_en}: {en}{place_en}. {what_en}"),
        )
    }
}

impl Place {
    /// In brackets behind the problem.
    fn words(&self, field: &str) -> (String, String) {
        let named = |what: &str, id: Option<u64>| match id {
            Some(id) => format!("{what} {id}"),
            None => what.to_owned(),
        };
        let (ru, en) = match self {
            Self::Order => (String::new(), String::new()),
            Self::Line(_, name) => (format!("товар «{name}»"), format!("product “{name}”")),
            Self::Payment(id) => (named("оплата", *id), named("payment", *id)),
            Self::Shipment(id) => (named("отгрузка", *id), named("shipment", *id)),
        };
        let bracketed = |place: String, word: &str| match (place.is_empty(), field.is_empty()) {
            (true, true) => String::new(),
            (true, false) => format!(" ({word} {field})"),
            (false, true) => format!(" ({place})"),
            (false, false) => format!(" ({place}, {word} {field})"),
        };
        (bracketed(ru, "поле"), bracketed(en, "field"))
    }
}

impl Problem {
    fn words(&self) -> (String, String) {
        let (ru, en) = match self {
            Self::VatUnknown(rate) => {
                return (
                    format!("ставка НДС «{rate}» неизвестна"),
                    format!("the VAT rate “{rate}” is unknown"),
                );
            }
            Self::Currency(code) => {
                return (
                    format!("валюта «{code}», а чеки и документы составляются в рублях"),
                    format!("the currency is “{code}”, and receipts and documents are in roubles"),
                );
            }
            Self::Sum { price, parts } => {
                return (
                    format!("сумма не сходится: заказ стоит {price}, а товары с доставкой {parts}"),
                    format!(
                        "the sum does not add up: the order costs {price}, its goods and delivery {parts}"
                    ),
                );
            }
            Self::NotJson { line, column } => {
                return (
                    format!("текст заказа не читается (строка {line}, столбец {column})"),
                    format!("the order's text cannot be read (line {line}, column {column})"),
                );
            }
            Self::Missing => ("поле пусто", "a field is empty"),
            Self::NotANumber => ("в поле не число", "a field is not a number"),
            Self::Negative => ("число меньше нуля", "a number is below zero"),
            Self::TooPrecise => ("у числа слишком много знаков", "a number has too many decimals"),
            Self::TooLarge => ("число слишком велико", "a number is too large"),
            Self::NotAFlag => ("в поле не «да» и не «нет»", "a field is neither yes nor no"),
            Self::NotATime => ("в поле не дата", "a field is not a date"),
            Self::VatExcluded => ("цена указана без НДС", "the price is without VAT"),
            Self::VatDiffers => {
                ("у доставок разные ставки НДС", "its deliveries have different VAT rates")
            }
            Self::Mark => ("код маркировки не читается", "a mark code cannot be read"),
            Self::MarkedSetPart => (
                "маркированный товар внутри набора не поддерживается",
                "a marked product inside a set is not supported",
            ),
            Self::Repeated => ("один номер стоит дважды", "one id stands twice"),
            Self::NoSuchLine => (
                "отгружен товар, которого нет в заказе",
                "it ships a product that it does not have",
            ),
            Self::Schema => (
                "текст не в формате bitrix.order.v1",
                "the text is not of the form bitrix.order.v1",
            ),
            Self::TooDeep => ("вложенность текста слишком глубока", "the text nests too deep"),
            Self::TooLong => ("текст слишком длинный", "the text is too long"),
        };
        (ru.to_owned(), en.to_owned())
    }

    fn remedy(&self) -> (&'static str, &'static str) {
        match self {
            Self::VatUnknown(_) | Self::VatDiffers => (
                "Поставьте ставку 0, 5, 7, 10, 20 или 22 % либо «без НДС» и сохраните заказ: он будет прочитан снова.",
                "Set a rate of 0, 5, 7, 10, 20 or 22 % or “without VAT” and save the order: it will be read again.",
            ),
            Self::VatExcluded => (
                "Отметьте в товаре «НДС включён в цену» и сохраните заказ: он будет прочитан снова.",
                "Mark the product as “VAT included in the price” and save the order: it will be read again.",
            ),
            Self::Schema | Self::NotJson { .. } | Self::TooDeep | Self::TooLong => (
                "Обновите модуль сайта; если это не поможет, передайте это сообщение администратору.",
                "Update the site's module; if that does not help, pass this message to the administrator.",
            ),
            _ => (
                "Исправьте это в Битриксе и сохраните заказ: он будет прочитан снова.",
                "Mend it in Bitrix and save the order: it will be read again.",
            ),
        }
    }
}
