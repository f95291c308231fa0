//! Who may send a document: whoever enters its write-ahead mark first, in whichever process.

use uuid::Uuid;

use super::Store;

impl Store {
    /// Enters the mark, right before sending under it: whether it is certain that nothing was sent under it.
    pub(crate) async fn begin_sending(&self, mark: Uuid) -> sqlx::Result<bool> {
        let entered =
            sqlx::query!("INSERT INTO sendings (mark) VALUES ($1) ON CONFLICT DO NOTHING", mark)
                .execute(&self.pool)
                .await?;
        Ok(entered.rows_affected() == 1)
    }

    /// The request under this mark certainly had no effect: the mark is as good as new, for every replica.
    pub(crate) async fn take_back_sending(&self, mark: Uuid) -> sqlx::Result<()> {
        sqlx::query!("DELETE FROM sendings WHERE mark = $1", mark).execute(&self.pool).await?;
        Ok(())
    }
}
