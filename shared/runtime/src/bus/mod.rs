//! The broker: names, topology, publishing with confirms, consuming under supervision.
//!
//! lapin's own recovery stays off: it hides failures. Each connection has a supervisor that
//! builds everything anew on any error (see `docs/ARCHITECTURE.md`).

mod acks;
mod connect;
mod consumer;
mod delay;
mod drain;
mod message;
mod names;
mod publisher;
mod topology;

pub(crate) use connect::Connector;
pub(crate) use consumer::{Consumer, Handler, Incoming, Verdict};
pub(crate) use delay::Ladder;
pub(crate) use drain::Drain;
pub use drain::Letter;
pub(crate) use message::{ABSENT, CHANGED, DEATH, FOUND, GIVEN_UP, Message, REPLAY, TRACEPARENT};
pub use names::Names;
pub use publisher::PublishError;
pub(crate) use publisher::{Line, Publisher};
pub(crate) use topology::Subscription;
