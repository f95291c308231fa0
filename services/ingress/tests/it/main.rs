//! Ingress against the real broker, the real PostgreSQL and an emulated shop.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod calls;
mod doors;
mod ears;
mod quay;
mod reading;
mod reconcile;

mod shop;
mod spool;
