//! GIS MT, the register behind Honest Sign: its True API (v726 of 2026-09-04, as its clients quote it).
//!
//! [`Client`] is the wire: sign-in with a qualified signature, one token and one rate for all replicas,
//! codes, documents. [`documents`] makes the exact bytes of documents and knows which return may follow
//! which withdrawal. What a failed call means, and what follows, is one table: [`Error`].

mod answer;
mod client;
mod code;
pub mod documents;
mod error;
mod group;
mod line;
mod settings;
mod token;
mod word;

pub use answer::{DocId, DocInfo, DocStatus};
pub use client::{Client, Filter};
pub use code::{CisInfo, CisStatus, Code, Unsellable};
pub use error::{Error, What};
pub use group::Group;
pub use settings::{GismtArgs, SignIn};

#[cfg(test)]
mod golden;
