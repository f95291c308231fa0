//! Mark codes: the bytes of a Data Matrix label, carried without damage.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// The GS1 group separator, FNC1 inside a code.
const GS: u8 = 0x1D;

/// A mark code as it was scanned: 1 to 512 bytes, the separators 0x1D included.
///
/// It is not parsed here. On Parom's wire it is a base64 string, because texts lose the separators
/// on their way. There is no `Display`, and `Debug` shows the GTIN and the length only: serial and
/// crypto tail are secret.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct MarkCode(Vec<u8>);

/// Why something is not a mark code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MarkError {
    /// No bytes at all.
    #[error("The mark code is empty.")]
    Empty,
    /// More than a label can hold.
    #[error("The mark code is longer than {} bytes.", MarkCode::MAX_LEN)]
    TooLong,
    /// The wire text is not base64.
    #[error("The mark code is not base64 text.")]
    Base64,
}

impl MarkCode {
    /// The most bytes a code may have.
    pub const MAX_LEN: usize = 512;

    /// A code of exactly these bytes.
    ///
    /// # Errors
    /// [`MarkError::Empty`] or [`MarkError::TooLong`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, MarkError> {
        match bytes.len() {
            0 => Err(MarkError::Empty),
            1..=Self::MAX_LEN => Ok(Self(bytes)),
            _ => Err(MarkError::TooLong),
        }
    }

    /// A code of exactly the bytes of `text`; nothing is trimmed or replaced.
    ///
    /// # Errors
    /// [`MarkError::Empty`] or [`MarkError::TooLong`].
    pub fn from_text(text: &str) -> Result<Self, MarkError> {
        Self::from_bytes(text.as_bytes().to_vec())
    }

    /// A code from standard base64 with padding.
    ///
    /// # Errors
    /// [`MarkError::Base64`] for other texts, else as [`MarkCode::from_bytes`].
    pub fn from_base64(text: &str) -> Result<Self, MarkError> {
        if text.len() > Self::MAX_LEN.div_ceil(3) * 4 {
            return Err(MarkError::TooLong);
        }
        Self::from_bytes(STANDARD.decode(text).map_err(|_| MarkError::Base64)?)
    }

    /// The code as standard base64 with padding.
    #[must_use]
    pub fn to_base64(&self) -> String {
        STANDARD.encode(&self.0)
    }

    /// The exact bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The fourteen digits after application identifier 01, when the code begins with them.
    fn gtin(&self) -> Option<&str> {
        let bytes = self.0.strip_prefix(&[GS]).unwrap_or(&self.0);
        let gtin = bytes.strip_prefix(b"01")?.get(..14)?;
        let digits = gtin.iter().all(u8::is_ascii_digit);
        if digits { std::str::from_utf8(gtin).ok() } else { None }
    }
}

impl fmt::Debug for MarkCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gtin = self.gtin().unwrap_or("unknown");
        write!(f, "MarkCode(gtin {gtin}, {} bytes)", self.0.len())
    }
}

impl From<MarkCode> for String {
    fn from(code: MarkCode) -> Self {
        code.to_base64()
    }
}

impl TryFrom<String> for MarkCode {
    type Error = MarkError;

    fn try_from(text: String) -> Result<Self, MarkError> {
        Self::from_base64(&text)
    }
}
