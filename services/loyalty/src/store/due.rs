//! Whom time has done something to.

use super::Store;
use crate::ledger::CustomerId;

impl Store {
    /// Customers to whom time has done something.
    pub(super) async fn due(&self, limit: i64) -> sqlx::Result<Vec<CustomerId>> {
        sqlx::query_scalar!(
            r#"SELECT customer_id AS "customer_id!" FROM (
                (SELECT customer_id FROM lots WHERE free > 0 AND matures_at <= $1 LIMIT $2)
                UNION
                (SELECT customer_id FROM lots WHERE free > 0 AND matures_at IS NULL AND expires_at <= $1 LIMIT $2)
                UNION
                (SELECT customer_id FROM progress WHERE open AND until <= $1 LIMIT $2)) AS due
               LIMIT $2"#,
            self.now(),
            limit,
        )
        .fetch_all(&self.pool)
        .await
    }
}
