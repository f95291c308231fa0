//! The tables of this service: what notifications said, and what was receipted for each order.

mod hints;
mod ledger;

pub use hints::Hints;
pub use ledger::{LedgerError, Ledgers};
