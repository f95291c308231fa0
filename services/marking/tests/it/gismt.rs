//! GIS MT: documents held against the golden payloads, and the client against the emulator.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests fail by panicking, and say what is missing"
)]

mod documents;
mod exchange;
mod scene;
mod shared;
mod table;
