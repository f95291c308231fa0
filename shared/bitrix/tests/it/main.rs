//! The REST client against the emulated portal: its limits, its batches, its forms.
#![expect(clippy::expect_used, reason = "tests fail by panicking")]

mod calls;
mod limits;
mod scene;
