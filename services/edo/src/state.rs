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
    /// The write-ahead mark: perhaps sent. The same bytes under the same key bring back the first result.
    Sending {
        /// See [`Attempt`].
        attempt: Attempt,
        /// Our name for the document.
        document: Uuid,
        /// How often the answer was not one.
        looks: u32,
    },
    /// At Diadoc; the buyer is waited for.
    Sent(Sent),
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
        Self { revision: 1, corrects: None }
    }

    /// The next one, after a refusal.
    #[must_use]
    pub fn next(&self) -> Self {
        Self { revision: self.revision + 1, corrects: self.corrects.clone() }
    }

    /// The next one, which corrects this document.
    #[must_use]
    pub fn correcting(&self, posted: &Posted) -> Self {
        let number = self.corrects.as_ref().map_or(1, |(number, _)| number + 1);
        Self { revision: self.revision + 1, corrects: Some((number, posted.clone())) }
    }
}

impl State {
    /// A person has looked at Diadoc, and the document is not there: it is made anew.
    #[must_use]
    pub fn absent(self) -> Self {
        match self {
            Self::Sending { attempt, .. } => Self::New(attempt.next()),
            other => other,
        }
    }
}
