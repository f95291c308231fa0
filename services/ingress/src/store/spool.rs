//! The spool: webhooks taken while the broker was away, in the order in which they came.

use sqlx::{Postgres, Transaction};

use super::Store;

/// The oldest webhooks of the spool, ours until this is ended or dropped.
#[derive(Debug)]
pub(crate) struct Batch {
    transaction: Transaction<'static, Postgres>,
    /// In the order in which they came.
    pub webhooks: Vec<Spooled>,
}

/// A webhook of the spool.
#[derive(Debug)]
pub(crate) struct Spooled {
    /// Its row.
    pub id: i64,
    /// The event's JSON.
    pub event: String,
    /// The trace that its call began.
    pub trace: Option<String>,
}

impl Store {
    /// Keeps a webhook.
    pub(crate) async fn spool(&self, event: &str, trace: Option<&str>) -> sqlx::Result<()> {
        sqlx::query!("INSERT INTO spool (event, trace) VALUES ($1, $2)", event, trace)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// The oldest ones, at most `limit`, that no other replica has in hand.
    pub(crate) async fn spooled(&self, limit: i64) -> sqlx::Result<Batch> {
        let mut transaction = self.pool.begin().await?;
        let webhooks = sqlx::query_as!(
            Spooled,
            "SELECT id, event, trace FROM spool ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED",
            limit,
        )
        .fetch_all(&mut *transaction)
        .await?;
        Ok(Batch { transaction, webhooks })
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
