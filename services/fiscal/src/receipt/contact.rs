//! Where the buyer gets the receipt (tag 1008): a shop on the internet must have an address.

use std::fmt;

use events::{Buyer, Phone};
use serde::{Deserialize, Serialize};

/// The most characters of tag 1008.
const MAX_CHARS: usize = 64;

/// The buyer's address for the receipt. Personal data: `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contact {
    /// An e-mail address.
    Email(String),
    /// A phone number, `+7` and ten digits.
    Phone(Phone),
}

impl Contact {
    /// The buyer's e-mail address if it is one, else the phone if it is one, else `None`.
    #[must_use]
    pub fn of(buyer: &Buyer) -> Option<Self> {
        Self::read(buyer.email.as_deref(), buyer.phone.as_deref())
    }

    /// The same from the two texts.
    #[must_use]
    pub fn read(email: Option<&str>, phone: Option<&str>) -> Option<Self> {
        let email = email.map(str::trim).filter(|email| is_email(email));
        let phone = || phone.and_then(|phone| phone.parse().ok());
        email.map(|email| Self::Email(email.to_owned())).or_else(|| phone().map(Self::Phone))
    }
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Email(_) => "Email(..)",
            Self::Phone(_) => "Phone(..)",
        })
    }
}

/// Whether mail can be sent there as far as the text tells: one `@`, a name, a domain with a dot.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.split_once('@') else { return false };
    let strange = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | ',' | ';');
    let labels = || domain.split('.');
    text.chars().count() <= MAX_CHARS
        && !name.is_empty()
        && !text.replacen('@', "", 1).contains(strange)
        && labels().count() > 1
        && labels().all(|label| !label.is_empty())
}
