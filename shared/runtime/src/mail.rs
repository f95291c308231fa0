//! A message that has been read.

use events::{Event, EventError};

use uuid::Uuid;

use crate::{
    bus::{ABSENT, CHANGED, FOUND, Incoming},
    desk::Looked,
    renew,
    store::Opening,
};

/// An event with its exact text and where it belongs.
#[derive(Debug)]
pub(crate) struct Mail {
    pub event: Event,
    /// The bytes as they came: what is delayed, swept or buried is the very same message.
    pub text: String,
    pub trace: Option<String>,
    /// Set by an admin's replay: the death that it undoes, or any other text for whichever.
    pub replay: Option<String>,
    /// The death of its job that a person has given up.
    pub given_up: Option<Uuid>,
}

/// A message that is no event of ours.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub body: Vec<u8>,
    pub error: EventError,
}

impl Mail {
    /// Reads a message.
    pub(crate) fn read(incoming: Incoming) -> Result<Self, Unreadable> {
        let Incoming { body, trace, replay, given_up } = incoming;
        match Event::from_json(&body) {
            // JSON that parses is UTF-8.
            Ok(event) => {
                let text = String::from_utf8_lossy(&body).into_owned();
                let given_up = given_up.and_then(|death| death.parse().ok());
                Ok(Self { event, text, trace, replay, given_up })
            }
            Err(error) => Err(Unreadable { body, error }),
        }
    }

    /// The one death that a replay undoes, if it names one.
    fn death(&self) -> Option<Uuid> {
        self.replay.as_deref()?.split(' ').next()?.parse().ok()
    }

    /// What a person saw at the register, if a replay of one death says so.
    pub(crate) fn looked(&self) -> Option<Looked> {
        self.death()?;
        match self.replay.as_deref()?.split(' ').nth(1) {
            Some(ABSENT) => Some(Looked::Absent),
            Some(FOUND) => Some(Looked::Found),
            _ => None,
        }
    }

    /// What the store is to know.
    pub(crate) fn opening(&self) -> Opening {
        Opening {
            id: self.event.id(),
            event: self.text.clone(),
            trace: self.trace.clone(),
            topic: self.event.topic(),
            subject: self.event.order().map(renew::subject),
            replay: self.replay.is_some(),
            death: self.death(),
            by_change: self.by_change(),
        }
    }

    /// Whether it is a change of the order, and no person, that brings the job back.
    fn by_change(&self) -> bool {
        let mark = self.replay.as_deref().and_then(|replay| replay.split(' ').nth(1));
        mark == Some(CHANGED)
    }
}
