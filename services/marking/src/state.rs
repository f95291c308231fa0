//! Where a job stands between two steps.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    gismt::{
        DocId, Group,
        documents::{self, DocumentType},
    },
    store::Held,
};

/// Where the codes of one fact stand.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum State {
    /// Nothing is decided; nothing that was sent can have had an effect.
    New(New),
    /// Codes are set aside; the register is to be asked about them.
    Taken {
        /// See [`New::revision`].
        revision: u32,
        /// The codes.
        held: Vec<Held>,
    },
    /// Documents are written down and on their way.
    Papers {
        /// See [`New::revision`].
        revision: u32,
        /// Each document.
        papers: Vec<Paper>,
        /// Whether the shop has heard that the law's time is over.
        #[serde(default)]
        late: bool,
    },
    /// The receipt moves the codes; the register is looked at until it shows it.
    Receipt {
        /// See [`New::revision`].
        revision: u32,
        /// The codes.
        held: Vec<Held>,
        /// How often it was looked.
        looks: u32,
        /// Codes of the same goods that left another way: their turn comes when the receipt's are done.
        #[serde(default)]
        rest: Vec<Held>,
        /// Since when it is looked.
        #[serde(default, with = "time::serde::rfc3339::option")]
        since: Option<OffsetDateTime>,
        /// Whether the shop has heard that it takes too long.
        #[serde(default)]
        told: bool,
        /// Whether it has heard that the law's time is over.
        #[serde(default)]
        late: bool,
    },
    /// Done.
    Done,
    /// Nothing follows from the fact: why.
    Nothing {
        /// In a few words, for people on duty.
        why: String,
    },
}

/// See [`State::New`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct New {
    /// Counts the attempts that the register refused, from 1.
    pub revision: u32,
    /// Since when it has waited for an earlier fact of the order.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub waits_since: Option<OffsetDateTime>,
}

/// A document with its exact bytes and the signature over them, both made once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Paper {
    /// Our name for it, made of what happened.
    pub id: Uuid,
    /// Its type.
    pub kind: DocumentType,
    /// Its product group.
    #[serde(deserialize_with = "group")]
    pub group: Group,
    /// The bytes: JSON text.
    pub body: String,
    /// The detached signature; empty when it is to be signed anew.
    pub signature: String,
    /// Its codes.
    pub codes: Vec<Held>,
    /// The withdrawal that it undoes: our name and the register's.
    pub undoes: Option<(Uuid, DocId)>,
    /// By which reason it withdraws, whatever the shop's setting becomes.
    #[serde(default)]
    pub action: Option<documents::Reason>,
    /// How it stands.
    pub stage: Stage,
}

fn group<'de, D: serde::Deserializer<'de>>(text: D) -> Result<Group, D::Error> {
    let code = String::deserialize(text)?;
    Group::try_from(code).map_err(serde::de::Error::custom)
}

/// How a document stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// Nothing was sent.
    Ready,
    /// The write-ahead mark: perhaps sent.
    Sending {
        /// Whoever enters it first may send, and only he ([`Store::begin_sending`]). Without one nobody may.
        ///
        /// [`Store::begin_sending`]: crate::store::Store
        #[serde(default)]
        permit: Option<Uuid>,
        /// Not before this moment was it sent.
        #[serde(with = "time::serde::rfc3339")]
        since: OffsetDateTime,
        /// How often it was looked for.
        looks: u32,
    },
    /// The register has it.
    Sent {
        /// The register's name for it.
        doc: DocId,
        /// Looks that saw it waiting.
        looks: u32,
        /// Looks in a row that did not see it.
        missing: u32,
        /// Whether the job stopped for it: it is not shown any more, or stands in a way that nobody knows.
        #[serde(default)]
        lost: bool,
    },
    /// Accepted; the codes are not yet where it puts them.
    Accepted {
        /// The register's name, where it is known.
        doc: Option<DocId>,
        /// Looks at the codes.
        looks: u32,
    },
    /// The codes are where it puts them.
    Done,
    /// The register said no.
    Refused {
        /// Its words.
        errors: Vec<String>,
        /// What to tell, where it was not even looked at.
        #[serde(default)]
        reason: Option<runtime::Reason>,
    },
}

