//! Why something that all replicas share is not given.

use std::time::Duration;

/// Why there is no token ([`crate::session`]) or turn ([`crate::rate`]). Nothing was taken or sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Withheld {
    /// Others come first, for longer than is waited in the process.
    #[error("too many calls are waiting")]
    Busy {
        /// When to come back.
        after: Duration,
    },
    /// PostgreSQL did not answer, or with an error: why, in words that quote no row.
    #[error("the store is away: {0}")]
    Away(String),
}

impl From<sqlx::Error> for Withheld {
    fn from(error: sqlx::Error) -> Self {
        // A database's own words may quote a row, and in it a token.
        Self::Away(match error.as_database_error() {
            Some(error) => format!("SQLSTATE {}", error.code().unwrap_or_default()),
            None => error.to_string(),
        })
    }
}
