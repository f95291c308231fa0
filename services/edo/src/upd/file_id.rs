//! The file's name (`ИдФайл`): who gets it, who sends it, what is in it.
//!
//! 5.03: `ON_NSCHFDOPPR_<receiver>_<sender>_<yyyymmdd>_<guid>_<six flags>`, the flags such as `0_1_0_0_0_00`
//! for marked goods (seen in files of 2026). 5.01: the prefix tells (`ON_NSCHFDOPPR`, `ON_NSCHFDOPPRMARK`), no flags.
//! Diadoc takes no document under a wrong name.

use time::{Date, macros::format_description};
use uuid::Uuid;

use super::Format;

/// The longest name (the schemas' maxLength).
pub const LONGEST: usize = 255;

/// A file's name in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileId {
    /// The format of the file.
    pub format: Format,
    /// The receiver's identifier as a participant of exchange, such as `2BM-7700000023-…`.
    pub receiver: String,
    /// The sender's.
    pub sender: String,
    /// When the file was made.
    pub date: Date,
    /// Its own name.
    pub guid: Uuid,
    /// What is in it: the flags after the guid in 5.03, the end of the prefix in 5.01.
    pub flags: String,
}

impl std::fmt::Display for FileId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { format, receiver, sender, date, guid, flags } = self;
        let date = date.format(format_description!("[year][month][day]")).unwrap_or_default();
        match format {
            Format::V503 => {
                write!(f, "ON_NSCHFDOPPR_{receiver}_{sender}_{date}_{guid}_{flags}")
            }
            Format::V501 => write!(f, "ON_NSCHFDOPPR{flags}_{receiver}_{sender}_{date}_{guid}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;
    use uuid::uuid;

    use super::*;

    #[test]
    fn both_formats_name_their_files() {
        let id = |format, flags: &str| FileId {
            format,
            receiver: "2BM-2".to_owned(),
            sender: "2BM-1".to_owned(),
            date: date!(2026 - 11 - 01),
            guid: uuid!("0f8fad5b-d9cb-469f-a165-70867728950e"),
            flags: flags.to_owned(),
        };
        let end = "_2BM-2_2BM-1_20261101_0f8fad5b-d9cb-469f-a165-70867728950e";
        assert_eq!(
            id(Format::V503, "0_1_0_0_0_00").to_string(),
            format!("ON_NSCHFDOPPR{end}_0_1_0_0_0_00")
        );
        assert_eq!(id(Format::V501, "MARK").to_string(), format!("ON_NSCHFDOPPRMARK{end}"));
    }
}