impl Stage {
    /// Whether the register has named it.
    pub(crate) const fn has_id(&self) -> bool {
        matches!(self, Self::Sent { .. } | Self::Accepted { .. })
    }

    /// Whether nothing more will become of it.
    pub(crate) const fn is_final(&self) -> bool {
        matches!(self, Self::Done | Self::Refused { .. })
    }

    /// How little is known of the document: perhaps sent, lost, not shown just now, taken.
    const fn doubt(&self) -> u8 {
        match self {
            Self::Sending { .. } => 4,
            Self::Sent { lost: true, .. } => 3,
            Self::Sent { missing, .. } if *missing > 0 => 2,
            Self::Sent { .. } => 1,
            Self::Ready | Self::Accepted { .. } | Self::Done | Self::Refused { .. } => 0,
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self::New(New::revision(1))
    }
}

impl New {
    /// An attempt not yet begun.
    #[must_use]
    pub const fn revision(revision: u32) -> Self {
        Self { revision, waits_since: None }
    }
}

impl State {
    /// The codes are to be moved by the receipt; `rest` left another way.
    pub(crate) fn receipt(
        revision: u32,
        held: Vec<Held>,
        rest: Vec<Held>,
        now: OffsetDateTime,
    ) -> Self {
        Self::Receipt { revision, held, looks: 0, rest, since: Some(now), told: false, late: false }
    }

    /// A person has looked in the cabinet, and what was perhaps sent is not there: it goes out anew.
    ///
    /// His word is about the document for which the job stopped. The others of the order are there, and
    /// would be there twice.
    #[must_use]
    pub fn absent(self) -> Self {
        self.settled(|_| Stage::Ready)
    }

    /// A person has looked in the cabinet, and what was perhaps sent is there: what it does to its codes tells
    /// the rest.
    #[must_use]
    pub fn found(self) -> Self {
        self.settled(|doc| Stage::Accepted { doc, looks: 0 })
    }

    /// The documents for which the job stopped, by the register's name where they have one, stand so.
    fn settled(self, stage: impl Fn(Option<DocId>) -> Stage) -> Self {
        let Self::Papers { revision, mut papers, late } = self else { return self };
        let most = papers.iter().map(|paper| paper.stage.doubt()).max().unwrap_or_default();
        for paper in papers.iter_mut().filter(|paper| paper.stage.doubt() == most) {
            match &paper.stage {
                Stage::Sending { .. } => paper.stage = stage(None),
                Stage::Sent { doc, .. } => paper.stage = stage(Some(doc.clone())),
                _ => {}
            }
        }
        Self::Papers { revision, papers, late }
    }

    /// Documents are to be sent.
    pub(crate) const fn papers(revision: u32, papers: Vec<Paper>) -> Self {
        Self::Papers { revision, papers, late: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paper(stage: Stage) -> Paper {
        Paper {
            id: Uuid::nil(),
            kind: DocumentType::Withdrawal,
            group: Group::from_code("lp").unwrap(),
            body: String::new(),
            signature: String::new(),
            codes: Vec::new(),
            undoes: None,
            action: None,
            stage,
        }
    }

    fn sent(missing: u32, lost: bool) -> Stage {
        Stage::Sent { doc: DocId::new("1").unwrap(), looks: 3, missing, lost }
    }

    /// Which documents go out anew when a person has not found the one for which the job stopped.
    fn sent_anew(stages: Vec<Stage>) -> Vec<bool> {
        let papers = stages.into_iter().map(paper).collect();
        let State::Papers { papers, .. } = State::papers(1, papers).absent() else {
            panic!("other than papers")
        };
        papers.iter().map(|paper| matches!(paper.stage, Stage::Ready)).collect()
    }

    #[test]
    fn a_persons_word_is_about_the_document_for_which_the_job_stopped() {
        let sending = Stage::Sending { permit: None, since: OffsetDateTime::UNIX_EPOCH, looks: 9 };
        assert_eq!(sent_anew(vec![sent(0, false), sending, sent(21, true)]), [false, true, false]);
        assert_eq!(sent_anew(vec![sent(0, false), sent(0, true)]), [false, true]);
        assert_eq!(sent_anew(vec![sent(3, false), sent(21, true)]), [false, true]);
        assert_eq!(sent_anew(vec![Stage::Done, sent(0, false)]), [false, true]);
    }
}
