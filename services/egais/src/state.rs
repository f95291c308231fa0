//! Where a job stands between two steps.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{documents::Kind, mark::Mark};

/// Where the documents of one fact stand.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum State {
    /// Nothing is decided; nothing that was sent can have had an effect.
    New(New),
    /// Documents are written down and on their way.
    Papers {
        /// See [`New::revision`].
        revision: u32,
        /// Each document.
        papers: Vec<Paper>,
        /// See [`New::done`].
        #[serde(default)]
        done: Vec<String>,
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
    /// Counts the attempts that EGAIS refused, from 1.
    pub revision: u32,
    /// Parts of the fact whose documents are done.
    #[serde(default)]
    pub done: Vec<String>,
    /// Since when it has waited for an earlier fact of the order.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub waits_since: Option<OffsetDateTime>,
}

impl Default for State {
    fn default() -> Self {
        Self::New(New { revision: 1, done: Vec::new(), waits_since: None })
    }
}

/// What a document is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goods {
    /// The line of the order.
    pub line: i64,
    /// AlcCode.
    pub alc_code: String,
    /// The mark of one bottle; unmarked goods have none.
    pub mark: Option<Mark>,
    /// How many; one for a marked bottle.
    pub quantity: Decimal,
    /// The reference of form B.
    pub f2: Option<String>,
    /// The price of one, in kopecks.
    pub price: i64,
}

/// A document with its exact bytes, made once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Paper {
    /// Our name for it, made of the order and what happened.
    pub identity: String,
    /// The part of the fact that it is about.
    pub part: String,
    /// The UTM it goes to.
    pub utm: String,
    /// Its type.
    pub kind: Kind,
    /// Its text.
    pub body: String,
    /// What it is about.
    pub goods: Vec<Goods>,
    /// Whether EGAIS itself would refuse a second one: every bottle has a mark, or the thing can be done once only.
    pub guarded: bool,
    /// Whether it was perhaps sent more than once.
    #[serde(default)]
    pub resent: bool,
    /// How it stands.
    pub stage: Stage,
}

/// How a document stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// Nothing was sent that had an effect.
    Ready {
        /// How often the UTM itself has refused it.
        refused: u32,
        /// Not before this moment is it sent.
        #[serde(default, with = "time::serde::rfc3339::option")]
        after: Option<OffsetDateTime>,
    },
    /// The write-ahead mark: perhaps sent.
    Sending {
        /// Tells the process that set it that it has not acted upon it yet.
        mark: Uuid,
        /// Not before this moment was it sent.
        #[serde(with = "time::serde::rfc3339")]
        since: OffsetDateTime,
        /// See [`Stage::Ready::refused`].
        refused: u32,
    },
    /// The UTM has it.
    Sent {
        /// The UTM's name for it; unknown where only a ticket shows that it was taken.
        reply_id: Option<String>,
        /// Since when.
        #[serde(with = "time::serde::rfc3339")]
        since: OffsetDateTime,
        /// How much of the silence was told: the warning, the alarm.
        told: u8,
    },
    /// EGAIS has carried it out.
    Done {
        /// EGAIS's number for it, where it gave one.
        reg_id: Option<String>,
    },
    /// EGAIS or the UTM said no.
    Refused {
        /// Their words.
        words: String,
    },
}

impl Stage {
    /// Nothing was sent, and it may go.
    pub(crate) const fn ready() -> Self {
        Self::Ready { refused: 0, after: None }
    }

    /// Whether nothing more will become of it.
    pub(crate) const fn is_final(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Refused { .. })
    }
}

impl State {
    /// A person has looked in EGAIS's cabinet and what was perhaps sent is not there: it goes out anew. His word is
    /// about what the job stopped for; documents that the UTM has taken are there.
    #[must_use]
    pub fn absent(self) -> Self {
        self.settled(|paper| match paper.stage {
            Stage::Sending { .. } => Some(Stage::ready()),
            _ => None,
        })
    }

    /// A person has found it there.
    #[must_use]
    pub fn found(self) -> Self {
        self.settled(|paper| match paper.stage {
            Stage::Sending { .. } => Some(Stage::Done { reg_id: None }),
            Stage::Refused { .. } if paper.resent => Some(Stage::Done { reg_id: None }),
            _ => None,
        })
    }

    fn settled(self, settle: impl Fn(&Paper) -> Option<Stage>) -> Self {
        let Self::Papers { revision, mut papers, done } = self else { return self };
        for paper in &mut papers {
            if let Some(stage) = settle(paper) {
                paper.stage = stage;
                paper.resent = true;
            }
        }
        Self::Papers { revision, papers, done }
    }
}
