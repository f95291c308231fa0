//! Stories of alcohol, against the emulated UTM and a real PostgreSQL.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod back;
mod chaos;
mod compared;
mod documents;
mod doubt;
mod fuzz;
mod office;
mod order;
mod rests;
mod shops;
mod story;
mod world;
