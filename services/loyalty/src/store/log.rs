//! The log of requests, and by it when stores were heard.

use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;

use super::{Store, rows};

/// A request of 1C's, for the log.
#[derive(Debug, Clone, Serialize)]
pub struct LogLine {
    /// When it came.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The register, if its key was right.
    pub register: Option<String>,
    /// Its store.
    pub store: Option<String>,
    /// Which route.
    pub route: String,
    /// The operation's id there.
    pub external_id: Option<String>,
    /// HTTP status.
    pub status: i32,
    /// The word that was answered.
    pub result: String,
    /// How long it took.
    pub millis: i64,
    /// Whether it brought an operation that was understood.
    #[serde(skip)]
    pub heard: bool,
}

impl Store {
    /// Writes lines of the log, and when their stores were heard: an operation that was understood
    /// counts, neither a question nor what cannot be read does.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn log(&self, lines: &[LogLine]) -> sqlx::Result<()> {
        let mut group = self.pool.begin().await?;
        sqlx::query!(
            "INSERT INTO sync_log (at, register, store, route, external_id, status, result, millis)
             SELECT at, register, store, route, external_id, status, result, millis
             FROM json_to_recordset($1::text::json) AS t (at timestamptz, register text, store text,
                route text, external_id text, status integer, result text, millis bigint)",
            rows(lines)?,
        )
        .execute(&mut *group)
        .await?;
        let mut heard: BTreeMap<&str, OffsetDateTime> = BTreeMap::new();
        for line in lines.iter().filter(|line| line.heard) {
            if let Some(store) = &line.store {
                let last = heard.entry(store).or_insert(line.at);
                *last = line.at.max(*last);
            }
        }
        let (stores, times): (Vec<String>, Vec<OffsetDateTime>) =
            heard.into_iter().map(|(store, at)| (store.to_owned(), at)).unzip();
        sqlx::query!(
            "INSERT INTO stores (store, last_seen)
             SELECT * FROM UNNEST($1::text[], $2::timestamptz[]) AS t (store, at) ORDER BY store
             ON CONFLICT (store) DO UPDATE SET last_seen = greatest(stores.last_seen, excluded.last_seen)",
            &stores,
            &times,
        )
        .execute(&mut *group)
        .await?;
        group.commit().await
    }
}
