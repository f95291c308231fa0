//! What CloudKassir refuses, with its error codes. Pure: bytes in, a checked receipt or a refusal out.

use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};
use serde::Serialize;
use serde_json::value::RawValue;

use super::request::{Amounts, Cause, Correct, Create, CustomerReceipt, Item};

/// Values of `Type`.
const TYPES: [&str; 4] = ["Income", "IncomeReturn", "Expense", "ExpenseReturn"];
/// VAT rates; `null` is "without VAT".
const VATS: [&str; 12] =
    ["null", "0", "5", "7", "10", "20", "22", "105", "107", "110", "120", "122"];
/// Tag 1214, settlement method.
const METHODS: [&str; 7] = ["1", "2", "3", "4", "5", "6", "7"];
/// Tag 1212, settlement object.
const OBJECTS: [&str; 10] = ["1", "2", "3", "4", "10", "13", "30", "31", "32", "33"];
/// Tag 1055, taxation system.
const TAXATIONS: [&str; 6] = ["0", "1", "2", "3", "4", "5"];
/// The longest label, tag 1030.
const LABEL_MAX: usize = 128;

/// An answer with `Success: false`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// CloudKassir's error code.
    pub code: i64,
    /// What is wrong.
    pub message: String,
    /// The request does not have the documented shape at all (broken JSON, unknown field, wrong type).
    pub malformed: bool,
}

/// A position of a receipt; numbers are the text that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Position {
    /// Tag 1030.
    pub label: String,
    /// Tag 1079, roubles.
    pub price: String,
    /// Tag 1023.
    pub quantity: String,
    /// Tag 1043, roubles.
    pub amount: String,
    /// Tag 1199; `null` is "without VAT".
    pub vat: String,
    /// Tag 1214.
    pub method: String,
    /// Tag 1212.
    pub object: String,
}

/// A receipt that may be fiscalised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checked {
    pub(super) inn: String,
    pub(super) kind: String,
    pub(super) invoice_id: String,
    pub(super) account_id: String,
    pub(super) total_kopecks: i64,
    pub(super) items: Vec<Position>,
    pub(super) calculation_place: String,
    /// The exact text of `CustomerReceipt`; of a correction its whole body.
    pub(super) receipt: String,
    pub(super) correction: bool,
}

