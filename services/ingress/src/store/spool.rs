//! The spool: webhooks taken while the broker was away, in the order in which they came.

use sqlx::{Postgres, Transaction};

use super::Store;

/// The oldest webhooks of the spool, ours until this is ended or dropped.
#[derive(Debug)]
pub(crate) struct Batch {
    transaction: Transaction<'static, Postgres>,
    /// Row numbers and events.
    pub events: Vec<(i64, String)>,
}

impl Store {
    /// Keeps a webhook.
    pub(crate) async fn spool(&self, event: &str) -> sqlx::Result<()> {
        sqlx::query!("INSERT INTO spool (event) VALUES ($1)", event)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// The oldest ones, at most `limit`, that no other replica has in hand.
    pub(crate) async fn spooled(&self, limit: i64) -> sqlx::Result<Batch> {
        let mut transaction = self.pool.begin().await?;
        let rows = sqlx::query!(
            "SELECT id, event FROM spool ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED",
            limit,
        )
        .fetch_all(&mut *transaction)
        .await?;
        let events = rows.into_iter().map(|row| (row.id, row.event)).collect();
        Ok(Batch { transaction, events })
    }

    /// How many wait, and for how many seconds the oldest has.
    pub(crate) async fn spool_depth(&self) -> sqlx::Result<(i64, f64)> {
        let row = sqlx::query!(
            r#"SELECT count(*) AS "count!",
                coalesce(extract(epoch FROM now() - min(taken_at)), 0)::float8 AS "oldest!"
             FROM spool"#
        )
        .fetch_one(&self.pool)
        .await?;
        Ok((row.count, row.oldest))
    }
}

impl Batch {
    /// Deletes those that the broker has confirmed and lets go of the rest.
    pub(crate) async fn end(mut self, confirmed: &[i64]) -> sqlx::Result<()> {
        sqlx::query!("DELETE FROM spool WHERE id = ANY($1)", confirmed)
            .execute(&mut *self.transaction)
            .await?;
        self.transaction.commit().await
    }
}
