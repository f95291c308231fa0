//! The orders' timelines.

use serde::Serialize;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Store, alone};
use crate::{timeline::Entry, web::MOSCOW};

/// A line of a timeline.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct EntryRow {
    pub event_id: Uuid,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub topic: String,
    pub service: Option<String>,
    pub phase: Option<String>,
    pub code: Option<String>,
    pub text_ru: String,
    pub text_en: String,
    pub properties: serde_json::Value,
    pub links: serde_json::Value,
}

/// An order in a list.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct OrderFound {
    pub key: String,
    pub shop: String,
    pub number: String,
    pub site: bool,
    pub price: Option<i64>,
    #[serde(with = "time::serde::rfc3339")]
    pub last_at: OffsetDateTime,
    /// Services whose last word on this order is failed or unknown, or that have an open letter of it.
    pub stuck: Option<Vec<String>>,
}

/// What is looked for: each way of naming an order, from one field.
#[derive(Debug, Clone, Default)]
pub(crate) struct Search {
    /// The number, lower case; its digits alone will do.
    pub number: Option<String>,
    /// The last four digits of the phone.
    pub phone: Option<String>,
    /// The hash of a mark code's public part.
    pub mark: Option<String>,
    /// A document's id, lower case.
    pub document: Option<String>,
    /// The day on which something happened, in Moscow.
    pub day: Option<time::Date>,
}

impl Store {
    /// Adds a line, once however often the event is told. A service that is done has also dealt
    /// with the dead letters of the same event.
    pub(crate) async fn enter(&self, entry: &Entry) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin().await?;
        if entry.phase == Some("done") {
            alone(
                &mut transaction,
                &entry.cause.map(|id| id.to_string()).into_iter().collect::<Vec<_>>(),
            )
            .await?;
        }
        let order = &entry.order;
        let fresh = sqlx::query!(
            "INSERT INTO entries (event_id, order_key, at, topic, service, phase, code, text_ru, text_en, cause, step,
                properties, links)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING",
            entry.event_id,
            order.key,
            entry.at,
            entry.topic,
            entry.service,
            entry.phase,
            entry.code,
            entry.text.ru,
            entry.text.en,
            entry.cause,
            entry.step,
            Json(&entry.properties) as _,
            Json(&entry.links) as _,
        )
        .execute(&mut *transaction)
        .await?;
        if fresh.rows_affected() == 0 {
            return transaction.commit().await;
        }
        put_order(&mut transaction, entry).await?;
        put_terms(&mut transaction, entry).await?;
        if entry.phase == Some("done") {
            resolve(&mut transaction, entry).await?;
        }
        transaction.commit().await
    }

    /// Orders that fit, those with news first.
    pub(crate) async fn find_orders(
        &self,
        search: &Search,
        limit: i64,
        offset: i64,
    ) -> sqlx::Result<Vec<OrderFound>> {
        sqlx::query_as!(
            OrderFound,
            r#"
            WITH named AS (
                SELECT key FROM orders
                WHERE lower(number) = $1 OR substring(number FROM '[0-9]+$') = $1 OR phone_tail = $2
                UNION SELECT order_key FROM terms WHERE (term = $3 AND kind = 'mark') OR (term = $4 AND kind = 'document')
            ), found AS (
                SELECT o.* FROM orders o
                WHERE ($1::text IS NULL AND $2::text IS NULL AND $3::text IS NULL AND $4::text IS NULL
                        OR o.key IN (SELECT key FROM named))
                    AND ($5::timestamptz IS NULL OR o.key IN (
                        SELECT order_key FROM entries WHERE at >= $5 AND at < $5 + interval '1 day'))
                ORDER BY (lower(o.number) = $1) DESC NULLS LAST, o.last_at DESC, o.key LIMIT $6 OFFSET $7
            )
            SELECT f.key, f.shop, f.number, f.site, f.price, f.last_at, (
                SELECT array_agg(DISTINCT standing.service) FROM (
                    SELECT last.service FROM (
                        SELECT DISTINCT ON (e.cause, e.service) e.service, e.phase FROM entries e
                        WHERE e.order_key = f.key AND e.service IS NOT NULL
                        ORDER BY e.cause, e.service, (e.phase = 'done') DESC, e.at DESC) last
                    WHERE last.phase IN ('failed', 'unknown')
                    UNION
                    SELECT COALESCE(l.service, 'unrouted') FROM letters l
                    WHERE l.order_key = f.key AND l.state = 'open') standing) AS stuck
            FROM found f ORDER BY (lower(f.number) = $1) DESC NULLS LAST, f.last_at DESC, f.key
            "#,
            search.number,
            search.phone,
            search.mark,
            search.document,
            search.day.map(|day| day.midnight().assume_offset(MOSCOW)),
            limit,
            offset,
        )
        .fetch_all(&self.pool)
        .await
    }

    /// One order.
    pub(crate) async fn order(&self, key: &str) -> sqlx::Result<Option<OrderFound>> {
        sqlx::query_as!(
            OrderFound,
            r#"
            SELECT f.key, f.shop, f.number, f.site, f.price, f.last_at, (
                SELECT array_agg(DISTINCT standing.service) FROM (
                    SELECT last.service FROM (
                        SELECT DISTINCT ON (e.cause, e.service) e.service, e.phase FROM entries e
                        WHERE e.order_key = f.key AND e.service IS NOT NULL
                        ORDER BY e.cause, e.service, (e.phase = 'done') DESC, e.at DESC) last
                    WHERE last.phase IN ('failed', 'unknown')
                    UNION
                    SELECT COALESCE(l.service, 'unrouted') FROM letters l
                    WHERE l.order_key = f.key AND l.state = 'open') standing) AS stuck
            FROM orders f WHERE f.key = $1
            "#,
            key,
        )
        .fetch_optional(&self.pool)
        .await
    }

    /// The last lines of an order's timeline, oldest first.
    pub(crate) async fn timeline(&self, key: &str) -> sqlx::Result<Vec<EntryRow>> {
        let mut entries = sqlx::query_as!(
            EntryRow,
            "SELECT event_id, at, topic, service, phase, code, text_ru, text_en, properties, links
             FROM entries WHERE order_key = $1 ORDER BY at DESC, topic = 'order.created', event_id DESC LIMIT 1000",
            key,
        )
        .fetch_all(&self.pool)
        .await?;
        entries.reverse();
        Ok(entries)
    }

    /// Forgets what is older than `keep`, some at a time: timelines of orders without news since, and
    /// letters that wait for nobody with their notes, their replays and their causes. The audit log
    /// stays.
    pub(crate) async fn forget(&self, keep: std::time::Duration) -> sqlx::Result<()> {
        let keep = super::interval(keep);
        sqlx::query!(
            "WITH gone AS (
                DELETE FROM orders WHERE key IN (
                    SELECT key FROM orders WHERE last_at < now() - $1::interval LIMIT 500) RETURNING key
             ), terms_gone AS (DELETE FROM terms WHERE order_key IN (SELECT key FROM gone))
             DELETE FROM entries WHERE order_key IN (SELECT key FROM gone)",
            keep,
        )
        .execute(&self.pool)
        .await?;
        sqlx::query!(
            "DELETE FROM letters WHERE id IN (SELECT id FROM letters WHERE arrived_at < now() - $1::interval
                AND state_at < now() - $1::interval AND state NOT IN ('open', 'queued') LIMIT 1000)",
            keep,
        )
        .execute(&self.pool)
        .await?;
        sqlx::query!(
            "DELETE FROM replays WHERE id IN (SELECT id FROM replays r WHERE finished_at < now() - $1::interval
                AND NOT EXISTS (SELECT FROM replay_items WHERE replay = r.id) LIMIT 1000)",
            keep,
        )
        .execute(&self.pool)
        .await?;
        sqlx::query!(
            "DELETE FROM groups WHERE id IN (SELECT id FROM groups g WHERE last_at < now() - $1::interval
                AND NOT EXISTS (SELECT FROM letters WHERE group_id = g.id) LIMIT 1000)",
            keep,
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }
}

