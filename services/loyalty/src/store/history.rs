//! A customer's history.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{Store, unreadable};
use crate::ledger::{CustomerId, Key, Kind, Outcome};

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

impl Store {
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
