//! What is told about a customer: balances and history.

use std::collections::HashMap;

use events::Phone;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Store, unreadable};
use crate::ledger::{CustomerId, Key, Kind, Outcome};

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

/// A line of a customer's history.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The line's number: lines with smaller ones are older.
    pub seq: i64,
    /// The operation's id.
    pub id: Uuid,
    /// Its name.
    pub key: Key,
    /// Its kind.
    pub kind: Kind,
    /// What became of it.
    pub outcome: Outcome,
    /// By how much the customer's points changed, pending and held ones included.
    pub change: i64,
    /// By how much the available ones changed.
    pub available: i64,
    /// When it happened.
    pub effective_at: OffsetDateTime,
    /// What is shown: the store's address.
    pub description: Option<String>,
    /// The order's number.
    pub order: Option<String>,
    /// Why, if a person did it.
    pub reason: Option<String>,
}

/// An operation that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Its name.
    pub key: Key,
    /// How many kopecks moved.
    pub applied: i64,
}

/// A customer whose balance is to be compared with 1C's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Whose.
    pub customer: CustomerId,
    /// One of his phones.
    pub phone: String,
    /// What he can spend, and what is pending, held and owed, in one sum.
    pub posted: i64,
    /// When it last changed.
    pub updated_at: OffsetDateTime,
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

    /// A customer's history, newest first, of lines older than `before`. Refused operations are
    /// no part of it.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn history(
        &self,
        customer: CustomerId,
        before: i64,
        limit: i64,
    ) -> sqlx::Result<Vec<Entry>> {
        let rows = sqlx::query!(
            r#"SELECT o.seq, o.id, o.source, o.external_id, o.kind, o.outcome, o.effective_at,
                o.description, o.order_number, o.reason,
                COALESCE(e.change, 0) AS "change!", COALESCE(e.available, 0) AS "available!"
               FROM operations o, LATERAL (
                SELECT sum(amount) FILTER (WHERE account IN ('available', 'pending', 'held', 'debt'))::bigint AS change,
                    sum(amount) FILTER (WHERE account = 'available')::bigint AS available
                FROM entries WHERE operation_id = o.id) e
               WHERE o.customer_id = $1 AND o.seq < $2 AND o.outcome IN ('ok', 'ok_overdraft', 'partial')
               ORDER BY o.seq DESC LIMIT $3"#,
            customer,
            before,
            limit,
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                entry(Row {
                    seq: row.seq,
                    id: row.id,
                    key: Key { source: row.source, external_id: row.external_id },
                    kind: row.kind,
                    outcome: row.outcome,
                    change: row.change,
                    available: row.available,
                    effective_at: row.effective_at,
                    description: row.description,
                    order: row.order_number,
                    reason: row.reason,
                })
            })
            .collect()
    }

    /// The last operation under one of these names that was carried out.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn latest(&self, source: &str, names: &[String]) -> sqlx::Result<Option<Done>> {
        let row = sqlx::query!(
            "SELECT external_id, applied FROM operations
             WHERE source = $1 AND external_id = ANY($2) AND outcome IN ('ok', 'ok_overdraft', 'partial')
             ORDER BY seq DESC LIMIT 1",
            source,
            names,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| Done { key: Key::new(source, row.external_id), applied: row.applied }))
    }

    /// Customers whose balance changed since it was last compared with 1C's, and has been at rest
    /// for `rest`.
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
            r#"SELECT c.id AS customer, min(p.phone) AS "phone!",
                c.available + c.pending + c.held + c.debt AS "posted!", c.updated_at
               FROM customers c JOIN phones p ON p.customer_id = c.id
               WHERE (c.checked_at IS NULL OR c.checked_at < c.updated_at) AND c.updated_at < $1::timestamptz - $2::interval
               GROUP BY c.id ORDER BY c.updated_at LIMIT $3"#,
            self.now(),
            super::interval(rest),
            limit,
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
        sqlx::query!("UPDATE customers SET checked_at = $2 WHERE id = $1", customer, updated_at)
            .execute(&self.pool)
            .await
            .map(drop)
    }
}

/// A row of the history as PostgreSQL gives it.
struct Row {
    seq: i64,
    id: Uuid,
    key: Key,
    kind: String,
    outcome: String,
    change: i64,
    available: i64,
    effective_at: OffsetDateTime,
    description: Option<String>,
    order: Option<String>,
    reason: Option<String>,
}

fn entry(row: Row) -> sqlx::Result<Entry> {
    Ok(Entry {
        seq: row.seq,
        id: row.id,
        key: row.key,
        kind: Kind::named(&row.kind).ok_or_else(|| unreadable(row.kind))?,
        outcome: Outcome::named(&row.outcome).ok_or_else(|| unreadable(row.outcome))?,
        change: row.change,
        available: row.available,
        effective_at: row.effective_at,
        description: row.description,
        order: row.order,
        reason: row.reason,
    })
}
