//! The tables of this service: what notifications said, what was receipted for each order, and
//! whose turn it is at a slow register.

mod hints;
mod ledger;
mod turns;

pub use hints::Hints;
pub use ledger::{LedgerError, Ledgers};
pub use turns::{Asked, Turns};
