//! Stories of `admin`: letters come off a real broker, people act over HTTP, workers answer.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod access;
mod back;
mod ctl;
mod desk;
mod ferry;
mod guessing;
mod intake;
mod late;
mod loyalty;
mod notices;
mod oidc;
mod outside;
mod pages;
mod people;
mod points;
mod replay;
mod smtp;
mod stock;
mod timeline;
mod unknown;
mod words;
