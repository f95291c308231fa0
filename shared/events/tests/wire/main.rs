//! The wire form of events: what `docs/asyncapi.yaml` says of it, what it looks like, and what it
//! refuses.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod arbitrary;
mod document;
mod hostile;
mod identity;
mod sample;
mod schemas;
mod snapshots;
