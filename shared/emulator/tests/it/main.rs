//! Stories about the emulator, told over HTTP as Parom's services see it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests fail by panicking, and say what they measured"
)]

mod batch;
mod bitrix;
mod catcher;
mod cloudkassir;
mod conformance;
mod control;
mod faults;
mod gismt;
mod lists;
mod notifications;
mod onec;
mod orders;
mod registers;
mod site;
mod stage;
mod utm;
mod webhooks;
