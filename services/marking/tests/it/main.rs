//! Tests of `marking`: files and stock against a real database, whole jobs against the emulator's registry.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::string_slice,
    reason = "tests fail by panicking, and say what they measured"
)]

mod again;
mod alcohol;
mod binary;
mod changes;
mod chaos;
mod files;
mod fuzz;
mod gismt;
mod hostile;
mod import;
mod many;
mod million;
mod order;
mod page;
mod sending;
mod stock;
mod story;
mod tables;
mod ways;
mod world;
