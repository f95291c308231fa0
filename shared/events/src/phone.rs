//! Phone numbers of the Russian numbering plan (+7: Russia and Kazakhstan).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

/// Longer texts are no single phone number.
const MAX_CHARS: usize = 64;
/// Words before a number; the longer first where one begins another.
const LABELS: [&str; 14] = [
    "телефон",
    "тел",
    "т",
    "мобильный",
    "моб",
    "м",
    "сот",
    "рабочий",
    "раб",
    "phone",
    "tel",
    "mobile",
    "mob",
    "whatsapp",
];
/// Words and signs that begin an extension; the longer first where one begins another.
const EXTENSIONS: [&str; 12] = [
    ";ext=",
    "extension",
    "ext",
    "добавочный",
    "доб",
    "внутренний",
    "внутр",
    "вн",
    "x",
    "х",
    "#",
    "*",
];

/// A phone number as one identity: `+7` and ten digits (E.164). The extension is not part of it.
///
/// It is personal data: `Debug` shows only the last two digits, `Display` all of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Phone {
    /// The ten digits after +7.
    national: u64,
}

/// Why a text is not a phone number; no digit is ever added or dropped to make it one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PhoneError {
    /// No digits.
    #[error("The phone number is empty.")]
    Empty,
    /// Longer than any phone number.
    #[error("The phone number is too long a text.")]
    TooLong,
    /// Letters (vanity numbers, comments) or unexpected signs.
    #[error("The phone number holds letters or signs that do not belong to one.")]
    Unexpected,
    /// Digits are missing or superfluous.
    #[error("The phone number has {0} digits; it must have 11 with +7 or 8 in front, 10 without.")]
    Length(usize),
    /// Another country's number.
    #[error("The phone number is not of the Russian numbering plan (+7).")]
    Foreign,
    /// Ten digits beginning with 7, 88 or 89: one is lost, or it is Kazakhstan's without +7.
    #[error("The phone number has 10 digits beginning with 7, 88 or 89: a digit may be missing.")]
    Ambiguous,
    /// Such an area code does not exist: a placeholder or a mistake.
    #[error("The area code of the phone number does not exist.")]
    AreaCode,
}

impl Phone {
    /// Reads a phone number and the digits of its extension, if it has one.
    ///
    /// # Errors
    /// [`PhoneError`] says what is wrong.
    pub fn parse_with_extension(text: &str) -> Result<(Self, Option<String>), PhoneError> {
        if text.chars().count() > MAX_CHARS {
            return Err(PhoneError::TooLong);
        }
        let plain: String = text.nfkc().flat_map(char::to_lowercase).collect();
        let (number, extension) = split_extension(strip_label(plain.trim()))?;
        Ok((Self::from_number(number)?, extension))
    }

    /// The last four digits.
    #[must_use]
    pub fn last4(self) -> String {
        format!("{:04}", self.national % 10_000)
    }

    fn from_number(number: &str) -> Result<Self, PhoneError> {
        let number = significant(number)?;
        let national = match number.strip_prefix('+').or_else(|| number.strip_prefix("00")) {
            Some(digits) => after_country_code(digits)?,
            None => as_dialled_at_home(&number)?,
        };
        if !is_assigned(national) {
            return Err(PhoneError::AreaCode);
        }
        national.parse().map(|national| Self { national }).map_err(|_| PhoneError::Unexpected)
    }
}

impl FromStr for Phone {
    type Err = PhoneError;

    fn from_str(text: &str) -> Result<Self, PhoneError> {
        Self::parse_with_extension(text).map(|(phone, _)| phone)
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+7{:010}", self.national)
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone(+7********{:02})", self.national % 100)
    }
}

impl From<Phone> for String {
    fn from(phone: Phone) -> Self {
        phone.to_string()
    }
}

impl TryFrom<String> for Phone {
    type Error = PhoneError;

    fn try_from(text: String) -> Result<Self, PhoneError> {
        text.parse()
    }
}

/// The text after a label such as `тел.:`.
fn strip_label(text: &str) -> &str {
    LABELS
        .iter()
        .find_map(|label| text.strip_prefix(label))
        .map_or(text, |rest| rest.trim_start_matches(['.', ':', ' ']))
}

/// The number and the digits of the extension after it.
fn split_extension(text: &str) -> Result<(&str, Option<String>), PhoneError> {
    let found = EXTENSIONS
        .iter()
        .filter_map(|word| text.split_once(word))
        .min_by_key(|(number, _)| number.len());
    let Some((number, rest)) = found else { return Ok((text, None)) };
    let extension = significant(rest.trim_start_matches([':', '=']))?;
    if extension.is_empty() || extension.starts_with('+') {
        return Err(PhoneError::Unexpected);
    }
    Ok((number, Some(extension)))
}

/// The digits, after a plus if there is one, without the usual separators.
fn significant(text: &str) -> Result<String, PhoneError> {
    let mut kept = String::new();
    for c in text.chars().filter(|c| !is_separator(*c)) {
        if !(c.is_ascii_digit() || (c == '+' && kept.is_empty())) {
            return Err(PhoneError::Unexpected);
        }
        kept.push(c);
    }
    Ok(kept)
}

/// The ten digits of a number written with `+` or `00` and a country code.
fn after_country_code(digits: &str) -> Result<&str, PhoneError> {
    match digits.strip_prefix('7') {
        Some(national) if national.len() == 10 => Ok(national),
        Some(_) => Err(PhoneError::Length(digits.len())),
        None if digits.is_empty() => Err(PhoneError::Empty),
        None => Err(PhoneError::Foreign),
    }
}

/// The ten digits of a number written bare, or after 8 or 7.
fn as_dialled_at_home(digits: &str) -> Result<&str, PhoneError> {
    match digits.len() {
        0 => Err(PhoneError::Empty),
        // The first digit is more likely a prefix, and one of the others is lost.
        10 if ["7", "88", "89"].iter().any(|start| digits.starts_with(start)) => {
            Err(PhoneError::Ambiguous)
        }
        10 => Ok(digits),
        11 => digits.strip_prefix(['7', '8']).ok_or(PhoneError::Foreign),
        other => Err(PhoneError::Length(other)),
    }
}

/// Whether the numbering plan +7 uses such area codes: Russia has 3xx, 4xx, 80x to 87x and 9xx,
/// Kazakhstan 7xx.
fn is_assigned(national: &str) -> bool {
    national.starts_with(['3', '4', '7', '8', '9'])
        && !national.starts_with("88")
        && !national.starts_with("89")
}

/// Spaces, brackets, dots, slashes, all sorts of dashes, and the invisible marks of copied text.
fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '(' | ')' | '.' | ',' | '/' | '-' | '\u{00AD}' | '\u{2212}' | '\u{FEFF}')
        || matches!(c, '\u{2010}'..='\u{2015}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}')
        || matches!(c, '\u{2060}'..='\u{2069}')
}
