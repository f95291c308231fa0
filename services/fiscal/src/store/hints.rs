//! The table of hints: what notifications said about receipts.

use sqlx::PgPool;

/// Which receipt of the register's bears which name of ours, by its notifications.
#[derive(Debug, Clone)]
pub struct Hints(PgPool);

impl Hints {
    /// The table in this database; the pool's search path names the schema.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// Keeps what a notification said. The last word counts.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn put(&self, invoice_id: &str, receipt_id: &str) -> Result<(), sqlx::Error> {
        sqlx::query!(
            "INSERT INTO hints (invoice_id, receipt_id) VALUES ($1, $2)
             ON CONFLICT (invoice_id) DO UPDATE SET receipt_id = excluded.receipt_id, told_at = now()",
            invoice_id,
            receipt_id
        )
        .execute(&self.0)
        .await
        .map(drop)
    }

    /// The register's id of the receipt with this name, if a notification told it.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn get(&self, invoice_id: &str) -> Result<Option<String>, sqlx::Error> {
        sqlx::query_scalar!("SELECT receipt_id FROM hints WHERE invoice_id = $1", invoice_id)
            .fetch_optional(&self.0)
            .await
    }

    /// Drops hints that no open job can need any more; answers how many.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn drop_old(&self) -> Result<u64, sqlx::Error> {
        let dropped = sqlx::query!("DELETE FROM hints WHERE told_at < now() - interval '90 days'")
            .execute(&self.0)
            .await?;
        Ok(dropped.rows_affected())
    }
}
