//! Where a receipt stands between two steps.

use runtime::Reason;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::registers::{Accepted, FiscalData, Path, RegisterName, Request};

/// Where the receipt of one payment stands.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum State {
    /// Nothing that was sent under this revision can have had an effect.
    New(New),
    /// The write-ahead mark: this request may have been sent, and it may be accepted.
    Sending(Sending),
    /// The register has accepted it.
    Sent(Sent),
    /// It is issued.
    Done(Done),
    /// A person has found the receipt at the register.
    Found,
    /// No receipt follows from the fact: why.
    Nothing {
        /// In a few words, for people on duty.
        why: String,
    },
}

/// See [`State::New`].
#[derive(Clone, Serialize, Deserialize)]
pub struct New {
    /// Counts the receipts of this payment that the register refused, from 1.
    pub revision: u32,
    /// Attempts in a row that had no effect.
    pub tries: u32,
    /// Why, and until when, nothing is to be sent.
    pub held: Option<Held>,
    /// A person has looked, and the settlement has no receipt yet.
    #[serde(default)]
    pub looked: bool,
    /// Whether the shop knows that it is overdue.
    #[serde(default)]
    pub overdue: bool,
    /// Since when it has waited for an earlier receipt of the order.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub waits_since: Option<OffsetDateTime>,
    /// What a person did not find at its register.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubted: Vec<Doubted>,
}

/// A request that may have been taken, and of which a person says that it is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubted {
    /// Where it was sent.
    pub register: RegisterName,
    /// Our name for the receipt.
    pub name: String,
    /// What was asked for.
    pub path: Path,
}

/// A pause after an attempt without effect.
#[derive(Clone, Serialize, Deserialize)]
pub struct Held {
    /// What happened.
    pub reason: Reason,
    /// The end of the pause.
    #[serde(with = "time::serde::rfc3339")]
    pub until: OffsetDateTime,
}

/// See [`State::Sending`].
#[derive(Clone, Serialize, Deserialize)]
pub struct Sending {
    /// See [`New::revision`].
    pub revision: u32,
    /// See [`New::tries`].
    pub tries: u32,
    /// See [`New::looked`].
    #[serde(default)]
    pub looked: bool,
    /// See [`New::doubted`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubted: Vec<Doubted>,
    /// Where it is sent.
    pub register: RegisterName,
    /// What is sent.
    pub request: Request,
    /// Not before this moment was it sent for the first time.
    #[serde(with = "time::serde::rfc3339")]
    pub first_sent: OffsetDateTime,
    /// Tells the process that set this mark that it has not acted upon it yet.
    pub mark: Uuid,
}

/// See [`State::Sent`].
#[derive(Clone, Serialize, Deserialize)]
pub struct Sent {
    /// See [`New::revision`].
    pub revision: u32,
    /// See [`New::looked`].
    #[serde(default)]
    pub looked: bool,
    /// See [`New::doubted`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubted: Vec<Doubted>,
    /// Where it was sent.
    pub register: RegisterName,
    /// What the register accepted.
    pub accepted: Accepted,
    /// Looks that saw it waiting.
    pub looks: u32,
    /// Looks in a row that did not find it.
    pub missing: u32,
    /// Whether the shop knows that it is overdue.
    #[serde(default)]
    pub overdue: bool,
}

/// See [`State::Done`].
#[derive(Clone, Serialize, Deserialize)]
pub struct Done {
    /// Which register issued it.
    pub register: RegisterName,
    /// What the register accepted.
    pub accepted: Accepted,
    /// What the register says.
    pub fiscal: FiscalData,
}

impl Default for State {
    fn default() -> Self {
        Self::New(New::revision(1))
    }
}

impl State {
    /// Whether a register may have the receipt.
    #[must_use]
    pub const fn is_written(&self) -> bool {
        matches!(self, Self::Sending(_) | Self::Sent(_) | Self::Done(_) | Self::Found)
    }

    /// The next revision, when a person has looked in the cabinet and this one is not there. Its
    /// key is another one, so that a late answer to this one is told from it; this one is kept in
    /// mind, because a notification may still tell that it is there.
    #[must_use]
    pub fn absent(self) -> Self {
        let (revision, mut doubted, last) = match self {
            Self::Sending(Sending { revision, doubted, register, request, .. }) => {
                let Request { name, path, .. } = request;
                (revision, doubted, Doubted { register, name, path })
            }
            Self::Sent(Sent { revision, doubted, register, accepted, .. }) => {
                let Accepted { name, path, .. } = accepted;
                (revision, doubted, Doubted { register, name, path })
            }
            Self::New(new) => return Self::New(New { looked: true, ..new }),
            Self::Done(_) | Self::Found | Self::Nothing { .. } => return self,
        };
        doubted.push(last);
        let next = New::revision(revision.saturating_add(1));
        Self::New(New { looked: true, doubted, ..next })
    }
}

impl New {
    /// A receipt of this revision, not yet made.
    #[must_use]
    pub const fn revision(revision: u32) -> Self {
        Self {
            revision,
            tries: 0,
            held: None,
            looked: false,
            overdue: false,
            waits_since: None,
            doubted: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn what_is_not_in_the_cabinet_goes_out_under_the_next_revision() {
        let name = "acme:1:2:sell:1:3".to_owned();
        let sending = State::Sending(Sending {
            revision: 3,
            tries: 7,
            looked: false,
            doubted: Vec::new(),
            register: RegisterName::CloudKassir,
            request: Request { name: name.clone(), path: Path::Sell, body: String::new() },
            first_sent: OffsetDateTime::UNIX_EPOCH,
            mark: Uuid::nil(),
        });
        let sent = State::Sent(Sent {
            revision: 3,
            looked: false,
            doubted: Vec::new(),
            register: RegisterName::CloudKassir,
            accepted: Accepted { name, id: "x".to_owned(), path: Path::Sell },
            looks: 1,
            missing: 10,
            overdue: false,
        });
        for state in [sending, sent] {
            let State::New(new) = state.absent() else { panic!("a new one") };
            assert_eq!((new.revision, new.tries), (4, 0));
            let (register, path) = (RegisterName::CloudKassir, Path::Sell);
            let name = "acme:1:2:sell:1:3".to_owned();
            assert_eq!(new.doubted, [Doubted { register, name, path }]);
            let again = State::New(new).absent();
            let State::New(new) = again else { panic!("a new one") };
            assert_eq!((new.revision, new.doubted.len()), (4, 1), "nothing was sent in between");
        }
        let State::New(new) = State::New(New::revision(2)).absent() else { panic!("a new one") };
        assert_eq!(new.revision, 2, "nothing was sent under it");
    }
    #[test]
    fn states_that_were_saved_without_doubts_are_read() {
        for text in [
            r#"{"at":"new","revision":2,"tries":0,"held":null}"#,
            r#"{"at":"sending","revision":1,"tries":0,"register":"cloudkassir","request":
                {"name":"a","path":"sell","body":""},"first_sent":"2026-11-22T00:00:00Z",
                "mark":"00000000-0000-0000-0000-000000000000"}"#,
            r#"{"at":"sent","revision":1,"register":"cloudkassir","accepted":
                {"name":"a","id":"b"},"looks":0,"missing":0}"#,
        ] {
            let state: State = serde_json::from_str(text).unwrap();
            assert!(!serde_json::to_string(&state).unwrap().contains("doubted"), "{text}");
        }
    }
}
