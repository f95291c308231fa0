//! Values in JSON as they are: no float stands between us and a register.

use std::fmt::Display;

use events::MarkCode;
use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::value::RawValue;

/// A number whose exact decimal text is written.
pub(crate) struct Exact<T>(pub(crate) T);

impl<T: Display> Serialize for Exact<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// A mark code as JSON text, its separators 0x1D as `\u001d`.
pub(crate) struct Code<'a>(pub(crate) &'a MarkCode);

impl Serialize for Code<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = std::str::from_utf8(self.0.as_bytes());
        serializer.serialize_str(text.map_err(|_| S::Error::custom("a mark code is no text"))?)
    }
}
