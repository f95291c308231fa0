//! Where a job stands between two steps.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::diadoc::Posted;

/// Where the document of one fact stands. Bytes and signature are in the table, once.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum State {
    /// Nothing is decided; nothing that was sent can have had an effect.
    New(Attempt),
    /// The buyer is invited, and has not accepted yet.
    Invited {
        /// See [`Attempt`].
        attempt: Attempt,
        /// How often it was looked.
        looks: u32,
    },
    /// The bytes are kept.
    Written {
        /// See [`Attempt`].
        attempt: Attempt,
        /// Our name for the document.
        document: Uuid,
    },
    /// Diadoc is asked to sign the bytes with a certificate that it keeps.
    Signing {
        /// See [`Attempt`].
        attempt: Attempt,
        /// Our name for the document.
        document: Uuid,
        /// Diadoc's name for the signing.
        task: String,
        /// How often it was looked.
        looks: u32,
    },
    /// The write-ahead mark: perhaps sent. The same bytes under the same key bring back the first result.
    Sending {
        /// See [`Attempt`].
        attempt: Attempt,
        /// Our name for the document.
        document: Uuid,
        /// How often the answer was not one.
        looks: u32,
        /// Since when.
        #[serde(default, with = "time::serde::rfc3339::option")]
        since: Option<OffsetDateTime>,
    },
    /// A person has found the document at Diadoc: it is looked up and followed.
    Found {
        /// See [`Attempt`].
        attempt: Attempt,
        /// Our name for the document.
        document: Uuid,
    },
    /// At Diadoc; the buyer is waited for.
    Sent(Sent),
    /// Goods came back after their document: a person corrects or revokes it at Diadoc.
    TakenBack {
        /// Whether an earlier correction of it was out already: a new one cannot be told from that.
        was_corrected: bool,
    },
    /// Signed.
    Done,
    /// Nothing follows from the fact: why.
    Nothing {
        /// In a few words, for people on duty.
        why: String,
    },
}

/// An attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Counts the attempts that were refused, from 1.
    pub revision: u32,
    /// Which correction of the document it is, and of which: the buyer has asked for one.
    #[serde(default)]
    pub corrects: Option<(u32, Posted)>,
    /// What its document says, as a digest (see [`crate::plan::says`]); none before it is written.
    #[serde(default)]
    pub says: Option<String>,
    /// The document that came to nothing at the buyer's.
    #[serde(default)]
    pub refused: Option<Refused>,
}

/// A document that the buyer had and did not want: the same again is sent by a person's word alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// What it said, as a digest.
    pub says: String,
    /// The order by which that was last found to be so (see [`crate::plan::stamp`]).
    pub order: String,
}

/// See [`State::Sent`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sent {
    /// See [`Attempt`].
    pub attempt: Attempt,
    /// Our name for the document.
    pub document: Uuid,
    /// Diadoc's.
    pub posted: Posted,
    /// When it was sent.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// How often it was looked.
    pub looks: u32,
    /// What the shop has been told of it.
    #[serde(default)]
    pub told: Vec<String>,
}

impl Default for State {
    fn default() -> Self {
        Self::New(Attempt::first())
    }
}

impl Attempt {
    /// The first one.
    #[must_use]
    pub const fn first() -> Self {
        Self { revision: 1, corrects: None, says: None, refused: None }
    }

    /// The next one, after a refusal.
    #[must_use]
    pub fn next(&self) -> Self {
        Self { revision: self.revision + 1, says: None, ..self.clone() }
    }

    /// The next one, which corrects this document.
    #[must_use]
    pub fn correcting(&self, posted: &Posted) -> Self {
        let number = self.corrects.as_ref().map_or(1, |(number, _)| number + 1);
        Self { corrects: Some((number, posted.clone())), ..self.next() }
    }
}

impl State {
    /// A person has looked at Diadoc and found what was wanted: our document, or one made by hand.
    #[must_use]
    pub fn found(self) -> Self {
        match self {
            Self::Sending { attempt, document, .. } => Self::Found { attempt, document },
            Self::New(_) | Self::TakenBack { .. } => {
                Self::Nothing { why: "a person has made it by hand".to_owned() }
            }
            other => other,
        }
    }

    /// A person has looked at Diadoc, and the document is not there: it is made anew.
    #[must_use]
    pub fn absent(self) -> Self {
        match self {
            Self::Sending { attempt, .. } => Self::New(attempt.next()),
            other => other,
        }
    }
}
