//! The tables of this service: what notifications said, what was asked for by name, what was
//! receipted for each order, and whose turn it is at a slow register.

mod asked;
mod hints;
mod ledger;
mod turns;

pub use asked::{Asking, Request, RequestState, Requests, Told};
pub use hints::Hints;
pub use ledger::{LedgerError, Ledgers};
pub use turns::{Turn, Turns};
