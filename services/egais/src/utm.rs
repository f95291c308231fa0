//! The UTM: its wire, its answers, whose turn it is, and the looks at its inbox.

pub mod answer;
mod away;
mod client;
mod error;
pub(crate) mod feed;
mod poll;

pub(crate) use away::{AWAY, Away};
pub(crate) use client::DIAGNOSIS;
pub use client::{Client, Health, Listed};
pub use error::{Error, What};
pub use poll::Polled;
