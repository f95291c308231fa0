//! The runtime's promises, against the real broker and the real PostgreSQL.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod crash;
mod desk;
mod ferry;
mod forgetting;
mod hearing;
mod mending;
mod promises;
mod rate;
mod session;
mod silence;
mod trip;
mod unsaid;
