//! Goods that left, and until when the law wants their codes withdrawn.

use events::OrderRef;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Store, book};

impl Store {
    /// Goods with marked lines have left.
    pub(crate) async fn depart(
        &self,
        order: &OrderRef,
        cause: Uuid,
        due_at: OffsetDateTime,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "INSERT INTO departures (cause, book, due_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            cause,
            book(order),
            due_at
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Their codes are withdrawn, or need not be any more.
    pub(crate) async fn arrive(&self, cause: Uuid, at: OffsetDateTime) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE departures SET done_at = coalesce(done_at, $2) WHERE cause = $1",
            cause,
            at
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// How many shipments have codes that are not withdrawn although the law's time is over at `now`.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn late(&self, now: OffsetDateTime) -> sqlx::Result<i64> {
        sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!" FROM departures WHERE done_at IS NULL AND due_at < $1"#,
            now
        )
        .fetch_one(&self.pool)
        .await
    }
}