/// Checks the body of `POST /kkt/receipt`; `inn` is the organisation's, or empty for any.
pub(super) fn check(body: &[u8], inn: &str) -> Result<Checked, Refusal> {
    let create: Create = serde_json::from_slice(body).map_err(malformed)?;
    let raw = create.customer_receipt.ok_or_else(|| missing("CustomerReceipt"))?;
    let receipt: CustomerReceipt = serde_json::from_str(raw.get()).map_err(malformed)?;
    let (items, total) = items(receipt.items.as_deref().unwrap_or_default())?;
    let paid = amounts(&receipt.amounts.ok_or_else(|| missing("amounts"))?)?;
    balance(total, paid)?;
    contact(receipt.email.as_deref(), receipt.phone.as_deref())?;
    one_of("taxationSystem", receipt.taxation_system.as_deref(), &TAXATIONS)?;
    if receipt.time_zone_code.is_some_and(|code| !(1..=11).contains(&code)) {
        return Err(invalid("timeZoneCode is not 1 to 11"));
    }
    if receipt.customer_inn.is_some_and(|inn| !valid_inn(&inn)) {
        return Err(invalid("customerInn has wrong check digits"));
    }
    Ok(Checked {
        inn: seller(create.inn.as_deref(), inn)?,
        kind: kind(create.r#type)?,
        invoice_id: filled("InvoiceId", create.invoice_id)?,
        account_id: create.account_id.unwrap_or_default(),
        total_kopecks: kopecks(total)?,
        items,
        calculation_place: receipt.calculation_place.unwrap_or_default(),
        receipt: raw.get().to_owned(),
        correction: false,
    })
}

/// Checks the body of `POST /kkt/correction-receipt`: it has no `InvoiceId`.
pub(super) fn correction(body: &[u8], inn: &str) -> Result<Checked, Refusal> {
    let correct: Correct = serde_json::from_slice(body).map_err(malformed)?;
    let data = correct.correction_receipt_data.ok_or_else(|| missing("CorrectionReceiptData"))?;
    let (items, total) = items(data.items.as_deref().unwrap_or_default())?;
    let paid = amounts(&data.amounts.ok_or_else(|| missing("amounts"))?)?;
    balance(total, paid)?;
    contact(data.email.as_deref(), data.phone.as_deref())?;
    one_of("TaxationSystem", data.taxation_system.as_deref(), &TAXATIONS)?;
    let cause = data.cause_correction.ok_or_else(|| missing("CauseCorrection"))?;
    let Cause { correction_date, correction_number } = cause;
    let date = filled("CorrectionDate", correction_date)?;
    if date.len() != "2026-01-05".len() {
        return Err(invalid("CorrectionDate is no date"));
    }
    filled("CorrectionNumber", correction_number)?;
    if !matches!(data.correction_type, Some(0 | 1)) {
        return Err(invalid("CorrectionType is not 0 or 1"));
    }
    let kind = match data.correction_receipt_type {
        Some(1) => "Income",
        Some(2) => "IncomeReturn",
        Some(3) => "Expense",
        Some(4) => "ExpenseReturn",
        _ => return Err(invalid("CorrectionReceiptType is not 1 to 4")),
    };
    Ok(Checked {
        inn: seller(data.organization_inn.as_deref(), inn)?,
        kind: kind.to_owned(),
        invoice_id: String::new(),
        account_id: String::new(),
        total_kopecks: kopecks(total)?,
        items,
        calculation_place: data.calculation_place.unwrap_or_default(),
        receipt: String::from_utf8_lossy(body).into_owned(),
        correction: true,
    })
}

/// Whether a tax number has 10 or 12 digits and its check digits are right.
pub(crate) fn valid_inn(inn: &str) -> bool {
    let digits: Option<Vec<u32>> = inn.chars().map(|c| c.to_digit(10)).collect();
    let Some(digits) = digits else { return false };
    let holds = |weights: &[u32]| {
        let sum: u32 = weights.iter().zip(&digits).map(|(weight, digit)| weight * digit).sum();
        digits.get(weights.len()).is_some_and(|check| sum % 11 % 10 == *check)
    };
    match digits.len() {
        10 => holds(&[2, 4, 10, 3, 5, 9, 4, 6, 8]),
        12 => holds(&[7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) && holds(&[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]),
        _ => false,
    }
}

fn seller(inn: Option<&str>, own: &str) -> Result<String, Refusal> {
    let inn = inn.filter(|inn| !inn.is_empty()).ok_or_else(|| refusal(11, "Inn is missing"))?;
    if !valid_inn(inn) {
        return Err(invalid("Inn has wrong check digits"));
    }
    if !own.is_empty() && own != inn {
        return Err(refusal(2, "no register belongs to this Inn"));
    }
    Ok(inn.to_owned())
}

fn kind(kind: Option<String>) -> Result<String, Refusal> {
    let kind = filled("Type", kind)?;
    if TYPES.contains(&kind.as_str()) { Ok(kind) } else { Err(invalid("Type is unknown")) }
}

fn items(items: &[Item]) -> Result<(Vec<Position>, Decimal), Refusal> {
    if items.is_empty() {
        return Err(refusal(12, "there are no Items"));
    }
    let mut total = Decimal::ZERO;
    let mut positions = Vec::with_capacity(items.len());
    for given in items {
        let (position, amount) = item(given)?;
        total = total.checked_add(amount).ok_or_else(|| invalid("the total is too large"))?;
        positions.push(position);
    }
    Ok((positions, total))
}

fn item(item: &Item) -> Result<(Position, Decimal), Refusal> {
    let label = filled("label", item.label.clone())?;
    if label.chars().count() > LABEL_MAX {
        return Err(invalid("label is longer than 128 characters"));
    }
    let price = money("price", item.price.as_deref())?;
    let amount = money("amount", item.amount.as_deref())?;
    let quantity = number("quantity", item.quantity.as_deref())?;
    if quantity <= Decimal::ZERO || quantity.scale() > 6 {
        return Err(invalid("quantity is not above zero with at most 6 decimals"));
    }
    let product = price.checked_mul(quantity).ok_or_else(|| invalid("the sum is too large"))?;
    if amount != product.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero) {
        return Err(invalid("amount is not price times quantity, rounded half up"));
    }
    if item.unit_code.is_some_and(|code| code > 255) {
        return Err(invalid("unitCode is above 255"));
    }
    let planned = item.expected_mark_item_status;
    let known = matches!(planned, None | Some(1..=5));
    if !known || planned.is_some() != item.raw_mark_code.is_some() {
        return Err(invalid("expectedMarkItemStatus and rawMarkCode do not fit"));
    }
    let position = Position {
        label,
        price: text(item.price.as_deref()),
        quantity: text(item.quantity.as_deref()),
        amount: text(item.amount.as_deref()),
        vat: one_of("vat", item.vat.as_deref(), &VATS)?,
        method: one_of("method", item.method.as_deref(), &METHODS)?,
        object: one_of("object", item.object.as_deref(), &OBJECTS)?,
    };
    Ok((position, amount))
}

/// The sum of all payments, and that of all but cash.
fn amounts(amounts: &Amounts) -> Result<(Decimal, Decimal), Refusal> {
    let given = |name, value: &Option<Box<RawValue>>| match value {
        Some(value) => money(name, Some(value)),
        None => Ok(Decimal::ZERO),
    };
    let cashless = given("electronic", &amounts.electronic)?
        + given("advancePayment", &amounts.advance_payment)?
        + given("credit", &amounts.credit)?
        + given("provision", &amounts.provision)?;
    Ok((cashless + given("cash", &amounts.cash)?, cashless))
}

/// FFD: the payments make exactly the total.
fn balance(total: Decimal, (paid, cashless): (Decimal, Decimal)) -> Result<(), Refusal> {
    if paid < total {
        return Err(refusal(13, "the amounts are less than the total of the Items"));
    }
    if cashless > total {
        return Err(refusal(14, "the cashless amounts are more than the total of the Items"));
    }
    if paid > total {
        return Err(invalid("the amounts are more than the total of the Items"));
    }
    Ok(())
}

fn contact(email: Option<&str>, phone: Option<&str>) -> Result<(), Refusal> {
    let email = email.unwrap_or_default();
    let phone = phone.unwrap_or_default();
    if email.is_empty() && phone.is_empty() {
        return Err(missing("email or phone"));
    }
    if !email.is_empty() && !plausible_email(email) {
        return Err(refusal(24, "email is not an address"));
    }
    let digits = phone.strip_prefix('+').unwrap_or(phone);
    let plausible = (10..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if !phone.is_empty() && !plausible {
        return Err(invalid("phone is not a number"));
    }
    Ok(())
}

fn plausible_email(email: &str) -> bool {
    let strange = |c: char| c.is_whitespace() || c.is_control() || c == '@';
    email.split_once('@').is_some_and(|(name, domain)| {
        let domain_is_fine =
            domain.split('.').count() > 1 && domain.split('.').all(|l| !l.is_empty());
        !name.is_empty() && domain_is_fine && !name.contains(strange) && !domain.contains(strange)
    })
}

fn one_of(name: &str, value: Option<&RawValue>, known: &[&str]) -> Result<String, Refusal> {
    let value = value.ok_or_else(|| missing(name))?.get();
    if known.contains(&value) {
        return Ok(value.to_owned());
    }
    Err(invalid(&format!("{name} is unknown")))
}

/// Roubles: not negative, at most two decimals as written.
fn money(name: &str, value: Option<&RawValue>) -> Result<Decimal, Refusal> {
    let value = number(name, value)?;
    if value.scale() > 2 {
        return Err(refusal(23, &format!("{name} has more than two decimals")));
    }
    if value.is_sign_negative() && !value.is_zero() {
        return Err(invalid(&format!("{name} is negative")));
    }
    Ok(value)
}

fn number(name: &str, value: Option<&RawValue>) -> Result<Decimal, Refusal> {
    let value = value.ok_or_else(|| missing(name))?.get();
    Decimal::from_str_exact(value).map_err(|_| invalid(&format!("{name} is not a plain number")))
}

fn kopecks(total: Decimal) -> Result<i64, Refusal> {
    let kopecks = total.checked_mul(Decimal::ONE_HUNDRED).and_then(|value| value.to_i64());
    kopecks.ok_or_else(|| invalid("the total is too large"))
}

fn filled(name: &str, value: Option<String>) -> Result<String, Refusal> {
    value.filter(|value| !value.trim().is_empty()).ok_or_else(|| missing(name))
}

fn text(value: Option<&RawValue>) -> String {
    value.map(RawValue::get).unwrap_or_default().to_owned()
}

fn missing(name: &str) -> Refusal {
    refusal(26, &format!("{name} is missing"))
}

fn invalid(message: &str) -> Refusal {
    refusal(27, message)
}

fn refusal(code: i64, message: &str) -> Refusal {
    Refusal { code, message: message.to_owned(), malformed: false }
}

#[expect(clippy::needless_pass_by_value, reason = "fits map_err")]
pub(super) fn malformed(error: serde_json::Error) -> Refusal {
    Refusal { code: 27, message: format!("the request is malformed: {error}"), malformed: true }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
