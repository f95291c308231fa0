//! The body of `POST /kkt/receipt`: field names and numbers are the vendor's (CloudKassir's API
//! documentation, version 3.4.5, "Формирование кассового чека").

use events::Vat;
use serde::Serialize;

use crate::{
    receipt::{
        Amounts, Basis, Contact, Correction, Kind, MoneyKind, Object, Position, Receipt,
        Settlement, Taxation,
    },
    registers::{
        Naming,
        exact::{Code, Exact},
    },
};

/// The exact JSON text that asks for `receipt` under our name for it.
///
/// # Errors
/// A mark code that is no text; no receipt with one is made.
pub fn write(receipt: &Receipt, naming: &Naming<'_>) -> Result<String, serde_json::Error> {
    match &receipt.correction {
        None => serde_json::to_string(&create(receipt, naming)),
        Some(correction) => serde_json::to_string(&Correct {
            correction_receipt_data: correct(receipt, correction),
        }),
    }
}

fn create<'a>(receipt: &'a Receipt, naming: &Naming<'a>) -> Create<'a> {
    Create {
        inn: receipt.inn.to_string(),
        kind: match receipt.kind {
            Kind::Sale => "Income",
            Kind::Refund => "IncomeReturn",
        },
        invoice_id: naming.name,
        account_id: naming.buyer.map(|id| id.to_string()),
        customer_receipt: CustomerReceipt {
            items: receipt.positions.iter().map(|p| Item::new(p, receipt.kind)).collect(),
            calculation_place: &receipt.place,
            taxation_system: taxation(receipt.taxation),
            email: email(&receipt.contact),
            phone: phone(&receipt.contact),
            is_internet_payment: receipt.amounts.get(MoneyKind::Cash).is_zero(),
            amounts: Sums::from(&receipt.amounts),
        },
    }
}

fn correct<'a>(receipt: &'a Receipt, correction: &'a Correction) -> CorrectionReceiptData<'a> {
    CorrectionReceiptData {
        organization_inn: receipt.inn.to_string(),
        taxation_system: taxation(receipt.taxation),
        correction_receipt_type: match receipt.kind {
            Kind::Sale => 1,
            Kind::Refund => 2,
        },
        cause_correction: CauseCorrection {
            correction_date: correction.date.to_string(),
            correction_number: &correction.document,
        },
        correction_type: match correction.basis {
            Basis::Own => 0,
            Basis::Prescribed => 1,
        },
        amounts: Sums::from(&receipt.amounts),
        items: receipt.positions.iter().map(|p| Item::new(p, receipt.kind)).collect(),
        calculation_place: &receipt.place,
        email: email(&receipt.contact),
        phone: phone(&receipt.contact),
    }
}

fn email(contact: &Contact) -> Option<&str> {
    match contact {
        Contact::Email(email) => Some(email),
        Contact::Phone(_) => None,
    }
}

fn phone(contact: &Contact) -> Option<String> {
    match contact {
        Contact::Email(_) => None,
        Contact::Phone(phone) => Some(phone.to_string()),
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
    amounts: Sums,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Correct<'a> {
    correction_receipt_data: CorrectionReceiptData<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CorrectionReceiptData<'a> {
    organization_inn: String,
    taxation_system: u8,
    correction_receipt_type: u8,
    cause_correction: CauseCorrection<'a>,
    correction_type: u8,
    amounts: Sums,
    items: Vec<Item<'a>>,
    calculation_place: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CauseCorrection<'a> {
    correction_date: String,
    correction_number: &'a str,
}

/// Sums by kinds of money; those of zero are left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sums {
    #[serde(skip_serializing_if = "Option::is_none")]
    electronic: Option<Exact<events::Money>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cash: Option<Exact<events::Money>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advance_payment: Option<Exact<events::Money>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credit: Option<Exact<events::Money>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provision: Option<Exact<events::Money>>,
}

impl From<&Amounts> for Sums {
    fn from(amounts: &Amounts) -> Self {
        let sum = |kind| Some(amounts.get(kind)).filter(|sum| !sum.is_zero()).map(Exact);
        Self {
            electronic: sum(MoneyKind::Electronic),
            cash: sum(MoneyKind::Cash),
            advance_payment: sum(MoneyKind::Prepaid),
            credit: sum(MoneyKind::Credit),
            provision: sum(MoneyKind::Provision),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    label: &'a str,
    price: Exact<events::Money>,
    quantity: Exact<events::Quantity>,
    amount: Exact<events::Money>,
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

impl<'a> Item<'a> {
    fn new(position: &'a Position, kind: Kind) -> Self {
        let mark = position.mark.as_ref();
        Self {
            label: position.name.as_str(),
            price: Exact(position.price),
            quantity: Exact(position.quantity),
            amount: Exact(position.sum),
            vat: vat(position.vat),
            method: method(position.settlement),
            object: object(position.object),
            unit_code: position.measure.code(),
            raw_mark_code: mark.map(Code),
            // Tag 2003: a piece of marked goods is sold, or given back.
            expected_mark_item_status: mark.map(|_| match kind {
                Kind::Sale => 1,
                Kind::Refund => 3,
            }),
        }
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
