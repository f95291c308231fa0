//! How long things are kept.

use std::time::Duration;

use serde_json::json;

use super::{
    Store,
    exceptions::{self, kinds},
    interval,
};

/// Operations that are forgotten in one transaction.
const PART: i64 = 500;

/// How long things are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Lines of the log of requests.
    pub log: Duration,
    /// Exceptions, after they were closed.
    pub exceptions: Duration,
    /// Operations that wait.
    pub parked: Duration,
}

impl Store {
    /// Forgets what is older. An operation that waited is points of somebody, so a person is told
    /// of each.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn forget(&self, keep: Keep) -> sqlx::Result<()> {
        let now = self.now();
        sqlx::query!(
            "DELETE FROM sync_log WHERE at < $1::timestamptz - $2::interval",
            now,
            interval(keep.log),
        )
        .execute(&self.pool)
        .await?;
        sqlx::query!(
            "DELETE FROM exceptions WHERE closed_at < $1::timestamptz - $2::interval",
            now,
            interval(keep.exceptions),
        )
        .execute(&self.pool)
        .await?;
        while self.forget_parked(keep.parked).await? == PART {}
        Ok(())
    }

    async fn forget_parked(&self, keep: Duration) -> sqlx::Result<i64> {
        let mut group = self.pool.begin().await?;
        let gone = sqlx::query!(
            "DELETE FROM parked WHERE (source, external_id) IN (
                SELECT source, external_id FROM parked WHERE parked_at < $1::timestamptz - $2::interval
                ORDER BY parked_at LIMIT $3 FOR UPDATE SKIP LOCKED)
             RETURNING source, external_id, waits, parked_at",
            self.now(),
            interval(keep),
            PART,
        )
        .fetch_all(&mut *group)
        .await?;
        for row in &gone {
            let subject = format!("{}/{}", row.source, row.external_id);
            tracing::warn!(
                operation = subject,
                "an operation that waited for too long is forgotten"
            );
            let details = json!({"waits": row.waits, "parked_at": row.parked_at.unix_timestamp()});
            exceptions::open(&mut group, kinds::PARKED_FORGOTTEN, &subject, &details).await?;
        }
        group.commit().await?;
        Ok(i64::try_from(gone.len()).unwrap_or(PART))
    }
}
