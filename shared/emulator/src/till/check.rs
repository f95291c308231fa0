//! Arithmetic that every register checks, over numbers as they were written.

use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};
use serde_json::value::RawValue;

/// Roubles with at most two decimals, not negative.
pub(crate) fn money(name: &str, value: &RawValue) -> Result<Decimal, String> {
    let value = number(name, value)?;
    if value.scale() > 2 || value.is_sign_negative() {
        return Err(format!("{name} is not a sum of roubles"));
    }
    Ok(value)
}

/// A quantity above zero.
pub(crate) fn quantity(value: &RawValue, decimals: u32) -> Result<Decimal, String> {
    let value = number("quantity", value)?;
    if value <= Decimal::ZERO || value.scale() > decimals {
        return Err(format!("quantity is not above zero with at most {decimals} decimals"));
    }
    Ok(value)
}

/// Price times quantity to the kopeck, half a kopeck up.
pub(crate) fn product(price: Decimal, quantity: Decimal) -> Result<Decimal, String> {
    let product = price.checked_mul(quantity).ok_or("the sum is too large")?;
    Ok(product.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero))
}

/// The tax inside a sum, half a kopeck up; `None` for words that are no rate.
pub(crate) fn tax(rate: &str, sum: Decimal) -> Option<Decimal> {
    let percent: Decimal = match rate {
        "none" | "vat0" => return Some(Decimal::ZERO),
        "vat5" | "vat105" => 5.into(),
        "vat7" | "vat107" => 7.into(),
        "vat10" | "vat110" => 10.into(),
        "vat20" | "vat120" => 20.into(),
        "vat22" | "vat122" => 22.into(),
        _ => return None,
    };
    let tax = sum.checked_mul(percent)?.checked_div(percent.checked_add(Decimal::ONE_HUNDRED)?)?;
    Some(tax.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero))
}

/// Whole kopecks.
pub(crate) fn kopecks(sum: Decimal) -> Result<i64, String> {
    let kopecks = sum.checked_mul(Decimal::ONE_HUNDRED).and_then(|sum| sum.to_i64());
    kopecks.ok_or_else(|| "the sum is too large".to_owned())
}

/// Positions, payments and total make the same.
pub(crate) fn balance(sums: &[Decimal], paid: &[Decimal], total: Decimal) -> Result<(), String> {
    let sum = |parts: &[Decimal]| parts.iter().try_fold(Decimal::ZERO, |a, b| a.checked_add(*b));
    if sums.is_empty() || sum(sums) != Some(total) {
        return Err("the positions do not make the total".to_owned());
    }
    if sum(paid) != Some(total) {
        return Err("the payments do not make the total".to_owned());
    }
    Ok(())
}

/// A name that a register can print: not empty, at most 128 characters.
pub(crate) fn label(text: &str) -> Result<(), String> {
    let fits = !text.trim().is_empty() && text.chars().count() <= 128;
    if fits { Ok(()) } else { Err("a name is empty or longer than 128 characters".to_owned()) }
}

/// One of the words that the register knows.
pub(crate) fn word(name: &str, word: &str, known: &[&str]) -> Result<(), String> {
    if known.contains(&word) { Ok(()) } else { Err(format!("{name} {word:?} is unknown")) }
}

fn number(name: &str, value: &RawValue) -> Result<Decimal, String> {
    Decimal::from_str_exact(value.get()).map_err(|_| format!("{name} is not a plain number"))
}
