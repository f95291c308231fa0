//! What is answered to an operation, and what is known of those decided before.

use events::Phone;
use uuid::Uuid;

use super::{CustomerId, Key, Kind, Outcome, Request};

/// An operation that was decided earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its id.
    pub id: Uuid,
    /// Whose points.
    pub customer: CustomerId,
    /// What was asked for: the part that a repeat must say again.
    pub content: Content,
    /// What became of it.
    pub outcome: Outcome,
    /// How many kopecks moved.
    pub applied: i64,
    /// Whether an operation that was waiting for it undid it at once.
    pub undone_at_once: bool,
}

impl Known {
    /// Whether an operation that refers to this one and names this phone, or none, means its
    /// customer.
    pub(super) fn is_of(&self, phone: Option<Phone>) -> bool {
        phone.is_none_or(|phone| self.content.phone == Some(phone.to_string()))
    }
}

/// What two operations of one name must have in common to be the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The kind.
    pub kind: Kind,
    /// Kopecks, where a number was named.
    pub amount: Option<i64>,
    /// The phone in E.164, where one was named.
    pub phone: Option<String>,
    /// The operation that it refers to.
    pub of: Option<Key>,
}

impl Content {
    /// The content of a request.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        Self {
            kind: request.what.kind(),
            amount: request.what.amount(),
            phone: request.phone.map(|phone| phone.to_string()),
            of: request.what.of().cloned(),
        }
    }
}

/// Who has a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nobody that we know.
    Nobody,
    /// One customer.
    One(CustomerId),
    /// Two or more: nobody may guess.
    Several,
}

/// What an operation waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Waits {
    /// A customer with this phone.
    Customer,
    /// A person who says which of several customers it is.
    Decision,
    /// The operation that it refers to.
    Reference,
}

impl Waits {
    /// The name on the wire and in the tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "parked_unknown_customer",
            Self::Decision => "ambiguous_customer",
            Self::Reference => "parked",
        }
    }
}

/// What is answered to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Decided now.
    Decided(Known),
    /// Decided before, with the same content.
    Repeated(Known),
    /// The name was used for something else.
    Conflict {
        /// What the name stands for.
        recorded: Content,
        /// What it was used for now.
        given: Content,
    },
    /// It waits; it is carried out by itself.
    Parked(Waits),
}

impl Answer {
    /// The word for it on the wire.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Decided(known) if known.undone_at_once => "ok_then_reversed",
            Self::Repeated(known) if known.outcome.is_done() => "already_exists",
            Self::Decided(known) | Self::Repeated(known) => known.outcome.as_str(),
            Self::Conflict { .. } => "conflict_payload_mismatch",
            Self::Parked(waits) => waits.as_str(),
        }
    }
}
