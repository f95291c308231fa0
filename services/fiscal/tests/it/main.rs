//! Tests of `fiscal`: rules against vectors and laws, documents against snapshots, whole jobs
//! against the emulator's books.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod asked;
mod body;
mod callback;
mod cashbox;
mod crash;
mod doubt;
mod faults;
mod flows;
mod mutual_tls;
mod names;
mod order;
mod parts;
mod real;
mod refunds;
mod registers;
mod sail;
mod sale;
mod settings;
mod settle;
mod story;
mod sums;
mod table;
mod throttle;
mod till;
mod walk;
mod world;
