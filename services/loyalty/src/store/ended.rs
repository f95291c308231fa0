//! Orders that were cancelled: a fact that was true before that may be handled after it.

use time::OffsetDateTime;

use super::Store;
use crate::ledger::Key;

/// When an order was saved, by the shop's own counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saved {
    /// Higher is newer; absent where the shop does not tell it.
    pub version: Option<i64>,
    /// The time.
    pub updated_at: OffsetDateTime,
}

impl Saved {
    /// Whether this was saved after `other`.
    #[must_use]
    pub fn is_after(self, other: Self) -> bool {
        match (self.version, other.version) {
            (Some(own), Some(other)) if own != other => own > other,
            _ => self.updated_at > other.updated_at,
        }
    }
}

impl Store {
    /// Notes that an order was cancelled; the newest cancellation is remembered.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn end(&self, order: &Key, saved: Saved) -> sqlx::Result<()> {
        sqlx::query!(
            "INSERT INTO ended AS e (source, name, version, updated_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (source, name) DO UPDATE SET version = excluded.version, updated_at = excluded.updated_at
             WHERE CASE WHEN e.version <> excluded.version THEN e.version < excluded.version
                ELSE e.updated_at < excluded.updated_at END",
            order.source,
            order.external_id,
            saved.version,
            saved.updated_at,
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// With which snapshot an order was last cancelled.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn ended(&self, order: &Key) -> sqlx::Result<Option<Saved>> {
        sqlx::query_as!(
            Saved,
            "SELECT version, updated_at FROM ended WHERE source = $1 AND name = $2",
            order.source,
            order.external_id,
        )
        .fetch_optional(&self.pool)
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shops_counter_says_more_than_its_clock() {
        let saved = |version, second| Saved {
            version,
            updated_at: OffsetDateTime::from_unix_timestamp(second).unwrap(),
        };
        for (own, other, after) in [
            (saved(Some(5), 1), saved(Some(4), 9), true),
            (saved(Some(4), 9), saved(Some(5), 1), false),
            (saved(Some(4), 9), saved(Some(4), 1), true),
            (saved(Some(4), 1), saved(Some(4), 1), false),
            (saved(None, 9), saved(Some(4), 1), true),
            (saved(None, 1), saved(None, 1), false),
        ] {
            assert_eq!(own.is_after(other), after, "{own:?} {other:?}");
        }
    }
}
