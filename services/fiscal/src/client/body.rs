//! The body of `POST /kkt/receipt`: field names and numbers are the vendor's (CloudKassir's API
//! documentation, version 3.4.5, "Формирование кассового чека").

use std::fmt::Display;

use events::{MarkCode, Money, Quantity, Vat};
use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::value::RawValue;

use crate::receipt::{Contact, MoneyKind, Object, Position, Receipt, Settlement, Taxation};

/// The exact JSON text that registers `receipt` as a sale under our name for it.
///
/// # Errors
/// A mark code that is no text; [`crate::receipt::sale`] makes no such receipt.
pub fn sale(
    receipt: &Receipt,
    invoice_id: &str,
    account_id: Option<u64>,
) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Create {
        inn: receipt.inn.to_string(),
        kind: "Income",
        invoice_id,
        account_id: account_id.map(|id| id.to_string()),
        customer_receipt: CustomerReceipt {
            items: receipt.positions.iter().map(Item::from).collect(),
            calculation_place: &receipt.place,
            taxation_system: taxation(receipt.taxation),
            email: match &receipt.contact {
                Contact::Email(email) => Some(email),
                Contact::Phone(_) => None,
            },
            phone: match &receipt.contact {
                Contact::Email(_) => None,
                Contact::Phone(phone) => Some(phone.to_string()),
            },
            is_internet_payment: receipt.paid == MoneyKind::Electronic,
            amounts: match receipt.paid {
                MoneyKind::Electronic => {
                    Amounts { electronic: Some(Exact(receipt.total)), cash: None }
                }
                MoneyKind::Cash => Amounts { electronic: None, cash: Some(Exact(receipt.total)) },
            },
        },
    })
}

/// A number whose exact decimal text is written: no float stands between us and the register.
struct Exact<T>(T);

impl<T: Display> Serialize for Exact<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// A mark code as JSON text, its separators 0x1D as `\u001d`.
struct Code<'a>(&'a MarkCode);

impl Serialize for Code<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = std::str::from_utf8(self.0.as_bytes());
        serializer.serialize_str(text.map_err(|_| S::Error::custom("a mark code is no text"))?)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Create<'a> {
    inn: String,
    #[serde(rename = "Type")]
    kind: &'static str,
    invoice_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    customer_receipt: CustomerReceipt<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CustomerReceipt<'a> {
    #[serde(rename = "Items")]
    items: Vec<Item<'a>>,
    calculation_place: &'a str,
    taxation_system: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    is_internet_payment: bool,
    amounts: Amounts,
}

#[derive(Serialize)]
struct Amounts {
    #[serde(skip_serializing_if = "Option::is_none")]
    electronic: Option<Exact<Money>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cash: Option<Exact<Money>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    label: &'a str,
    price: Exact<Money>,
    quantity: Exact<Quantity>,
    amount: Exact<Money>,
    /// `null` is "without VAT", and 0 is another rate.
    vat: Option<u8>,
    method: u8,
    object: u8,
    unit_code: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_mark_code: Option<Code<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_mark_item_status: Option<u8>,
}

impl<'a> From<&'a Position> for Item<'a> {
    fn from(position: &'a Position) -> Self {
        let mark = position.mark.as_ref();
        Self {
            label: position.name.as_str(),
            price: Exact(position.price),
            quantity: Exact(position.quantity),
            amount: Exact(position.sum),
            vat: vat(position.vat),
            method: match position.settlement {
                Settlement::FullPrepayment => 1,
                Settlement::FullPayment => 4,
            },
            object: object(position.object),
            unit_code: position.measure.code(),
            raw_mark_code: mark.map(Code),
            // Tag 2003: 1, a piece of marked goods is sold.
            expected_mark_item_status: mark.map(|_| 1),
        }
    }
}

fn vat(vat: Vat) -> Option<u8> {
    match vat {
        Vat::None => None,
        Vat::V0 => Some(0),
        Vat::V5 => Some(5),
        Vat::V7 => Some(7),
        Vat::V10 => Some(10),
        Vat::V20 => Some(20),
        Vat::V22 => Some(22),
        Vat::C5 => Some(105),
        Vat::C7 => Some(107),
        Vat::C10 => Some(110),
        Vat::C20 => Some(120),
        Vat::C22 => Some(122),
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
