//! Books of codes and documents. Nothing here does I/O.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde::Serialize;
use time::{Duration, OffsetDateTime};

use super::{Code, Effect, check::Asked};
use crate::violations::Violations;

/// How long a challenge may be answered.
const CHALLENGE: Duration = Duration::minutes(10);

/// Everything the register has on record.
#[derive(Debug, Default)]
pub struct Books {
    pub(super) codes: BTreeMap<String, Code>,
    pub(super) documents: Vec<Document>,
    pub(super) by_id: HashMap<String, usize>,
    challenges: HashMap<String, (String, OffsetDateTime)>,
    tokens: HashMap<String, OffsetDateTime>,
    hits: VecDeque<OffsetDateTime>,
    sign_ins: usize,
    requests: usize,
    throttled: usize,
    refused: Vec<String>,
    pub(crate) violations: Violations,
}

/// A document that was taken.
#[derive(Debug, Clone, Serialize)]
pub struct Document {
    /// Its id.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// Its product group.
    pub group: String,
    /// Where it stands.
    pub status: String,
    /// The codes in it.
    pub codes: Vec<String>,
    /// What is wrong with it: the code it is about, if any, and why.
    pub errors: Vec<(Option<String>, String)>,
    /// When it was taken.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Its exact bytes, as text.
    pub body: String,
    /// The total of its prices in kopecks.
    pub total_kopecks: u64,
    /// Looks so far.
    pub looks: u32,
    #[serde(skip)]
    asked: Option<Asked>,
    #[serde(skip)]
    ends: Ends,
}

/// How a document ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Ends {
    /// As its content deserves.
    #[default]
    Rightly,
    /// Refused on command.
    Refused,
    /// With a technical failure on command.
    Failed,
}

/// The books in a few numbers.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Documents that were taken.
    pub documents: usize,
    /// Of these, carried out.
    pub accepted: usize,
    /// Of these, refused or unreadable.
    pub rejected: usize,
    /// Codes out of circulation.
    pub retired: usize,
    /// Codes that were withdrawn more than once without coming back between.
    pub doubled: Vec<String>,
    /// Sign-ins that gave a token.
    pub sign_ins: usize,
    /// All requests that came within the rate.
    pub requests: usize,
    /// Requests beyond the rate.
    pub throttled: usize,
    /// Requests refused for their signature.
    pub refused: Vec<String>,
    /// Breaches of the protocol.
    #[serde(flatten)]
    pub violations: Violations,
}

impl Books {
    /// All codes by their KI.
    #[must_use]
    pub fn codes(&self) -> &BTreeMap<String, Code> {
        &self.codes
    }

    /// All documents in the order in which they were taken.
    #[must_use]
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// Puts a code on record, or another in its place. Without an owner it is `inn`'s.
    pub fn put(&mut self, mut code: Code, inn: &str) {
        if code.owner_inn.is_empty() {
            inn.clone_into(&mut code.owner_inn);
        }
        self.codes.insert(code.cis.clone(), code);
    }

    /// What a receipt through the OFD does: a sale takes codes out, a refund brings them back. Answers the
    /// first code that stands against it; then nothing is done.
    ///
    /// # Errors
    /// The KI that is unknown, or already out, or not out.
    pub fn receipt(&mut self, codes: &[String], refund: bool, lag: u32) -> Result<(), String> {
        let wanted = if refund { "RETIRED" } else { "INTRODUCED" };
        for cis in codes {
            let stands = self.codes.get(cis).is_some_and(|code| code.status == wanted);
            if !stands {
                return Err(cis.clone());
            }
        }
        let (what, why) =
            if refund { ("returned", "RECEIPT_RETURN") } else { ("withdrawn", "RETAIL") };
        self.affect(codes, "receipt", what, why, lag);
        Ok(())
    }

    /// Every token is refused from now on.
    pub fn revoke(&mut self) {
        self.tokens.clear();
    }

