//! Diadoc, the operator of electronic documents: its HTTP interface as of 2026 (developer.kontur.ru/doc/diadoc-api).
//!
//! [`Client`] is the wire: sign-in by OIDC or by login, one token, one rate and four lanes for all replicas, sending
//! under a key of our own, documents read again, the event feed. What a failed call means, and what follows, is one
//! table: [`Error`].

mod answer;
mod client;
mod error;
mod lanes;
mod line;
mod settings;
mod store;

pub(crate) use answer::ticks;
pub use answer::{
    Cloud, Document, Event, Feed, Organization, Outcome, Partner, Posted, Response, Revocation,
};
pub use client::{Client, Invited, Outgoing, Sending};
pub use error::{Error, What};
pub use settings::{DiadocArgs, SignIn};
