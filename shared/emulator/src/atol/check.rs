//! What ATOL refuses with error 32. Pure: bytes in, a checked receipt or a reason out.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::till::{
    Checked, Position,
    check::{balance, kopecks, label, money, product, quantity, tax, word},
};

const SNO: [&str; 6] = ["osn", "usn_income", "usn_income_outcome", "envd", "esn", "patent"];
const METHODS: [&str; 7] = [
    "full_prepayment",
    "prepayment",
    "advance",
    "full_payment",
    "partial_payment",
    "credit",
    "credit_payment",
];
const OBJECTS_V4: [&str; 6] = ["commodity", "excise", "job", "service", "payment", "another"];
const OBJECTS_V5: [&str; 10] = ["1", "2", "3", "4", "10", "13", "30", "31", "32", "33"];
const OPERATIONS: [&str; 2] = ["sell", "sell_refund"];
const CORRECTIONS: [&str; 2] = ["sell_correction", "sell_refund_correction"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    external_id: String,
    receipt: Option<Receipt>,
    correction: Option<Receipt>,
    service: Option<Service>,
    timestamp: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    callback_url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Receipt {
    client: Client,
    company: Company,
    correction_info: Option<CorrectionInfo>,
    items: Vec<Item>,
    payments: Vec<Payment>,
    total: Box<RawValue>,
    internet: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CorrectionInfo {
    r#type: String,
    base_date: String,
    base_number: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Client {
    email: Option<String>,
    phone: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Company {
    email: String,
    sno: String,
    inn: String,
    payment_address: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    name: String,
    price: Box<RawValue>,
    quantity: Box<RawValue>,
    measure: Option<u8>,
    sum: Box<RawValue>,
    payment_method: String,
    payment_object: Box<RawValue>,
    vat: Vat,
    mark_processing_mode: Option<String>,
    mark_code: Option<MarkCode>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MarkCode {
    gs1m: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vat {
    r#type: String,
    sum: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payment {
    r#type: u8,
    sum: Box<RawValue>,
}

/// Checks a request for `operation` of this version of the interface.
pub(super) fn check(version: &str, operation: &str, body: &[u8]) -> Result<Checked, String> {
    let five = match version {
        "v4" => false,
        "v5" => true,
        _ => return Err("no such version".to_owned()),
    };
    let document: Document = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if document.external_id.is_empty() || document.external_id.chars().count() > 128 {
        return Err("external_id is empty or longer than 128 characters".to_owned());
    }
    if document.timestamp.len() != "05.01.2026 12:00:00".len() {
        return Err("timestamp is not dd.mm.yyyy HH:MM:SS".to_owned());
    }
    let receipt = match (document.receipt, document.correction) {
        (Some(receipt), None)
            if OPERATIONS.contains(&operation) && receipt.correction_info.is_none() =>
        {
            receipt
        }
        (None, Some(receipt)) if CORRECTIONS.contains(&operation) && five => corrected(receipt)?,
        _ => return Err(format!("{operation} and the document do not fit")),
    };
    parties(&receipt)?;
    let (mut positions, mut sums) = (Vec::new(), Vec::new());
    for item in &receipt.items {
        let (position, sum) = position(item, five)?;
        positions.push(position);
        sums.push(sum);
    }
    if positions.len() > 100 {
        return Err("there are more than 100 items".to_owned());
    }
    let (mut payments, mut paid) = (Vec::new(), Vec::new());
    for payment in &receipt.payments {
        let sum = money("payment", &payment.sum)?;
        if payment.r#type > 4 || sum.is_zero() {
            return Err("a payment is unknown or empty".to_owned());
        }
        payments.push((payment.r#type.to_string(), kopecks(sum)?));
        paid.push(sum);
    }
    let total = money("total", &receipt.total)?;
    balance(&sums, &paid, total)?;
    Ok(Checked {
        name: document.external_id,
        id: None,
        operation: operation.to_owned(),
        total_kopecks: kopecks(total)?,
        positions,
        payments,
        callback_url: document.service.map(|service| service.callback_url),
        body: String::from_utf8_lossy(body).into_owned(),
    })
}

fn corrected(receipt: Receipt) -> Result<Receipt, String> {
    let info = receipt.correction_info.as_ref().ok_or("correction_info is missing")?;
    word("correction type", &info.r#type, &["self", "instruction"])?;
    if info.base_date.len() != "05.01.2026".len() || info.base_number.is_empty() {
        return Err("base_date or base_number is wrong".to_owned());
    }
    Ok(receipt)
}

fn parties(receipt: &Receipt) -> Result<(), String> {
    let Receipt { client, company, .. } = receipt;
    let reachable =
        [&client.email, &client.phone].into_iter().flatten().any(|text| !text.is_empty());
    if !reachable {
        return Err("client has neither email nor phone".to_owned());
    }
    if !company.email.contains('@') || company.payment_address.is_empty() {
        return Err("company has no email or payment_address".to_owned());
    }
    if !crate::cloudkassir::valid_inn(&company.inn) {
        return Err("inn has wrong check digits".to_owned());
    }
    if receipt.internet == Some(false) {
        return Err("a shop on the internet says internet".to_owned());
    }
    word("sno", &company.sno, &SNO)
}

fn position(item: &Item, five: bool) -> Result<(Position, rust_decimal::Decimal), String> {
    label(&item.name)?;
    let price = money("price", &item.price)?;
    let quantity = quantity(&item.quantity, 3)?;
    let sum = money("sum", &item.sum)?;
    if product(price, quantity)? != sum {
        return Err("sum is not price times quantity".to_owned());
    }
    word("payment_method", &item.payment_method, &METHODS)?;
    let object = item.payment_object.get().trim_matches('"');
    word("payment_object", object, if five { &OBJECTS_V5 } else { &OBJECTS_V4 })?;
    let own = tax(&item.vat.r#type, sum).ok_or("vat type is unknown")?;
    let given = item.vat.sum.as_ref().map(|sum| money("vat sum", sum)).transpose()?;
    if given.is_some_and(|given| given != own) {
        return Err("vat sum is wrong".to_owned());
    }
    let coded = matches!(object, "31" | "33");
    if coded != item.mark_code.is_some()
        || coded != (item.mark_processing_mode.as_deref() == Some("0"))
    {
        return Err("mark_code and payment_object do not fit".to_owned());
    }
    if five != item.measure.is_some() || (coded && item.measure != Some(0)) {
        return Err("measure does not fit".to_owned());
    }
    let position = Position {
        name: item.name.clone(),
        price: item.price.get().to_owned(),
        quantity: item.quantity.get().to_owned(),
        vat: item.vat.r#type.clone(),
        method: item.payment_method.clone(),
        object: object.to_owned(),
        mark: item.mark_code.as_ref().map(|code| code.gs1m.clone()),
    };
    Ok((position, sum))
}
