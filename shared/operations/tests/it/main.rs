//! What operators are given, held against what the services are.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking and say what they do"
)]

mod alarms;
mod complete;
mod manifests;
mod metrics;
mod programs;
mod settings;
