//! What OrangeData refuses with 400. Pure: bytes in, a checked document or a reason out.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::till::{
    Checked, Position,
    check::{kopecks, label, money, product, quantity},
};

/// Values of `tax`; 11 and 12 are not in the documentation of 2025 (22 % came later).
const TAXES: std::ops::RangeInclusive<u8> = 1..=12;
const METHODS: std::ops::RangeInclusive<u8> = 1..=7;
const OBJECTS: [u8; 10] = [1, 2, 3, 4, 10, 13, 30, 31, 32, 33];
const PAYMENTS: [u8; 5] = [1, 2, 14, 15, 16];

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Document {
    id: String,
    inn: String,
    group: String,
    key: String,
    content: Content,
    callback_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Content {
    r#type: u8,
    positions: Vec<Item>,
    check_close: CheckClose,
    customer_contact: String,
    settlement_place: String,
    sender_email: Option<String>,
    ffd_version: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Item {
    quantity: Box<RawValue>,
    price: Box<RawValue>,
    tax: u8,
    text: String,
    payment_method_type: u8,
    payment_subject_type: u8,
    item_code: Option<String>,
    planned_status: Option<u8>,
    quantity_measurement_unit: Option<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CheckClose {
    payments: Vec<Payment>,
    taxation_system: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payment {
    r#type: u8,
    amount: Box<RawValue>,
}

/// Checks a document of FFD 1.2.
pub(super) fn check(body: &[u8]) -> Result<Checked, String> {
    let document: Document = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let Content { r#type, positions: items, check_close, .. } = &document.content;
    header(&document)?;
    let (mut positions, mut total) = (Vec::new(), Decimal::ZERO);
    for item in items {
        let (position, sum) = position(item)?;
        positions.push(position);
        total = total.checked_add(sum).ok_or("the total is too large")?;
    }
    let (mut payments, mut paid) = (Vec::new(), Decimal::ZERO);
    for payment in &check_close.payments {
        let sum = money("amount", &payment.amount)?;
        if !PAYMENTS.contains(&payment.r#type) {
            return Err("a payment's type is unknown".to_owned());
        }
        payments.push((payment.r#type.to_string(), kopecks(sum)?));
        paid = paid.checked_add(sum).ok_or("the payments are too large")?;
    }
    if positions.is_empty() || paid != total {
        return Err("Сумма оплат не равна сумме позиций".to_owned());
    }
    Ok(Checked {
        name: document.id.clone(),
        id: Some(document.id.clone()),
        operation: r#type.to_string(),
        total_kopecks: kopecks(total)?,
        positions,
        payments,
        callback_url: document.callback_url.clone(),
        body: String::from_utf8_lossy(body).into_owned(),
    })
}

fn header(document: &Document) -> Result<(), String> {
    let content = &document.content;
    if document.id.is_empty()
        || document.id.len() > 64
        || document.group.is_empty()
        || document.key.is_empty()
    {
        return Err("Не указан идентификатор документа 'Id', группа или ключ".to_owned());
    }
    if !crate::cloudkassir::valid_inn(&document.inn) {
        return Err("Не указан ИНН организации 'INN'".to_owned());
    }
    let known = matches!(content.r#type, 1 | 2) && content.ffd_version == 4;
    if !known || content.check_close.taxation_system > 5 {
        return Err("type, ffdVersion or taxationSystem is unknown".to_owned());
    }
    let phone = content.customer_contact.strip_prefix('+').is_some_and(|digits| digits.len() == 11);
    if !(phone || content.customer_contact.contains('@')) || content.settlement_place.is_empty() {
        return Err("customerContact or settlementPlace is wrong".to_owned());
    }
    if content.sender_email.as_ref().is_some_and(|email| !email.contains('@')) {
        return Err("senderEmail is wrong".to_owned());
    }
    Ok(())
}

fn position(item: &Item) -> Result<(Position, Decimal), String> {
    label(&item.text)?;
    let price = money("price", &item.price)?;
    let quantity = quantity(&item.quantity, 6)?;
    let known = TAXES.contains(&item.tax)
        && METHODS.contains(&item.payment_method_type)
        && OBJECTS.contains(&item.payment_subject_type);
    if !known {
        return Err("tax, paymentMethodType or paymentSubjectType is unknown".to_owned());
    }
    let coded = matches!(item.payment_subject_type, 31 | 33);
    let planned = matches!(item.planned_status, Some(1..=5));
    if coded != item.item_code.is_some() || coded != planned {
        return Err("itemCode, plannedStatus and paymentSubjectType do not fit".to_owned());
    }
    if coded == item.quantity_measurement_unit.is_some_and(|unit| unit != 0) && coded {
        return Err("a marked piece is a piece".to_owned());
    }
    let position = Position {
        name: item.text.clone(),
        price: item.price.get().to_owned(),
        quantity: item.quantity.get().to_owned(),
        vat: item.tax.to_string(),
        method: item.payment_method_type.to_string(),
        object: item.payment_subject_type.to_string(),
        mark: item.item_code.clone(),
    };
    Ok((position, product(price, quantity)?))
}
