//! A label exactly as it stands: nothing is mended here.

use super::{GS, Gtin, Ki, Label, LabelError, LabelKind};

/// The longest serial (GS1 General Specifications, AI 21).
const SERIAL_LONGEST: usize = 20;

/// How long the value of an application identifier may be.
enum Length {
    /// Exactly so long: no separator is needed after it.
    Fixed(usize),
    /// Up to so long, ended by a separator.
    UpTo(usize),
}

/// Reads a text that is a label to the letter.
pub(super) fn read(text: &str) -> Result<Label, LabelError> {
    if text.is_empty() {
        return Err(LabelError::Empty);
    }
    if let Some(pack) = sscc(text).or_else(|| tobacco(text)) {
        return pack;
    }
    let rest = text.strip_prefix("01").ok_or(LabelError::NoGtin)?;
    let gtin: Gtin = rest.get(..14).and_then(|d| d.parse().ok()).ok_or(LabelError::NoGtin)?;
    let rest = rest.get(14..).and_then(|r| r.strip_prefix("21")).ok_or(LabelError::NoSerial)?;
    let (serial, tail) = rest.find(GS).map_or((rest, ""), |at| rest.split_at(at));
    if serial.is_empty() {
        return Err(LabelError::NoSerial);
    }
    if serial.chars().count() > SERIAL_LONGEST {
        return Err(LabelError::SerialTooLong);
    }
    let elements = parts(tail)?;
    let ki = text.get(..18 + serial.len()).unwrap_or_default();
    Ok(Label {
        kind: LabelKind::Gs1,
        gtin: Some(gtin),
        ki: Ki::try_from(ki.to_owned()).map_err(|_| LabelError::IllegalCharacter)?,
        tail: tail.to_owned(),
        elements,
        repairs: Vec::new(),
    })
}

/// A transport pack: eighteen digits, or the same after application identifier 00.
fn sscc(text: &str) -> Option<Result<Label, LabelError>> {
    let digits = if text.len() == 20 { text.strip_prefix("00")? } else { text };
    if digits.len() != 18 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // A label whose serial is missing has as many digits.
    let gtin = digits.strip_prefix("01").and_then(|rest| rest.strip_suffix("21"));
    if gtin.and_then(|gtin| gtin.parse().ok()).is_some_and(|gtin: Gtin| gtin.has_check_digit()) {
        return None;
    }
    let ki = Ki::try_from(digits.to_owned()).map_err(|_| LabelError::IllegalCharacter);
    Some(ki.map(|ki| Label {
        kind: LabelKind::Sscc,
        gtin: None,
        ki,
        tail: String::new(),
        elements: Vec::new(),
        repairs: Vec::new(),
    }))
}

/// A pack of tobacco: fourteen digits with a true check digit, seven characters, and then price
/// and tail of four characters each, or nothing.
fn tobacco(text: &str) -> Option<Result<Label, LabelError>> {
    if !matches!(text.len(), 21 | 29) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let gtin: Gtin = text.get(..14)?.parse().ok()?;
    // A GS1 label of that length has 21 where this one has its serial.
    if !gtin.has_check_digit() || (text.starts_with("01") && text.get(16..18) == Some("21")) {
        return None;
    }
    let (ki, tail) = text.split_at_checked(21)?;
    let parts = tail.split_at_checked(4).filter(|_| !tail.is_empty());
    let elements = parts.map(|(price, crypto)| {
        vec![("price".to_owned(), price.to_owned()), ("tail".to_owned(), crypto.to_owned())]
    });
    let ki = Ki::try_from(ki.to_owned()).map_err(|_| LabelError::IllegalCharacter);
    Some(ki.map(|ki| Label {
        kind: LabelKind::TobaccoPack,
        gtin: Some(gtin),
        ki,
        tail: tail.to_owned(),
        elements: elements.unwrap_or_default(),
        repairs: Vec::new(),
    }))
}

/// The identifiers and values of a tail that begins with a separator.
fn parts(tail: &str) -> Result<Vec<(String, String)>, LabelError> {
    let mut elements: Vec<(String, String)> = Vec::new();
    for segment in tail.split(GS).skip(1) {
        let mut rest = segment;
        loop {
            let start = || LabelError::UnknownIdentifier(rest.chars().take(4).collect());
            let (identifier, length) = identifier(rest).ok_or_else(start)?;
            if elements.iter().any(|(known, _)| known == identifier) {
                return Err(LabelError::Twice(identifier.to_owned()));
            }
            let value = rest.get(identifier.len()..).unwrap_or_default();
            let (value, after) = cut(value, &length)
                .ok_or_else(|| LabelError::WrongLength(identifier.to_owned()))?;
            if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(LabelError::IllegalCharacter);
            }
            elements.push((identifier.to_owned(), value.to_owned()));
            if after.is_empty() {
                break;
            }
            rest = after;
        }
    }
    Ok(elements)
}

/// The value at the beginning of `text`, and what follows it.
fn cut<'a>(text: &'a str, length: &Length) -> Option<(&'a str, &'a str)> {
    match *length {
        Length::Fixed(length) => {
            let (value, after) = text.split_at_checked(length)?;
            value.bytes().all(|byte| byte.is_ascii_digit()).then_some((value, after))
        }
        Length::UpTo(longest) => (1..=longest).contains(&text.len()).then_some((text, "")),
    }
}

/// The application identifier with which `text` begins, among those that marked goods have.
fn identifier(text: &str) -> Option<(&str, Length)> {
    let four = text.get(..4).unwrap_or_default();
    let (three, digit) = four.split_at_checked(3).unwrap_or_default();
    // Net weight (310n), volume (335n): n is the place of the decimal point, 0 to 5.
    if matches!(three, "310" | "335") && matches!(digit, "0" | "1" | "2" | "3" | "4" | "5") {
        return Some((four, Length::Fixed(6)));
    }
    match four {
        // Price of a block of tobacco; expiration date and time.
        "8005" => return Some((four, Length::Fixed(6))),
        "7003" => return Some((four, Length::Fixed(10))),
        _ => {}
    }
    // Code of the foreign trade nomenclature.
    if text.starts_with("240") {
        return text.get(..3).map(|identifier| (identifier, Length::UpTo(30)));
    }
    let two = text.get(..2)?;
    match two {
        // Verification key, crypto tail, short crypto tail.
        "91" | "92" | "93" => Some((two, Length::UpTo(90))),
        // Dates: production, packing, best before, expiration.
        "11" | "13" | "15" | "17" => Some((two, Length::Fixed(6))),
        "10" => Some((two, Length::UpTo(20))),
        _ => None,
    }
}
