//! The stories of the whole way.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests fail by panicking, say what they do, and wait for processes"
)]

mod chaos;
mod crew;
mod marks;
mod mended;
mod restore;
mod scaling;
mod trace;
