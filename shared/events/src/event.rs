//! The envelope: a CloudEvents 1.0 JSON object.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Fact, Order, OrderRef};

/// The CloudEvents version that we speak.
pub const SPEC_VERSION: &str = "1.0";

/// One fact on its way, in CloudEvents 1.0 structured mode.
///
/// The id is UUIDv5 of [`Fact::identity`]: who tells a fact twice tells the same event, and who
/// hears it twice can know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    specversion: String,
    id: Uuid,
    source: String,
    /// The order, `orders/<id>`; absent where none is known, for CloudEvents has no empty one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    time: OffsetDateTime,
    datacontenttype: String,
    /// What happened.
    #[serde(flatten)]
    pub fact: Fact,
}

/// A text that is no event of ours. The message never quotes it: it may hold personal data.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Not JSON, a field missing, a type that this version does not know, or a value that
    /// cannot be.
    #[error("the message is not an event that this version knows (see column {column})")]
    Malformed {
        /// Up to where it was read. Not the parser's own error: that quotes what it met.
        column: usize,
    },
    /// Another version of CloudEvents.
    #[error("the message is of another version of CloudEvents than 1.0")]
    SpecVersion,
    /// The id does not follow from the fact: somebody edited one without the other.
    #[error("the event's id {given} does not follow from its fact, which gives {derived}")]
    ForeignId {
        /// The id in the message.
        given: Uuid,
        /// The id that the fact gives.
        derived: Uuid,
    },
}

impl Event {
    /// The event that states `fact`, which came about at `time`.
    #[must_use]
    pub fn new(fact: Fact, time: OffsetDateTime) -> Self {
        let subject = fact.order().map(|order| format!("orders/{}", order.id));
        let source = match &fact {
            Fact::StatusChanged(status) => format!("/services/{}", status.service),
            fact => fact.shop().map_or_else(String::new, |shop| format!("/shops/{shop}")),
        };
        Self {
            specversion: SPEC_VERSION.to_owned(),
            id: derive_id(&fact),
            source,
            subject,
            time,
            datacontenttype: "application/json".to_owned(),
            fact,
        }
    }

    /// The same event with the order as it is said to be later; see [`Fact::renewed`].
    #[must_use]
    pub fn renewed(&self, newer: &Order) -> Option<Self> {
        Some(Self { fact: self.fact.renewed(newer)?, ..self.clone() })
    }

    /// Reads an event from its JSON bytes.
    ///
    /// # Errors
    /// [`EventError`] tells what is wrong with it; the text of the event is not part of the error.
    pub fn from_json(bytes: &[u8]) -> Result<Self, EventError> {
        let event: Self = serde_json::from_slice(bytes)
            .map_err(|error| EventError::Malformed { column: error.column() })?;
        if event.specversion != SPEC_VERSION {
            return Err(EventError::SpecVersion);
        }
        let derived = derive_id(&event.fact);
        if event.id != derived {
            return Err(EventError::ForeignId { given: event.id, derived });
        }
        Ok(event)
    }

    /// The event's JSON text.
    ///
    /// # Errors
    /// None in practice: every value of an event has a JSON form. The signature says what serde
    /// says.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// The id, derived from the fact.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// When the fact came about.
    #[must_use]
    pub fn time(&self) -> OffsetDateTime {
        self.time
    }

    /// Who states it, as a URI path.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The order it is about, where one is known.
    #[must_use]
    pub fn order(&self) -> Option<&OrderRef> {
        self.fact.order()
    }

    /// The routing key.
    #[must_use]
    pub fn topic(&self) -> String {
        self.fact.topic()
    }
}

/// UUIDv5 in a namespace of our own, itself UUIDv5 of a fixed DNS name.
fn derive_id(fact: &Fact) -> Uuid {
    let namespace = Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"events.parom.ru");
    Uuid::new_v5(&namespace, fact.identity().as_bytes())
}
