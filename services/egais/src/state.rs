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
        /// See [`New`]: what has come back so far.
        #[serde(default)]
        credited: Vec<(i64, Decimal)>,
        /// What a person brings back, set aside and not yet noted in the books as back.
        #[serde(default)]
        by_hand: Vec<Goods>,
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
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct New {
    /// Counts the attempts that EGAIS refused, from 1.
    pub revision: u32,
    /// Parts of the fact whose documents are done.
    #[serde(default)]
    pub done: Vec<String>,
    /// How much of each line has come back by documents that are done.
    #[serde(default)]
    pub credited: Vec<(i64, Decimal)>,
    /// Since when it has waited for an earlier fact of the order.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub waits_since: Option<OffsetDateTime>,
}

impl Default for State {
    fn default() -> Self {
        Self::New(New { revision: 1, ..New::default() })
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
    /// Which row of the books comes back; none for what leaves.
    #[serde(default)]
    pub row: Option<i64>,
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
    /// Whether the job stopped for this document: what a person finds out is about it and no other.
    #[serde(default)]
    pub asked: bool,
    /// Whether a person has not found it. His word stands for the guard that it may lack, and not for a look of our own:
    /// a ticket may have come since.
    #[serde(default)]
    pub cleared: bool,
    /// Whether the shop was told that its UTM is away.
    #[serde(default)]
    pub away: bool,
    /// How often it was sent, looked for and found nowhere.
    #[serde(default)]
    pub doubts: u32,
    /// When it was perhaps sent for the first time.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub first_at: Option<OffsetDateTime>,
    /// How much of EGAIS's silence was told: the warning, the alarm.
    #[serde(default)]
    pub told: u8,
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
        /// See [`Paper::told`], which counts from the first sending.
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
        /// Whether it was the UTM: it has not left.
        #[serde(default)]
        by_utm: bool,
    },
}

impl Paper {
    /// It is nowhere, for certain: its doubts and EGAIS's silence begin anew.
    pub(crate) const fn is_nowhere(&mut self) {
        (self.doubts, self.first_at, self.told) = (0, None, 0);
    }

    /// This sending was not taken, for certain; an earlier one may have been.
    pub(crate) const fn was_not_taken(&mut self) {
        if !self.resent {
            self.is_nowhere();
        }
    }
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
    /// A person has looked in the UTM and in EGAIS's cabinet and the document that the job stopped for is not there: what
    /// was perhaps sent is looked for once more and goes out anew; what was refused after that was refused for a reason of
    /// its own.
    #[must_use]
    pub fn absent(self) -> Self {
        self.settled(|paper| match paper.stage {
            Stage::Sending { .. } => paper.cleared = true,
            Stage::Refused { .. } => paper.resent = false,
            _ => {}
        })
    }

    /// A person has found it there.
    #[must_use]
    pub fn found(self) -> Self {
        self.settled(|paper| {
            if matches!(paper.stage, Stage::Sending { .. } | Stage::Refused { .. }) {
                paper.stage = Stage::Done { reg_id: None };
            }
        })
    }

    fn settled(self, settle: impl Fn(&mut Paper)) -> Self {
        let Self::Papers { revision, mut papers, done, credited, by_hand } = self else {
            return self;
        };
        for paper in papers.iter_mut().filter(|paper| paper.asked) {
            settle(paper);
            paper.asked = false;
        }
        Self::Papers { revision, papers, done, credited, by_hand }
    }
}

impl New {
    /// Its documents are made, and what a person does is set aside.
    pub(crate) fn set_out(self, papers: Vec<Paper>, by_hand: Vec<Goods>) -> State {
        let Self { revision, done, credited, .. } = self;
        State::Papers { revision, papers, done, credited, by_hand }
    }

    /// Its documents are on their way, and what a person does is noted.
    pub(crate) fn papers(self, papers: Vec<Paper>) -> State {
        self.set_out(papers, Vec::new())
    }

    /// So much of a line has come back.
    pub(crate) fn credit(&mut self, goods: &[Goods]) {
        self.credited.extend(goods.iter().map(|one| (one.line, one.quantity)));
    }

    /// How much of a line has come back so far.
    pub(crate) fn credited(&self, line: i64) -> Decimal {
        self.credited.iter().filter(|(known, _)| *known == line).map(|(_, quantity)| quantity).sum()
    }
}
