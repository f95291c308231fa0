//! Documents of OrangeData, FFD 1.2: field names and numbers are the vendor's.

use events::{Money, Quantity, Vat};
use serde::Serialize;

use super::{Account, document_id};
use crate::{
    receipt::{Contact, Kind, MoneyKind, Object, Position, Receipt, Settlement, Taxation},
    registers::{
        Naming, Unwritable,
        exact::{Code, Exact},
    },
};

/// FFD 1.2 in the vendor's numbers.
const FFD_1_2: u8 = 4;

/// The exact JSON text of the document under the id that follows from our name for it.
///
/// # Errors
/// [`Unwritable`]: a correction; 22 % while nobody told its number.
pub fn write(
    receipt: &Receipt,
    naming: &Naming<'_>,
    account: &Account,
    callback_url: Option<&str>,
) -> Result<String, Unwritable> {
    if receipt.correction.is_some() {
        return Err(Unwritable {
            ru: "чеки коррекции для OrangeData пока не поддерживаются, пробейте его в кабинете",
            en: "corrections are not supported for OrangeData yet; issue it in the cabinet",
        });
    }
    let items = receipt.positions.iter().map(|position| item(position, receipt.kind, account));
    let payments = receipt.amounts.iter();
    let payments = payments.map(|(kind, sum)| Payment { kind: payment(kind), amount: Exact(sum) });
    let document = Document {
        id: document_id(naming.name),
        inn: receipt.inn.to_string(),
        group: &account.group,
        key: &account.key,
        content: Content {
            kind: match receipt.kind {
                Kind::Sale => 1,
                Kind::Refund => 2,
            },
            positions: items.collect::<Result<_, _>>()?,
            check_close: CheckClose {
                payments: payments.collect(),
                taxation_system: taxation(receipt.taxation),
            },
            customer_contact: match &receipt.contact {
                Contact::Email(email) => email.clone(),
                Contact::Phone(phone) => phone.to_string(),
            },
            settlement_place: &receipt.place,
            sender_email: receipt.seller_email.as_deref(),
            ffd_version: FFD_1_2,
        },
        callback_url,
    };
    serde_json::to_string(&document).map_err(|_| Unwritable {
        ru: "в нём есть код маркировки, который не записывается текстом",
        en: "it has a mark code that is no text",
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    id: String,
    inn: String,
    group: &'a str,
    key: &'a str,
    content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_url: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Content<'a> {
    #[serde(rename = "type")]
    kind: u8,
    positions: Vec<Item<'a>>,
    check_close: CheckClose,
    customer_contact: String,
    settlement_place: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender_email: Option<&'a str>,
    ffd_version: u8,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    quantity: Exact<Quantity>,
    price: Exact<Money>,
    tax: u8,
    text: &'a str,
    payment_method_type: u8,
    payment_subject_type: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    item_code: Option<Code<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    planned_status: Option<u8>,
    quantity_measurement_unit: u8,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CheckClose {
    payments: Vec<Payment>,
    taxation_system: u8,
}

#[derive(Serialize)]
struct Payment {
    #[serde(rename = "type")]
    kind: u8,
    amount: Exact<Money>,
}

fn item<'a>(position: &'a Position, kind: Kind, account: &Account) -> Result<Item<'a>, Unwritable> {
    let mark = position.mark.as_ref();
    Ok(Item {
        quantity: Exact(position.quantity),
        price: Exact(position.price),
        tax: tax(position.vat, account)?,
        text: position.name.as_str(),
        payment_method_type: method(position.settlement),
        payment_subject_type: object(position.object),
        item_code: mark.map(Code),
        // Tag 2003: a piece is sold, or given back.
        planned_status: mark.map(|_| match kind {
            Kind::Sale => 1,
            Kind::Refund => 3,
        }),
        quantity_measurement_unit: position.measure.code(),
    })
}

fn tax(vat: Vat, account: &Account) -> Result<u8, Unwritable> {
    let unknown = Unwritable {
        ru: "номер ставки НДС 22% у OrangeData не задан (vat22, vat122)",
        en: "OrangeData's number of the VAT rate 22 % is not set (vat22, vat122)",
    };
    match vat {
        Vat::V20 => Ok(1),
        Vat::V10 => Ok(2),
        Vat::C20 => Ok(3),
        Vat::C10 => Ok(4),
        Vat::V0 => Ok(5),
        Vat::None => Ok(6),
        Vat::V5 => Ok(7),
        Vat::V7 => Ok(8),
        Vat::C5 => Ok(9),
        Vat::C7 => Ok(10),
        Vat::V22 => account.vat22.ok_or(unknown),
        Vat::C22 => account.vat122.ok_or(unknown),
    }
}

/// Tag 1031 is 1, 1081 is 2, 1215 is 14, 1216 is 15, 1217 is 16: numbers of OrangeData's own.
fn payment(kind: MoneyKind) -> u8 {
    match kind {
        MoneyKind::Cash => 1,
        MoneyKind::Electronic => 2,
        MoneyKind::Prepaid => 14,
        MoneyKind::Credit => 15,
        MoneyKind::Provision => 16,
    }
}

fn method(settlement: Settlement) -> u8 {
    match settlement {
        Settlement::FullPrepayment => 1,
        Settlement::Prepayment => 2,
        Settlement::Advance => 3,
        Settlement::FullPayment => 4,
        Settlement::PartialPayment => 5,
        Settlement::Credit => 6,
        Settlement::CreditPayment => 7,
    }
}

fn object(object: Object) -> u8 {
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

fn taxation(taxation: Taxation) -> u8 {
    match taxation {
        Taxation::Osn => 0,
        Taxation::UsnIncome => 1,
        Taxation::UsnIncomeOutcome => 2,
        Taxation::Esn => 4,
        Taxation::Patent => 5,
    }
}
