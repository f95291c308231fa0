//! What can be wrong with an order: each names the field to mend.

use events::{InnError, Text};

use crate::upd::{Format, Line, number::rate};

/// Something wrong with an order: half a sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// A stable machine word.
    pub code: &'static str,
    /// What is wrong and what to mend.
    pub text: Text,
}

impl Fault {
    fn new(code: &'static str, ru: impl Into<String>, en: impl Into<String>) -> Self {
        Self { code, text: Text::new(ru, en) }
    }
}

pub(super) fn inn(property: &str, written: &str, error: InnError) -> Fault {
    let (ru, en) = match error {
        InnError::NotDigits => ("в нём не только цифры", "it has other signs than digits"),
        InnError::Length(_) => {
            ("в нём должно быть 10 цифр (организация) или 12 (ИП)", "it must have 10 or 12 digits")
        }
        InnError::Region => ("нет региона с кодом 00", "there is no region 00"),
        _ => ("контрольная цифра не сходится, номер набран с ошибкой", "its check digit is wrong"),
    };
    Fault::new(
        "inn_wrong",
        format!("ИНН покупателя «{written}» неверен: {ru} (свойство заказа {property})"),
        format!("the buyer's INN {written} is wrong: {en} (order property {property})"),
    )
}

pub(super) fn inn_missing(property: &str) -> Fault {
    Fault::new(
        "inn_missing",
        format!(
            "заказ оформлен на организацию (заполнено свойство заказа {property} или КПП), а ИНН покупателя не указан (свойство заказа с ИНН)"
        ),
        format!(
            "a company buys (the order property {property} or the KPP is there), and its INN is missing (the order property with the INN)"
        ),
    )
}

pub(super) fn kpp_missing() -> Fault {
    Fault::new(
        "kpp_missing",
        "у организации-покупателя нет КПП (свойство заказа с КПП)",
        "the company that buys has no KPP (the order property with the KPP)",
    )
}

pub(super) fn kpp_wrong(written: &str) -> Fault {
    Fault::new(
        "kpp_wrong",
        format!("КПП покупателя «{written}» неверен: нужно девять знаков (свойство заказа с КПП)"),
        format!(
            "the buyer's KPP {written} is wrong: it has nine signs (the order property with the KPP)"
        ),
    )
}

pub(super) fn ogrn_wrong(property: &str, written: &str) -> Fault {
    Fault::new(
        "ogrn_wrong",
        format!(
            "ОГРН покупателя «{written}» неверен: контрольная цифра не сходится (свойство заказа {property})"
        ),
        format!("the buyer's OGRN {written} is wrong: its check digit (order property {property})"),
    )
}

pub(super) fn name_missing(property: &str) -> Fault {
    Fault::new(
        "name_missing",
        format!("не указано название покупателя (свойство заказа {property})"),
        format!("the buyer's name is missing (order property {property})"),
    )
}

pub(super) fn person_unreadable(property: &str, written: &str) -> Fault {
    Fault::new(
        "person_unreadable",
        format!(
            "из «{written}» не видно фамилии и имени предпринимателя (свойство заказа {property})"
        ),
        format!(
            "{written} does not tell the entrepreneur's surname and name (order property {property})"
        ),
    )
}

pub(super) fn address_missing(property: &str) -> Fault {
    Fault::new(
        "address_missing",
        format!("не указан юридический адрес покупателя (свойство заказа {property})"),
        format!("the buyer's legal address is missing (order property {property})"),
    )
}

pub(super) fn address_wrong(property: &str) -> Fault {
    Fault::new(
        "address_wrong",
        format!(
            "юридический адрес покупателя не похож на адрес: нужны город и улица, до 1000 знаков (свойство заказа {property})"
        ),
        format!(
            "the buyer's legal address is none: a town and a street, up to 1000 signs (order property {property})"
        ),
    )
}

pub(super) fn contract_date(property: &str) -> Fault {
    Fault::new(
        "contract_date_wrong",
        format!("дата договора не читается, нужна дд.мм.гггг (свойство заказа {property})"),
        format!("the contract's date cannot be read (order property {property})"),
    )
}

pub(super) fn unit_unknown(name: &str, unit: Option<&str>) -> Fault {
    let (ru, en) = match unit {
        Some(unit) => (
            format!("у товара «{name}» неизвестная единица измерения «{unit}»: нужен код ОКЕИ"),
            format!("the unit {unit} of {name} is not known: a code by OKEI is wanted"),
        ),
        None => (
            format!("у товара «{name}» не указана единица измерения (код ОКЕИ)"),
            format!("{name} has no unit (a code by OKEI)"),
        ),
    };
    Fault::new("unit_unknown", ru, en)
}

pub(super) fn zero_without_ground(name: &str, property: &str) -> Fault {
    Fault::new(
        "zero_rate_without_ground",
        format!(
            "у товара «{name}» ставка НДС 0 %, а основание для неё не указано (свойство товара {property})"
        ),
        format!("{name} has VAT 0 % and no ground for it (product property {property})"),
    )
}

pub(super) fn name_of_line() -> Fault {
    Fault::new("line_name_missing", "у строки заказа нет названия товара", "a line has no name")
}

pub(super) fn no_quantity(name: &str) -> Fault {
    Fault::new(
        "quantity_missing",
        format!("количество товара «{name}» — ноль"),
        format!("the quantity of {name} is zero"),
    )
}

