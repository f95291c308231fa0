//! Tests of `edo`: documents by the format's rules and schemas, and whole jobs against the emulated Diadoc.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests fail by panicking, and say what they measured"
)]

mod bitrix;
mod broken;
mod buyers;
mod chaos;
mod conformance;
mod feed;
mod interface;
mod line;
mod order;
mod sea;
mod signer;
mod speed;
mod story;
mod upgrade;
mod world;
