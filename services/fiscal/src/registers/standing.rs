//! How an accepted receipt stands at its register.

use serde::{Deserialize, Serialize};

/// How an accepted receipt stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It waits for a register.
    Queued,
    /// It is issued.
    Issued(Box<FiscalData>),
    /// It will never be issued: why, in the register's words.
    Failed(String),
    /// Its time ran out in the queue, it is not issued and never will be: it may be asked for
    /// anew, under another name.
    Expired,
    /// The register does not know it.
    NotFound,
    /// The register knows it by another name than ours.
    Foreign,
}

/// The data by which anyone can check a receipt at the tax service, and what the register's
/// papers add.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiscalData {
    /// ФН, the number of the fiscal drive, tag 1041.
    pub drive: String,
    /// ФД, the number of the fiscal document, tag 1040.
    pub document: String,
    /// ФПД, the fiscal sign of the document, tag 1077.
    pub sign: String,
    /// The link behind the receipt's QR code, or to the receipt.
    pub qr: Option<String>,
    /// The register's registration number, tag 1037.
    #[serde(default)]
    pub registration: Option<String>,
    /// The number of the shift, tag 1038.
    #[serde(default)]
    pub shift: Option<String>,
    /// The number within the shift, tag 1042.
    #[serde(default)]
    pub number: Option<String>,
}

impl FiscalData {
    /// Fiscal data from a drive, a document's number and its sign; `None` unless all three are
    /// digits: they go into the order's properties.
    pub(super) fn checked(drive: String, document: String, sign: String) -> Option<Self> {
        let whole = [&drive, &document, &sign].into_iter().all(|text| is_number(text));
        whole.then(|| Self { drive, document, sign, ..Self::default() })
    }
}

/// 1 to 20 digits.
pub(super) fn is_number(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}