    /// The books in a few numbers.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let stand = |words: &[&str]| {
            self.documents.iter().filter(|doc| words.contains(&doc.status.as_str())).count()
        };
        let doubled = self.codes.values().filter(|code| code.doubled());
        Summary {
            documents: self.documents.len(),
            accepted: stand(&["CHECKED_OK", "CANCELLED"]),
            rejected: stand(&["CHECKED_NOT_OK", "PARSE_ERROR", "PROCESSING_ERROR"]),
            retired: self.codes.values().filter(|code| code.status == "RETIRED").count(),
            doubled: doubled.map(|code| code.cis.clone()).collect(),
            sign_ins: self.sign_ins,
            requests: self.requests,
            throttled: self.throttled,
            refused: self.refused.clone(),
            violations: self.violations.clone(),
        }
    }

    pub(super) fn hit(&mut self, now: OffsetDateTime, rate: u32) -> bool {
        while self.hits.front().is_some_and(|at| now - *at >= Duration::SECOND) {
            self.hits.pop_front();
        }
        if rate > 0 && self.hits.len() >= usize::try_from(rate).unwrap_or(usize::MAX) {
            self.throttled += 1;
            return false;
        }
        self.hits.push_back(now);
        self.requests += 1;
        true
    }

    pub(super) fn challenge(&mut self, id: &str, data: &str, now: OffsetDateTime) {
        self.challenges.retain(|_, (_, at)| now - *at < CHALLENGE);
        self.challenges.insert(id.to_owned(), (data.to_owned(), now));
    }

    pub(super) fn answer(&mut self, id: &str, now: OffsetDateTime) -> Option<String> {
        let (data, at) = self.challenges.remove(id)?;
        (now - at < CHALLENGE).then_some(data)
    }

    pub(super) fn give(&mut self, token: String, ends: OffsetDateTime) {
        self.sign_ins += 1;
        self.tokens.insert(token, ends);
    }

    pub(super) fn is_token(&self, token: &str, now: OffsetDateTime) -> bool {
        self.tokens.get(token).is_some_and(|ends| now < *ends)
    }

    pub(super) fn refuse(&mut self, why: String) {
        self.refused.push(why);
    }

    /// Takes a document: read, or unreadable with the reason.
    pub(super) fn take(&mut self, document: Taken, asked: Result<Asked, String>) {
        let (asked, errors) = match asked {
            Ok(asked) => (Some(asked), Vec::new()),
            Err(why) => {
                self.violations.add(format!("{}: {why}", document.kind));
                (None, vec![(None, why)])
            }
        };
        self.by_id.insert(document.id.clone(), self.documents.len());
        self.documents.push(Document {
            id: document.id,
            kind: document.kind,
            group: document.group,
            status: "IN_PROGRESS".to_owned(),
            codes: asked.as_ref().map(Asked::codes).unwrap_or_default(),
            total_kopecks: asked.as_ref().map(Asked::total).unwrap_or_default(),
            errors,
            at: document.at,
            body: document.body,
            looks: 0,
            asked,
            ends: document.ends,
        });
    }

    pub(super) fn document(&self, id: &str) -> Option<&Document> {
        self.documents.get(*self.by_id.get(id)?)
    }

    /// One look at a document: as it stands, and carried out afterwards when it is due. `None` when there
    /// is none, or it is hidden for its first looks.
    pub(super) fn look(&mut self, id: &str, looks: &Looks) -> Option<Document> {
        let place = *self.by_id.get(id)?;
        let document = self.documents.get_mut(place)?;
        document.looks = document.looks.saturating_add(1);
        if document.looks <= looks.hidden {
            return None;
        }
        let shown = document.clone();
        if document.status == "IN_PROGRESS" && document.looks - looks.hidden >= looks.open {
            self.process(place, looks.codes);
        }
        Some(shown)
    }

    /// Carries out every document that waits.
    pub fn process_all(&mut self, lag: u32) {
        for place in 0..self.documents.len() {
            self.process(place, lag);
        }
    }

    fn process(&mut self, place: usize, lag: u32) {
        let Some(document) = self.documents.get(place).filter(|doc| doc.status == "IN_PROGRESS")
        else {
            return;
        };
        let document = document.clone();
        let (status, errors) = match (&document.asked, document.ends) {
            (_, Ends::Failed) => ("PROCESSING_ERROR", vec![(None, "on command".to_owned())]),
            (_, Ends::Refused) => ("CHECKED_NOT_OK", vec![(None, "on command".to_owned())]),
            (None, _) => ("PARSE_ERROR", document.errors.clone()),
            (Some(asked), Ends::Rightly) => match self.against(&document, asked) {
                errors if errors.is_empty() => {
                    self.carry_out(&document, asked, lag);
                    ("CHECKED_OK", errors)
                }
                errors => ("CHECKED_NOT_OK", errors),
            },
        };
        if let Some(document) = self.documents.get_mut(place) {
            status.clone_into(&mut document.status);
            document.errors = errors;
        }
    }

    pub(super) fn affect(&mut self, codes: &[String], by: &str, what: &str, why: &str, lag: u32) {
        for cis in codes {
            if let Some(code) = self.codes.get_mut(cis) {
                let effect =
                    Effect { by: by.to_owned(), what: what.to_owned(), why: why.to_owned() };
                code.change(effect, lag);
            }
        }
    }
}

/// How many looks it takes.
#[derive(Debug)]
pub(super) struct Looks {
    /// Looks that do not find a new document.
    pub(super) hidden: u32,
    /// Looks that find it in progress.
    pub(super) open: u32,
    /// Looks at a code that still see it as it was.
    pub(super) codes: u32,
}

/// A document as it came.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) group: String,
    pub(super) at: OffsetDateTime,
    pub(super) body: String,
    pub(super) ends: Ends,
}
