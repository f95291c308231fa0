//! The ledger without I/O: what an operation does to a customer's points.
//!
//! A [`Book`] is one customer's points: lots with their expiry, what was taken from them, what is
//! owed. `Book::apply` is the whole of bookkeeping. A [`Desk`] adds what several operations have
//! to do with each other: repeats, conflicts, operations that came before the one they refer to,
//! customers that nobody knows yet. The store loads a desk, lets it work, and writes what it did.
//!
//! Amounts are whole kopecks of a point (1 point = 1 rouble = 100).

mod answer;
mod book;
mod book_undo;
mod desk;
mod entry;
mod operation;
mod outcome;
mod settle;

pub use answer::{Answer, Content, Found, Known, Waits};
pub use book::{Book, Lot, Owed, Past};
pub use desk::{Desk, Record};
pub use entry::{Account, Entries};
pub use operation::{Beyond, CustomerId, Key, Kind, Note, Request, What};
pub use outcome::{Lapse, Outcome};

/// The source of operations that follow from time alone: maturity, expiry, time-out.
pub const OWN_SOURCE: &str = "parom";
/// The largest amount of one operation: ten billion points. Sums of these stay far within `i64`.
pub const MAX_AMOUNT: i64 = 1_000_000_000_000;
