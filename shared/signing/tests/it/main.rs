//! Stories about signatures, made and checked by the real OpenSSL with the GOST engine.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod cryptopro;
mod dss;
mod gost;
mod remote;
mod scene;
mod settings;
