//! Stories of `status`: statuses go in, and the emulated shop's books tell what came of them.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod check;
mod crash;
mod errors;
mod gathering;
mod portal;
mod scene;
mod service;
mod site;