type Transaction = sqlx::Transaction<'static, sqlx::Postgres>;

/// A failure of a webhook knows the order by its id alone: that is no reason to forget its number.
async fn put_order(transaction: &mut Transaction, entry: &Entry) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO orders AS o (key, shop, id, number, site, price, phone_tail, first_at, last_at)
         VALUES ($1, $2, $3::text::numeric, $4, $5, $6, $7, $8, $8)
         ON CONFLICT (key) DO UPDATE SET
            number = CASE WHEN excluded.number = excluded.id::text THEN o.number ELSE excluded.number END,
            price = COALESCE(excluded.price, o.price),
            phone_tail = COALESCE(excluded.phone_tail, o.phone_tail),
            first_at = LEAST(o.first_at, excluded.first_at), last_at = GREATEST(o.last_at, excluded.last_at)",
        entry.order.key,
        entry.order.shop,
        entry.order.id.to_string(),
        entry.order.number,
        entry.order.site,
        entry.order.price,
        entry.order.phone_tail,
        entry.at,
    )
    .execute(&mut **transaction)
    .await
    .map(drop)
}

async fn put_terms(transaction: &mut Transaction, entry: &Entry) -> sqlx::Result<()> {
    for (kind, term) in &entry.terms {
        sqlx::query!(
            "INSERT INTO terms (term, kind, order_key) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            term,
            *kind,
            entry.order.key,
        )
        .execute(&mut **transaction)
        .await?;
    }
    Ok(())
}

/// What the service is done with needs nobody any more.
async fn resolve(transaction: &mut Transaction, entry: &Entry) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE letters SET state = 'resolved', state_at = now()
         WHERE event_id = $1 AND service = $2 AND state IN ('open', 'queued', 'sent')",
        entry.cause,
        entry.service,
    )
    .execute(&mut **transaction)
    .await
    .map(drop)
}
