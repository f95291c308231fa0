//! The storekeeper's page in a real browser: `make browser`. Needs chromium and chromedriver.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

#[path = "../../../admin/tests/browser/driver.rs"]
mod driver;
#[path = "../it/files.rs"]
#[expect(dead_code, reason = "shared with the stories without a browser")]
mod files;
#[path = "../it/order.rs"]
#[expect(dead_code, reason = "shared with the stories without a browser")]
mod order;
mod stories;
#[path = "../it/tables.rs"]
#[expect(dead_code, reason = "shared with the stories without a browser")]
mod tables;
#[path = "../it/world.rs"]
#[expect(dead_code, reason = "shared with the stories without a browser")]
mod world;

/// What the driver takes from the tests around it.
mod desk {
    /// A client without a past.
    pub(crate) fn reqwest_client() -> reqwest::Client {
        reqwest::Client::builder().build().unwrap()
    }
}
