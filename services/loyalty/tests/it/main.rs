//! Tests of `loyalty`: the ledger against a simple model and the scenarios, the service against
//! a real database, a real broker and the emulator.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod api;
mod books;
mod chaos;
mod ended;
mod guests;
mod heard;
mod laws;
mod master;
mod model;
mod openapi;
mod order;
mod phones;
mod restored;
mod scenario;
mod settings;
mod story;
mod told;
mod typed;
mod waiting;
mod world;