pub(super) fn price_wrong(name: &str) -> Fault {
    Fault::new(
        "price_wrong",
        format!("цена товара «{name}» отрицательна или слишком велика"),
        format!("the price of {name} is below zero or too large"),
    )
}

pub(super) fn free_of_charge(name: &str) -> Fault {
    Fault::new(
        "price_zero",
        format!("цена товара «{name}» — ноль, а в счёте-фактуре цена должна быть больше нуля"),
        format!("the price of {name} is zero, and an invoice wants one above zero"),
    )
}

pub(super) fn marks(name: &str, written: usize) -> Fault {
    Fault::new(
        "marks_missing",
        format!(
            "у маркированного товара «{name}» кодов маркировки {written}, а нужно по одному на штуку"
        ),
        format!(
            "the marked product {name} has {written} codes, and there must be one for each piece"
        ),
    )
}

pub(super) fn mark_unreadable(name: &str) -> Fault {
    Fault::new(
        "mark_unreadable",
        format!("код маркировки товара «{name}» не читается"),
        format!("a marking code of {name} cannot be read"),
    )
}

pub(super) fn origin(name: &str, code: &str, country: &str) -> Fault {
    Fault::new(
        "origin_wrong",
        format!(
            "у товара «{name}» страна происхождения указана не полностью: код ОКСМ из трёх цифр и название (свойства товара {code} и {country})"
        ),
        format!(
            "the country of origin of {name} is not complete: a code by OKSM of three digits and a name (product properties {code} and {country})"
        ),
    )
}

pub(super) fn gtin(name: &str, property: &str) -> Fault {
    Fault::new(
        "gtin_wrong",
        format!("GTIN товара «{name}» неверен (свойство товара {property})"),
        format!("the GTIN of {name} is wrong (product property {property})"),
    )
}

pub(super) fn delivery_vat() -> Fault {
    Fault::new(
        "delivery_vat_unknown",
        "не известна ставка НДС доставки (в заказе или в настройке delivery.vat)",
        "the VAT of delivery is not known (in the order or in the setting delivery.vat)",
    )
}

pub(super) fn shipment() -> Fault {
    Fault::new(
        "shipment_missing",
        "в заказе нет отгрузки, о которой сказало событие",
        "the order does not have the shipment that the event is about",
    )
}

pub(super) fn empty() -> Fault {
    Fault::new("nothing_shipped", "в отгрузке нет ни одного товара", "nothing was shipped")
}

pub(super) fn sum_differs(lines: events::Money, order: events::Money) -> Fault {
    Fault::new(
        "sum_differs",
        format!(
            "строки заказа дают {lines} ₽, а заказ стоит {order} ₽: скидка или баллы не разнесены по строкам"
        ),
        format!(
            "the lines come to {lines} and the order to {order}: a discount is not spread over the lines"
        ),
    )
}

pub(super) fn alcohol(format: Format) -> Fault {
    match format {
        Format::V503 => Fault::new(
            "alcohol_flags_missing",
            "в заказе алкоголь, а признаки имени файла для него не заданы (настройка file_id.alcohol)",
            "there is alcohol, and the flags of the file's name for it are not set (file_id.alcohol)",
        ),
        Format::V501 => Fault::new(
            "alcohol_in_old_format",
            "в заказе алкоголь, а в формате 5.01 он не передаётся: нужен формат 5.03 (настройка format)",
            "there is alcohol, and format 5.01 has no place for it: set format = \"5.03\"",
        ),
    }
}

pub(super) fn rate_of_5_01(line: &Line) -> Option<Fault> {
    let known = ["0%", "10%", "20%", "10/110", "20/120", "без НДС"];
    let own = rate(line.vat);
    let name = &line.name;
    (!known.contains(&own)).then(|| {
        Fault::new(
            "rate_not_in_format",
            format!("у товара «{name}» ставка НДС {own}, которой нет в формате 5.01: нужен формат 5.03 (настройка format)"),
            format!("the VAT {own} of {name} is not in format 5.01: set format = \"5.03\""),
        )
    })
}

/// Everything that can be wrong, for the test of the sentences.
#[cfg(test)]
pub(crate) fn all() -> Vec<Fault> {
    let (name, own) = ("Сапоги", "COMPANY");
    let money = events::Money::from_kopecks(100);
    let mut all: Vec<Fault> =
        [InnError::NotDigits, InnError::Length(9), InnError::Region, InnError::CheckDigit]
            .into_iter()
            .map(|error| inn(own, "77", error))
            .collect();
    all.extend([
        kpp_missing(),
        kpp_wrong("77"),
        ogrn_wrong(own, "77"),
        name_missing(own),
        person_unreadable(own, "ИП"),
        address_missing(own),
        address_wrong(own),
        contract_date(own),
        unit_unknown(name, Some("лот")),
        unit_unknown(name, None),
        zero_without_ground(name, own),
        name_of_line(),
        no_quantity(name),
        price_wrong(name),
        free_of_charge(name),
        marks(name, 1),
        mark_unreadable(name),
        origin(name, own, own),
        gtin(name, own),
        delivery_vat(),
        shipment(),
        empty(),
        sum_differs(money, money),
        alcohol(Format::V503),
        alcohol(Format::V501),
        inn_missing(own),
    ]);
    all
}
