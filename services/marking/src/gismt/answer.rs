//! Answers about documents.

use runtime::http::Answer;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::What;

/// A document's id at the register.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct DocId(String);

impl DocId {
    /// An id: letters, digits, `-` and `_`, at most 64. `None` for anything else.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        fits.then(|| Self(text.to_owned()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for DocId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<DocId> for String {
    fn from(id: DocId) -> Self {
        id.0
    }
}

impl TryFrom<String> for DocId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(&text).ok_or("not a document's id")
    }
}

/// Where a document stands (`status`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DocStatus {
    /// Not finished: look again.
    Open,
    /// `CHECKED_OK`: carried out.
    Accepted,
    /// `CHECKED_NOT_OK`: not carried out, for what its errors say.
    Refused,
    /// `PARSE_ERROR`: not carried out, its form is wrong.
    Unreadable,
    /// `PROCESSING_ERROR`: a technical failure; a new document may follow after a look at the codes.
    Failed,
    /// `CANCELLED`: it was carried out and then undone.
    Cancelled,
    /// Any other word, `UNDEFINED` too: for a person.
    Other(String),
}

impl DocStatus {
    /// The register's word.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Open => "IN_PROGRESS",
            Self::Accepted => "CHECKED_OK",
            Self::Refused => "CHECKED_NOT_OK",
            Self::Unreadable => "PARSE_ERROR",
            Self::Failed => "PROCESSING_ERROR",
            Self::Cancelled => "CANCELLED",
            Self::Other(word) => word,
        }
    }

    fn from_word(word: &str) -> Self {
        match word {
            "IN_PROGRESS" | "WAIT_FOR_CONTINUATION" => Self::Open,
            "CHECKED_OK" => Self::Accepted,
            "CHECKED_NOT_OK" => Self::Refused,
            "PARSE_ERROR" => Self::Unreadable,
            "PROCESSING_ERROR" => Self::Failed,
            "CANCELLED" | "CANCELED" => Self::Cancelled,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// What the register says of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocInfo {
    /// Its id.
    pub id: DocId,
    /// Its type, as `LK_RECEIPT`.
    pub kind: String,
    /// Where it stands.
    pub status: DocStatus,
    /// Who sent it.
    pub sender_inn: Option<String>,
    /// Its date, in the register's own writing.
    pub date: Option<String>,
    /// When the register took it, in its own writing.
    pub received_at: Option<String>,
    /// What is wrong with it, each with the code it is about, if any.
    pub errors: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    number: String,
    doc_date: Option<String>,
    received_at: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    status: String,
    sender_inn: Option<String>,
    #[serde(default)]
    errors: Option<Vec<String>>,
    #[serde(default)]
    common_errors: Option<Vec<Common>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Common {
    error_code: Option<String>,
    error_message: Option<String>,
    error_object: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    results: Vec<Wire>,
    #[serde(default)]
    next_page: bool,
}

/// A page of a list.
pub(super) struct Listed {
    pub(super) documents: Vec<DocInfo>,
    pub(super) more: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Codes {
    document_id: String,
    #[serde(default)]
    cis_list: Vec<String>,
}

/// The id in the answer to a new document: bare text, a JSON string, or under one of the names that
/// clients of the register have seen. A success without one is [`What::NoId`].
pub(super) fn created(answer: &Answer) -> Result<DocId, What> {
    const NAMES: [&str; 7] =
        ["documentId", "document_id", "docId", "id", "number", "value", "uuid"];
    let text = String::from_utf8_lossy(&answer.body);
    let id = match serde_json::from_slice::<Value>(&answer.body) {
        Ok(Value::String(id)) => DocId::new(id.trim()),
        Ok(Value::Object(object)) => NAMES
            .iter()
            .find_map(|name| object.get(*name))
            .and_then(|value| value.as_str())
            .and_then(DocId::new),
        // A bare number cannot be told from a code of something.
        Ok(_) => None,
        Err(_) => DocId::new(text.trim()),
    };
    id.ok_or_else(|| What::NoId(text.chars().take(200).collect()))
}

/// A document by its id: the register answers an object, or a list with one in it.
pub(super) fn info(answer: &Answer, id: &DocId) -> Result<DocInfo, What> {
    let garbled = |why: String| What::Garbled(format!("document: {why}"));
    let value: Value =
        serde_json::from_slice(&answer.body).map_err(|error| garbled(error.to_string()))?;
    let one = match value {
        Value::Array(mut list) if list.len() == 1 => list.pop().unwrap_or_default(),
        Value::Array(list) => return Err(garbled(format!("{} for one id", list.len()))),
        one => one,
    };
    let wire: Wire = serde_json::from_value(one).map_err(|error| garbled(error.to_string()))?;
    let info = told(wire)?;
    if info.id != *id {
        return Err(garbled("another one's".to_owned()));
    }
    Ok(info)
}

/// A page of documents.
pub(super) fn page(answer: &Answer) -> Result<Listed, What> {
    let page: Page = serde_json::from_slice(&answer.body)
        .map_err(|error| What::Garbled(format!("documents: {error}")))?;
    let documents = page.results.into_iter().map(told).collect::<Result<_, _>>()?;
    Ok(Listed { documents, more: page.next_page })
}

/// The codes in a document.
pub(super) fn codes(answer: &Answer, id: &DocId) -> Result<Vec<String>, What> {
    let codes: Codes = serde_json::from_slice(&answer.body)
        .map_err(|error| What::Garbled(format!("codes of a document: {error}")))?;
    if codes.document_id != id.as_str() {
        return Err(What::Garbled("codes of another document".to_owned()));
    }
    Ok(codes.cis_list)
}

fn told(wire: Wire) -> Result<DocInfo, What> {
    let id = DocId::new(&wire.number)
        .ok_or_else(|| What::Garbled("a document without an id".to_owned()))?;
    let common = wire.common_errors.unwrap_or_default().into_iter().map(|error| {
        let parts = [error.error_code, error.error_message, error.error_object];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    });
    Ok(DocInfo {
        id,
        kind: wire.kind,
        status: DocStatus::from_word(&wire.status),
        sender_inn: wire.sender_inn,
        date: wire.doc_date,
        received_at: wire.received_at,
        errors: wire.errors.unwrap_or_default().into_iter().chain(common).collect(),
    })
}
