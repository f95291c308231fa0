//! The pages in a real browser: `make browser`. Needs chromium and chromedriver.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

#[path = "../it/desk.rs"]
#[expect(dead_code, reason = "shared with the stories without a browser")]
mod desk;
mod driver;
#[path = "../it/ferry.rs"]
mod ferry;
#[path = "../it/loyalty.rs"]
mod loyalty;
#[path = "../it/outside.rs"]
mod outside;
#[path = "../it/stock.rs"]
mod stock;
mod stories;
mod till;
