//! Balances, present and past.

use std::collections::HashMap;

use events::Phone;
use time::OffsetDateTime;

use super::Store;
use crate::ledger::CustomerId;

/// A balance, in kopecks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// Whose.
    pub customer: CustomerId,
    /// The shop's id of the user, where there is one.
    pub user: Option<i64>,
    /// What can be spent.
    pub available: i64,
    /// What cannot be spent yet.
    pub pending: i64,
    /// What is promised to orders.
    pub held: i64,
    /// What is owed; zero or below.
    pub debt: i64,
    /// When it last changed.
    pub updated_at: OffsetDateTime,
}

/// Which balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The present one.
    Now,
    /// The one at that time, as it was known at that time: it never changes afterwards.
    At(OffsetDateTime),
}

impl Store {
    /// The balances of those who have these phones, in the phones' order: for each none, one, or
    /// more than one.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn balances(&self, phones: &[Phone]) -> sqlx::Result<Vec<Vec<Balance>>> {
        let asked: Vec<String> = phones.iter().map(ToString::to_string).collect();
        let rows = sqlx::query!(
            r#"SELECT p.phone, c.id, (SELECT min(user_id) FROM users u WHERE u.customer_id = c.id) AS user,
                c.available, c.pending, c.held, c.debt, c.updated_at
               FROM phones p JOIN customers c ON c.id = p.customer_id WHERE p.phone = ANY($1)"#,
            &asked,
        )
        .fetch_all(&self.pool)
        .await?;
        let mut found: HashMap<String, Vec<Balance>> = HashMap::new();
        for row in rows {
            found.entry(row.phone).or_default().push(Balance {
                customer: row.id,
                user: row.user,
                available: row.available,
                pending: row.pending,
                held: row.held,
                debt: row.debt,
                updated_at: row.updated_at,
            });
        }
        Ok(asked.iter().map(|phone| found.get(phone).cloned().unwrap_or_default()).collect())
    }

    /// A customer's balance.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn balance(&self, customer: CustomerId, moment: Moment) -> sqlx::Result<Balance> {
        let now = sqlx::query_as!(
            Balance,
            r#"SELECT c.id AS customer, (SELECT min(user_id) FROM users u WHERE u.customer_id = c.id) AS user,
                c.available, c.pending, c.held, c.debt, c.updated_at
               FROM customers c WHERE c.id = $1"#,
            customer,
        )
        .fetch_one(&self.pool)
        .await?;
        let Moment::At(at) = moment else { return Ok(now) };
        let then = sqlx::query!(
            r#"SELECT COALESCE(sum(amount) FILTER (WHERE account = 'available'), 0)::bigint AS "available!",
                COALESCE(sum(amount) FILTER (WHERE account = 'pending'), 0)::bigint AS "pending!",
                COALESCE(sum(amount) FILTER (WHERE account = 'held'), 0)::bigint AS "held!",
                COALESCE(sum(amount) FILTER (WHERE account = 'debt'), 0)::bigint AS "debt!",
                COALESCE(max(recorded_at), $2) AS "updated_at!"
               FROM entries WHERE customer_id = $1 AND recorded_at <= $2"#,
            customer,
            at,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(Balance {
            available: then.available,
            pending: then.pending,
            held: then.held,
            debt: then.debt,
            updated_at: then.updated_at,
            ..now
        })
    }
}
