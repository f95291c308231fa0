//! Stories of `admin`: letters come off a real broker, people act over HTTP, workers answer.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod access;
mod desk;
mod ferry;
mod intake;
mod notices;
mod pages;
mod replay;
mod timeline;
