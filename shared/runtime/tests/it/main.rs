//! The runtime's promises, against the real broker and the real PostgreSQL.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod crash;
mod ferry;
mod promises;
mod trip;
mod unsaid;
