//! Documents of ATOL Online: field names and words are the vendor's.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use events::{Money, Quantity};
use serde::Serialize;
use time::macros::format_description;

use super::Version;
use crate::{
    receipt::{Basis, Contact, Correction, MoneyKind, Object, Position, Receipt},
    registers::{
        Naming, Unwritable,
        exact::Exact,
        words::{method, taxation, timestamp, word},
    },
};

/// The most decimals of a quantity.
const QUANTITY_DECIMALS: u32 = 3;

/// The exact JSON text of the document under our name for it.
///
/// # Errors
/// [`Unwritable`]: no seller's e-mail; more than three decimals; in version 4 marked goods and
/// corrections.
pub fn write(
    receipt: &Receipt,
    naming: &Naming<'_>,
    version: Version,
    callback_url: Option<&str>,
) -> Result<String, Unwritable> {
    let content = content(receipt, version)?;
    let is_correction = receipt.correction.is_some();
    if is_correction && version == Version::V4 {
        return Err(Unwritable {
            ru: "чеки коррекции для API версии 4 не поддерживаются, нужна версия 5",
            en: "corrections are not supported with version 4 of the API; use version 5",
        });
    }
    let (correction, receipt) =
        if is_correction { (Some(content), None) } else { (None, Some(content)) };
    let document = Document {
        external_id: naming.name,
        receipt,
        correction,
        service: callback_url.map(|callback_url| Service { callback_url }),
        timestamp: timestamp(naming.at),
    };
    serde_json::to_string(&document)
        .map_err(|_| Unwritable {
            ru: "он не записывается как JSON", en: "it has no JSON form"
        })
}

#[derive(Serialize)]
struct Document<'a> {
    external_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correction: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<Service<'a>>,
    timestamp: String,
}

#[derive(Serialize)]
struct Service<'a> {
    callback_url: &'a str,
}

#[derive(Serialize)]
struct Content<'a> {
    client: Client<'a>,
    company: Company<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correction_info: Option<CorrectionInfo<'a>>,
    items: Vec<Item<'a>>,
    payments: Vec<Payment>,
    total: Exact<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    internet: Option<bool>,
}

/// The buyer's address, of one kind.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Client<'a> {
    Email(&'a str),
    Phone(String),
}

#[derive(Serialize)]
struct Company<'a> {
    email: &'a str,
    sno: &'static str,
    inn: String,
    payment_address: &'a str,
}

#[derive(Serialize)]
pub(crate) struct CorrectionInfo<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    base_date: String,
    base_number: &'a str,
}

#[derive(Serialize)]
struct Item<'a> {
    name: &'a str,
    price: Exact<Money>,
    quantity: Exact<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    measure: Option<u8>,
    sum: Exact<Money>,
    payment_method: &'static str,
    payment_object: ObjectWord,
    vat: Vat,
    #[serde(skip_serializing_if = "Option::is_none")]
    mark_processing_mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mark_code: Option<MarkCode>,
}

/// Words in version 4, numbers in version 5.
#[derive(Serialize)]
#[serde(untagged)]
enum ObjectWord {
    Word(&'static str),
    Number(u8),
}

#[derive(Serialize)]
struct Vat {
    #[serde(rename = "type")]
    kind: &'static str,
    sum: Exact<Money>,
}

/// A code in GS1's form, in base64: texts lose its separators on their way.
#[derive(Serialize)]
struct MarkCode {
    gs1m: String,
}

#[derive(Serialize)]
struct Payment {
    #[serde(rename = "type")]
    kind: u8,
    sum: Exact<Money>,
}

impl<'a> From<&'a Contact> for Client<'a> {
    fn from(contact: &'a Contact) -> Self {
        match contact {
            Contact::Email(email) => Self::Email(email),
            Contact::Phone(phone) => Self::Phone(phone.to_string()),
        }
    }
}

fn content(receipt: &Receipt, version: Version) -> Result<Content<'_>, Unwritable> {
    let email = receipt.seller_email.as_deref().ok_or(Unwritable {
        ru: "не указан адрес продавца (seller_email), без него АТОЛ чек не примет",
        en: "there is no seller_email, and ATOL does not take a receipt without it",
    })?;
    let items = receipt.positions.iter().map(|position| item(position, version));
    let payments = receipt.amounts.iter();
    let internet = version == Version::V5 && receipt.correction.is_none();
    Ok(Content {
        client: Client::from(&receipt.contact),
        company: Company {
            email,
            sno: taxation(receipt.taxation),
            inn: receipt.inn.to_string(),
            payment_address: &receipt.place,
        },
        correction_info: receipt.correction.as_ref().map(info),
        items: items.collect::<Result<_, _>>()?,
        payments: payments
            .map(|(kind, sum)| Payment { kind: payment(kind), sum: Exact(sum) })
            .collect(),
        total: Exact(receipt.total),
        internet: internet.then_some(true),
    })
}

fn item(position: &Position, version: Version) -> Result<Item<'_>, Unwritable> {
    if position.quantity.value().scale() > QUANTITY_DECIMALS {
        return Err(Unwritable {
            ru: "у количества больше трёх знаков после запятой",
            en: "a quantity has more than three decimals",
        });
    }
    let tax = position.vat.included_in(position.sum).unwrap_or_default();
    let mark = position.mark.as_ref();
    Ok(Item {
        name: position.name.as_str(),
        price: Exact(position.price),
        quantity: Exact(position.quantity),
        measure: (version == Version::V5).then_some(position.measure.code()),
        sum: Exact(position.sum),
        payment_method: method(position.settlement),
        payment_object: object(position.object, version)?,
        vat: Vat { kind: position.vat.as_str(), sum: Exact(tax) },
        mark_processing_mode: mark.map(|_| "0"),
        mark_code: mark.map(|mark| MarkCode { gs1m: BASE64_STANDARD.encode(mark.as_bytes()) }),
    })
}

/// What is corrected and why.
pub(crate) fn info(correction: &Correction) -> CorrectionInfo<'_> {
    let format = format_description!("[day].[month].[year]");
    CorrectionInfo {
        kind: match correction.basis {
            Basis::Own => "self",
            Basis::Prescribed => "instruction",
        },
        base_date: correction.date.format(format).unwrap_or_default(),
        base_number: &correction.document,
    }
}

/// Tag 1031 is 0, 1081 is 1, 1215 is 2, 1216 is 3, 1217 is 4: numbers of ATOL's own.
fn payment(kind: MoneyKind) -> u8 {
    match kind {
        MoneyKind::Cash => 0,
        MoneyKind::Electronic => 1,
        MoneyKind::Prepaid => 2,
        MoneyKind::Credit => 3,
        MoneyKind::Provision => 4,
    }
}

/// Tag 1212: words in version 4, numbers in version 5.
fn object(object: Object, version: Version) -> Result<ObjectWord, Unwritable> {
    if version == Version::V5 {
        return Ok(ObjectWord::Number(number(object)));
    }
    let word = word(object).map(ObjectWord::Word);
    word.ok_or(Unwritable {
        ru: "API версии 4 не передаёт маркировку, нужна версия 5",
        en: "version 4 of the API has no words for marked goods; use version 5",
    })
}

/// The numbers of tag 1212.
fn number(object: Object) -> u8 {
    match object {
        Object::Commodity => 1,
        Object::Excise => 2,
        Object::Job => 3,
        Object::Service => 4,
        Object::Payment => 10,
        Object::Another => 13,
        Object::ExciseMarkable => 30,
        Object::ExciseMarked => 31,
        Object::Markable => 32,
        Object::Marked => 33,
    }
}
