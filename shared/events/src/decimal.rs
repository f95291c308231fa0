//! Exact reading of decimal texts, and exact rounding, for [`crate::Money`], [`crate::Quantity`]
//! and [`crate::Vat`].

/// More digits than any amount, quantity or rate here can need; keeps hostile texts cheap.
const MAX_TEXT: usize = 64;

/// A number as `coefficient * 10^exponent`, with no trailing zero in the coefficient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exact {
    coefficient: i128,
    exponent: i32,
}

/// Why [`Exact::parse`] or [`Exact::scaled`] refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The text does not follow the JSON number grammar (leading zeros are allowed).
    NotANumber,
    /// The number has more fraction digits than asked for.
    TooPrecise,
    /// The number does not fit.
    TooLarge,
}

impl Exact {
    /// Reads a text of the JSON number grammar; leading zeros are allowed, databases print them.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() > MAX_TEXT {
            return Err(Refusal::TooLarge);
        }
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (text, 0),
        };
        let (negative, unsigned) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((whole, fraction)) => (whole, digits(fraction)?.trim_end_matches('0')),
            None => (unsigned, ""),
        };
        let all = format!("{}{fraction}", digits(whole)?);
        let shift = i32::try_from(fraction.len()).map_err(|_| Refusal::TooLarge)?;
        let magnitude: i128 = all.parse().map_err(|_| Refusal::TooLarge)?;
        let coefficient = if negative { -magnitude } else { magnitude };
        Ok(Self { coefficient, exponent: exponent.saturating_sub(shift) }.reduced())
    }

    /// This number times `10^places`, when that is a whole number.
    pub(crate) fn scaled(self, places: u32) -> Result<i128, Refusal> {
        let places = i32::try_from(places).map_err(|_| Refusal::TooLarge)?;
        let power = self.exponent.saturating_add(places);
        if self.coefficient == 0 {
            return Ok(0);
        }
        let power = u32::try_from(power).map_err(|_| Refusal::TooPrecise)?;
        10_i128
            .checked_pow(power)
            .and_then(|factor| self.coefficient.checked_mul(factor))
            .ok_or(Refusal::TooLarge)
    }

    fn reduced(mut self) -> Self {
        if self.coefficient == 0 {
            return Self { coefficient: 0, exponent: 0 };
        }
        while self.coefficient % 10 == 0 {
            self.coefficient /= 10;
            self.exponent = self.exponent.saturating_add(1);
        }
        self
    }
}

/// `numerator / denominator` rounded to the nearest whole number, halves away from zero.
///
/// `denominator` must be positive; `None` otherwise.
pub(crate) fn divide_half_up(numerator: i128, denominator: i128) -> Option<i128> {
    if denominator <= 0 {
        return None;
    }
    let quotient = numerator.checked_div(denominator)?;
    let remainder = numerator.checked_rem(denominator)?;
    if remainder.checked_abs()?.checked_mul(2)? < denominator {
        return Some(quotient);
    }
    quotient.checked_add(numerator.signum())
}

fn digits(text: &str) -> Result<&str, Refusal> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text)
    } else {
        Err(Refusal::NotANumber)
    }
}

fn parse_exponent(text: &str) -> Result<i32, Refusal> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let magnitude: i32 = digits(unsigned)?.parse().map_err(|_| Refusal::TooLarge)?;
    Ok(if negative { -magnitude } else { magnitude })
}
