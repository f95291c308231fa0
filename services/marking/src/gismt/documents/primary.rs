//! The primary document: what in the shop's books a withdrawal or a return rests on.

use serde::{Deserialize, Serialize};
use time::Date;

use super::{Refusal, text, words, written};

words! {
    /// A primary document's kind.
    PrimaryKind {
        /// A fiscal receipt.
        Receipt = "RECEIPT",
        /// A sales slip.
        SalesReceipt = "SALES_RECEIPT",
        /// A consignment note.
        ConsignmentNote = "CONSIGNMENT_NOTE",
        /// A universal transfer document.
        Utd = "UTD",
        /// Another one, named in words.
        Other = "OTHER",
        /// An act of destruction.
        DestructionAct = "DESTRUCTION_ACT",
        /// A customs declaration.
        CustomsDeclaration = "CUSTOMS_DECLARATION",
    }
}

/// A primary document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Primary {
    /// Its kind.
    pub kind: PrimaryKind,
    /// Its number.
    pub number: String,
    /// Its date.
    pub date: Date,
    /// What it is called; of the kind [`PrimaryKind::Other`] alone.
    pub name: Option<String>,
}

impl Primary {
    /// Checks it against the kinds that go with a document; `None` for all.
    pub(super) fn check(&self, kinds: Option<&[PrimaryKind]>) -> Result<(), Refusal> {
        if kinds.is_some_and(|kinds| !kinds.contains(&self.kind)) {
            return Err(Refusal::PrimaryKind(self.kind));
        }
        text("the number of the primary document", &self.number)?;
        match (&self.name, self.kind) {
            (Some(name), PrimaryKind::Other) => text("the name of the primary document", name),
            (None, PrimaryKind::Other) | (Some(_), _) => Err(Refusal::PrimaryName),
            (None, _) => Ok(()),
        }
    }
}

/// Its fields at a code, and everywhere in a return.
#[derive(Debug, Default, Serialize)]
pub(super) struct PrimaryFields<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_document_type: Option<PrimaryKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_document_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_document_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_document_custom_name: Option<&'a str>,
}

impl<'a> PrimaryFields<'a> {
    pub(super) fn of(primary: Option<&'a Primary>) -> Self {
        Self {
            primary_document_type: primary.map(|primary| primary.kind),
            primary_document_number: primary.map(|primary| primary.number.as_str()),
            primary_document_date: primary.map(|primary| written(primary.date)),
            primary_document_custom_name: primary.and_then(|primary| primary.name.as_deref()),
        }
    }
}
