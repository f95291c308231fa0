//! Balances that are to be compared with 1C's.

use time::OffsetDateTime;

use super::{Store, interval};
use crate::ledger::CustomerId;

/// A customer whose balance is to be compared with 1C's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Whose.
    pub customer: CustomerId,
    /// The phones that are proven to be his, and his alone.
    pub phones: Vec<String>,
    /// What he can spend.
    pub available: i64,
    /// The same and what is pending, held and owed, in one sum.
    pub posted: i64,
    /// When it last changed.
    pub updated_at: OffsetDateTime,
}

impl Store {
    /// Customers whose balance changed since it was last compared with 1C's, and has been at rest
    /// for `rest`. Not those of whom 1C knows less than we: it has not been told an operation of
    /// theirs yet. Nor those who have no phone that is proven to be their own: 1C knows them by
    /// nothing else, and by a typed one it would tell another's balance.
    /// Those about whom 1C did not answer come after the others, and not before their time.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn unchecked(
        &self,
        rest: std::time::Duration,
        limit: i64,
    ) -> sqlx::Result<Vec<Difference>> {
        sqlx::query_as!(
            Difference,
            r#"SELECT c.id AS customer, own.phones AS "phones!", c.available,
                c.available + c.pending + c.held + c.debt AS "posted!", c.updated_at
               FROM customers c, LATERAL (
                SELECT array_agg(p.phone ORDER BY p.phone) AS phones FROM phones p WHERE p.customer_id = c.id AND p.proven
                 AND NOT EXISTS (SELECT FROM phones o WHERE o.phone = p.phone AND o.customer_id <> c.id)) AS own
               WHERE (c.checked_at IS NULL OR c.checked_at < c.updated_at) AND c.updated_at < $1::timestamptz - $2::interval
                AND (c.compare_at IS NULL OR c.compare_at <= $1)
                AND NOT ($4 AND EXISTS (SELECT FROM untold WHERE untold.customer_id = c.id)) AND own.phones IS NOT NULL
               ORDER BY c.compare_at NULLS FIRST, c.updated_at LIMIT $3"#,
            self.now(),
            interval(rest),
            limit,
            self.tells_onec,
        )
        .fetch_all(&self.pool)
        .await
    }

    /// Notes that a balance as of `updated_at` was compared.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn checked(
        &self,
        customer: CustomerId,
        updated_at: OffsetDateTime,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE customers SET checked_at = $2, compare_at = NULL, compare_failed = 0 WHERE id = $1",
            customer,
            updated_at,
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Notes that 1C did not tell a balance: it is asked again in a minute, then in two, and at
    /// the latest in a day.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn not_checked(&self, customer: CustomerId) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE customers SET compare_failed = compare_failed + 1,
                compare_at = $2::timestamptz + least(interval '1 minute' * 2 ^ least(compare_failed, 20), interval '1 day')
             WHERE id = $1",
            customer,
            self.now(),
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }
}
