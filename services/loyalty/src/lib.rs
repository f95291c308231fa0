//! `loyalty`.
pub mod ledger;
