//! Words for people, in both languages of the product.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A whole sentence that a shop manager may read, in Russian and in English.
///
/// Both travel together: who shows it picks the language by its own setting, and logs always use
/// the English one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// The Russian sentence.
    pub ru: String,
    /// The English sentence.
    pub en: String,
}

impl Text {
    /// A sentence said in both languages.
    pub fn new(ru: impl Into<String>, en: impl Into<String>) -> Self {
        Self { ru: ru.into(), en: en.into() }
    }
}

/// Displays the English sentence, as logs do.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en)
    }
}
