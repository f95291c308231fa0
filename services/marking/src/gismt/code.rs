//! What the register says of a code: `cises/info`.

use serde::{Deserialize, Serialize};

use super::{Group, documents::Reason, error::What, word::words};

words! {
    /// Where a code stands (`status`).
    CisStatus {
        /// Emitted, on nothing yet.
        Emitted = "EMITTED",
        /// On the goods.
        Applied = "APPLIED",
        /// In circulation: it may be sold.
        Introduced = "INTRODUCED",
        /// Out of circulation.
        Retired = "RETIRED",
        /// Out of circulation (tobacco).
        Withdrawn = "WITHDRAWN",
        /// Written off.
        WrittenOff = "WRITTEN_OFF",
        /// Back in circulation (tobacco).
        IntroducedReturned = "INTRODUCED_RETURNED",
        /// A package that was opened.
        Disaggregation = "DISAGGREGATION",
        /// A package that was opened (tobacco).
        Disaggregated = "DISAGGREGATED",
        /// On the goods and not paid for.
        AppliedNotPaid = "APPLIED_NOT_PAID",
    }
}

/// What the register answers about one code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CisInfo {
    /// The KI as it was asked for.
    pub requested: String,
    /// What it is; `None` when the register does not know it.
    pub code: Option<Code>,
    /// The register's words when it does not.
    pub error: Option<String>,
}

/// A code that the register knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Code {
    /// The KI.
    pub cis: String,
    /// Where it stands, if that is a status we know; see [`Code::status_word`].
    pub status: Option<CisStatus>,
    /// The register's word for it.
    pub status_word: String,
    /// A special state; `None` when there is none (`EMPTY`).
    pub special: Option<String>,
    /// Whose it is; only its owner is told.
    pub owner_inn: Option<String>,
    /// Its product group, if that is one we know; see [`Code::group_word`].
    pub group: Option<Group>,
    /// The register's word for it.
    pub group_word: String,
    /// `UNIT` for a single thing.
    pub package: String,
    /// Why it is out of circulation, if that is a reason we know; see [`Code::reason_word`].
    pub reason: Option<Reason>,
    /// The register's word for it.
    pub reason_word: Option<String>,
    /// The trade item's number.
    pub gtin: Option<String>,
}

impl Code {
    /// How it stands, in a machine word and the register's own: `retired:RETAIL`, `status:EMITTED`.
    pub(crate) fn stands(&self) -> String {
        match (&self.reason_word, self.status) {
            (Some(reason), Some(CisStatus::Retired)) => format!("retired:{reason}"),
            _ => format!("status:{}", self.status_word),
        }
    }
}

/// Why a code may not be sold by a participant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsellable {
    /// The register does not know it.
    #[error("unknown to the register")]
    NotFound,
    /// It is not in circulation.
    #[error("its status is {0}")]
    Status(String),
    /// It is in a special state.
    #[error("its special state is {0}")]
    Special(String),
    /// It belongs to somebody else, who is not named.
    #[error("it belongs to somebody else")]
    Foreign,
    /// It is not a single thing.
    #[error("it is a {0}, no unit")]
    Package(String),
    /// Its product group is none that we know.
    #[error("its product group {0} is unknown")]
    Group(String),
}

impl Unsellable {
    /// A machine word, and the register's own after a colon: `status:EMITTED`.
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            Self::NotFound => "not_found".to_owned(),
            Self::Status(word) => format!("status:{word}"),
            Self::Special(word) => format!("special:{word}"),
            Self::Foreign => "foreign".to_owned(),
            Self::Package(word) => format!("package:{word}"),
            Self::Group(word) => format!("group:{word}"),
        }
    }
}

impl CisInfo {
    /// Its product group, if `inn` may sell it now: in circulation, in no special state, its own, a single thing.
    ///
    /// # Errors
    /// [`Unsellable`] is the first thing that stands against it.
    pub fn sellable(&self, inn: &str) -> Result<Group, Unsellable> {
        let code = self.code.as_ref().ok_or(Unsellable::NotFound)?;
        if code.status != Some(CisStatus::Introduced) {
            return Err(Unsellable::Status(code.status_word.clone()));
        }
        if let Some(special) = &code.special {
            return Err(Unsellable::Special(special.clone()));
        }
        if code.owner_inn.as_deref() != Some(inn) {
            return Err(Unsellable::Foreign);
        }
        if code.package != "UNIT" {
            return Err(Unsellable::Package(code.package.clone()));
        }
        code.group.ok_or_else(|| Unsellable::Group(code.group_word.clone()))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    cis_info: Wire,
    error_message: Option<String>,
    error_code: Option<Text>,
}

/// Some clients of the register have seen codes of errors as numbers, others as texts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Text(String),
    Number(i64),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    requested_cis: String,
    cis: Option<String>,
    status: Option<String>,
    status_ex: Option<String>,
    owner_inn: Option<String>,
    product_group: Option<String>,
    package_type: Option<String>,
    general_package_type: Option<String>,
    withdraw_reason: Option<String>,
    gtin: Option<String>,
}

/// Reads an answer: one entry for each code asked for, in the order of `asked`.
pub(super) fn read(body: &[u8], asked: &[String]) -> Result<Vec<CisInfo>, What> {
    let garbled = |why: &str| What::Garbled(format!("codes: {why}"));
    let entries: Vec<Entry> =
        serde_json::from_slice(body).map_err(|error| garbled(&error.to_string()))?;
    if entries.len() != asked.len() {
        return Err(garbled(&format!("{} answers for {} codes", entries.len(), asked.len())));
    }
    let mut known = std::collections::HashMap::with_capacity(entries.len());
    for entry in entries {
        let info = info(entry)?;
        if known.insert(info.requested.clone(), info).is_some() {
            return Err(garbled("one code is answered twice"));
        }
    }
    let found = asked.iter().map(|ki| known.remove(ki));
    found.collect::<Option<_>>().ok_or_else(|| garbled("a code is not answered"))
}

fn info(entry: Entry) -> Result<CisInfo, What> {
    let wire = entry.cis_info;
    let Some(status_word) = wire.status else {
        let code = entry.error_code.map(|code| match code {
            Text::Text(text) => text,
            Text::Number(number) => number.to_string(),
        });
        let error = entry.error_message.or(code);
        if error.is_none() {
            return Err(What::Garbled("codes: neither a status nor an error".to_owned()));
        }
        return Ok(CisInfo { requested: wire.requested_cis, code: None, error });
    };
    let group_word = wire.product_group.unwrap_or_default();
    let special = match wire.status_ex.as_deref() {
        Some("EMPTY") => None,
        // Not to be told is not to know: no state is a word of its own.
        other => Some(other.unwrap_or("UNKNOWN").to_owned()),
    };
    let code = Code {
        cis: wire.cis.unwrap_or_else(|| wire.requested_cis.clone()),
        status: CisStatus::from_word(&status_word),
        status_word,
        special,
        owner_inn: wire.owner_inn,
        group: Group::from_code(&group_word),
        group_word,
        package: wire.general_package_type.or(wire.package_type).unwrap_or_default(),
        reason: wire.withdraw_reason.as_deref().and_then(Reason::from_word),
        reason_word: wire.withdraw_reason,
        gtin: wire.gtin,
    };
    Ok(CisInfo { requested: wire.requested_cis, code: Some(code), error: entry.error_message })
}
