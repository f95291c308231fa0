//! What the brief's contract takes. Pure: bytes in, a checked receipt or a reason out.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::till::{
    Checked, Position,
    check::{balance, kopecks, label, money, product, quantity, tax, word},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    external_id: String,
    receipt: Receipt,
    correction: Option<Correction>,
    timestamp: String,
    r#type: String,
    url: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Correction {
    r#type: String,
    base_date: String,
    base_number: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Receipt {
    client: Client,
    company: Company,
    items: Vec<Item>,
    payments: Vec<Payment>,
    total: Box<RawValue>,
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
    email: Option<String>,
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
    sum: Box<RawValue>,
    payment_method: String,
    payment_object: String,
    vat: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payment {
    r#type: u8,
    sum: Box<RawValue>,
}

/// Checks the body of `POST /receipts`, or of `POST /receipts/correction`.
pub(super) fn check(body: &[u8], correction: bool) -> Result<Checked, String> {
    let document: Document = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    word("type", &document.r#type, &["sell", "sell_return"])?;
    if document.external_id.is_empty() || document.timestamp.len() != 19 {
        return Err("external_id or timestamp is wrong".to_owned());
    }
    match (&document.correction, correction) {
        (None, false) => {}
        (Some(given), true) if !given.base_date.is_empty() && !given.base_number.is_empty() => {
            word("correction type", &given.r#type, &["self", "instruction"])?;
        }
        _ => return Err("correction and the address do not fit".to_owned()),
    }
    let receipt = &document.receipt;
    parties(receipt)?;
    let (mut positions, mut sums) = (Vec::new(), Vec::new());
    for item in &receipt.items {
        label(&item.name)?;
        let price = money("price", &item.price)?;
        let sum = money("sum", &item.sum)?;
        if product(price, quantity(&item.quantity, 6)?)? != sum {
            return Err("sum is not price times quantity".to_owned());
        }
        tax(&item.vat, sum).ok_or("vat is unknown")?;
        positions.push(Position {
            name: item.name.clone(),
            price: item.price.get().to_owned(),
            quantity: item.quantity.get().to_owned(),
            vat: item.vat.clone(),
            method: item.payment_method.clone(),
            object: item.payment_object.clone(),
            mark: None,
        });
        sums.push(sum);
    }
    let (mut payments, mut paid) = (Vec::new(), Vec::new());
    for payment in &receipt.payments {
        if !matches!(payment.r#type, 1 | 2) {
            return Err("a payment's type is 1 (cash) or 2 (electronic)".to_owned());
        }
        let sum = money("payment", &payment.sum)?;
        payments.push((payment.r#type.to_string(), kopecks(sum)?));
        paid.push(sum);
    }
    let total = money("total", &receipt.total)?;
    balance(&sums, &paid, total)?;
    Ok(Checked {
        name: document.external_id,
        id: None,
        operation: document.r#type,
        total_kopecks: kopecks(total)?,
        positions,
        payments,
        callback_url: document.url,
        body: String::from_utf8_lossy(body).into_owned(),
    })
}

fn parties(receipt: &Receipt) -> Result<(), String> {
    let Receipt { client, company, .. } = receipt;
    if client.email.is_none() && client.phone.is_none() {
        return Err("client has neither email nor phone".to_owned());
    }
    if company.email.as_ref().is_some_and(|email| !email.contains('@')) {
        return Err("the company's email is wrong".to_owned());
    }
    if company.payment_address.is_empty() || !crate::cloudkassir::valid_inn(&company.inn) {
        return Err("inn or payment_address is wrong".to_owned());
    }
    word("sno", &company.sno, &["osn", "usn_income", "usn_income_outcome", "esn", "patent"])
}
