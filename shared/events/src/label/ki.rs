//! KI: the identification code, a marking code without its crypto tail.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An identification code (КИ): what GIS MT's documents and look-ups take.
///
/// Every byte counts, upper and lower case are different codes. `Display` and `Debug` show the
/// product and the last three characters only; who needs the code itself says [`Ki::as_str`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ki(String);

/// A text that is no identification code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an identification code is 18 to 38 printable ASCII characters")]
pub struct KiError;

impl Ki {
    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What may be shown and logged: the product's digits and the serial's last three characters.
    #[must_use]
    pub fn masked(&self) -> String {
        let digits: String = self.0.chars().take_while(char::is_ascii_digit).take(16).collect();
        let skipped = self.0.chars().count().saturating_sub(3);
        let last: String = self.0.chars().skip(skipped).collect();
        format!("{digits}…{last}")
    }
}

impl TryFrom<String> for Ki {
    type Error = KiError;

    fn try_from(text: String) -> Result<Self, KiError> {
        let fits = (18..=38).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(Self(text)) } else { Err(KiError) }
    }
}

impl From<Ki> for String {
    fn from(ki: Ki) -> Self {
        ki.0
    }
}

impl fmt::Display for Ki {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Debug for Ki {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ki({})", self.masked())
    }
}
