//! Stories of alcohol, against the emulated UTM and a real PostgreSQL.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod chaos;
mod documents;
mod doubt;
mod fuzz;
mod order;
mod rests;
mod shops;
mod story;
mod tables;
mod world;
