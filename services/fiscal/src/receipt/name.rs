//! What a position is called (tag 1030): at most 128 characters that a register can print.

use std::fmt;

use encoding_rs::IBM866;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

/// The most characters of a name.
const MAX_CHARS: usize = 128;

/// A position's name: 1 to 128 characters of code page 866, the registers' own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// The name that a register prints for `text`, or `None` when nothing printable is left.
    ///
    /// Registers drop what code page 866 does not have, or refuse it. So signs with a plain form
    /// are written plainly (`«»` as `"`, dashes as `-`), the rest is left out, and white space is
    /// one space.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let mut printable = String::with_capacity(text.len());
        for c in text.nfc() {
            match plain(c) {
                Some(plain) => printable.push_str(plain),
                None if has_glyph(c) => printable.push(c),
                None => {}
            }
        }
        let words = printable.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>();
        let name: String = words.join(" ").chars().take(MAX_CHARS).collect();
        let name = name.trim_end();
        (!name.is_empty()).then(|| Self(name.to_owned()))
    }

    /// What a delivery without a name of its own is called.
    #[must_use]
    pub fn delivery() -> Self {
        Self("Доставка".to_owned())
    }

    /// What an advance on the order with this number is called.
    #[must_use]
    pub fn advance(number: &str) -> Self {
        Self::new(&format!("Аванс по заказу № {number}"))
            .unwrap_or_else(|| Self("Аванс".to_owned()))
    }

    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that leaves nothing printable.
#[derive(Debug, thiserror::Error)]
#[error("a position's name must have something that a register can print")]
pub struct NameError;

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(&text).ok_or(NameError)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

/// How a sign that code page 866 lacks, or that would break a line, is written plainly.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        '«' | '»' | '“' | '”' | '„' | '‟' | '″' | '‹' | '›' => "\"",
        '‘' | '’' | '‚' | '‛' | '′' | '`' | '´' => "'",
        '\u{2010}'..='\u{2015}' | '−' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}' => "-",
        '…' => "...",
        '×' => "x",
        '²' => "2",
        '³' => "3",
        '₽' => "руб.",
        '€' => "EUR",
        '™' => "(TM)",
        '®' => "(R)",
        '©' => "(C)",
        c if c.is_whitespace() || c.is_control() => " ",
        _ => return None,
    })
}

fn has_glyph(c: char) -> bool {
    let mut buffer = [0; 4];
    let (_, _, unmappable) = IBM866.encode(c.encode_utf8(&mut buffer));
    !unmappable
}
