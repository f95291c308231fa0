//! What waits, listed and counted.

use time::OffsetDateTime;

use super::Store;
use crate::ledger::{Key, Request};

/// An operation that waits.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Its number: smaller ones came before.
    pub seq: i64,
    /// Its name.
    pub key: Key,
    /// What it waits for: a word of [`Waits`](crate::ledger::Waits).
    pub waits: String,
    /// The operation; `None` where this version cannot read it.
    pub request: Option<Request>,
    /// Since when.
    pub parked_at: OffsetDateTime,
}

/// How much waits for a person, a customer, an original, for 1C.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Open exceptions.
    pub exceptions: i64,
    /// Parked operations.
    pub parked: i64,
    /// Of these, the ones that cannot be read.
    pub unreadable: i64,
    /// Operations that 1C has not been told.
    pub untold: i64,
}

impl Store {
    /// Operations that wait, newest first, of those that came before the number `before`.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn waiting(&self, before: i64, limit: i64) -> sqlx::Result<Vec<Waiting>> {
        let rows = sqlx::query!(
            "SELECT seq, source, external_id, waits, request, parked_at FROM parked
             WHERE seq < $1 ORDER BY seq DESC LIMIT $2",
            before,
            limit,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| Waiting {
                seq: row.seq,
                key: Key { source: row.source, external_id: row.external_id },
                waits: row.waits,
                request: serde_json::from_str(&row.request).ok(),
                parked_at: row.parked_at,
            })
            .collect())
    }

    /// How much waits. What is parked is not read for it: it may be very much.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn counts(&self) -> sqlx::Result<Counts> {
        sqlx::query_as!(
            Counts,
            r#"SELECT (SELECT count(*) FROM exceptions WHERE closed_at IS NULL) AS "exceptions!",
                (SELECT COALESCE(sum(change), 0)::bigint FROM parked_changes) AS "parked!",
                (SELECT count(*) FROM parked WHERE unreadable) AS "unreadable!",
                (SELECT count(*) FROM untold) AS "untold!""#,
        )
        .fetch_one(&self.pool)
        .await
    }

    /// Makes one line of the many by which parked operations are counted.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn tidy_count(&self) -> sqlx::Result<()> {
        sqlx::query!(
            "WITH gone AS (
                DELETE FROM parked_changes WHERE (SELECT count(*) FROM parked_changes) > 30 RETURNING change
             ) INSERT INTO parked_changes SELECT sum(change)::bigint FROM gone HAVING count(*) > 0",
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }
}
