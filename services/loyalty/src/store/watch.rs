//! What people must see: exceptions, the log of requests, stores that fell silent.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;
use serde_json::json;
use time::OffsetDateTime;

use super::{Group, Store, rows};
use crate::ledger::{Answer, Outcome, Request, Waits};

/// The kinds of exceptions.
pub mod kinds {
    /// Several customers have one phone.
    pub const AMBIGUOUS_PHONE: &str = "ambiguous_phone";
    /// One name was used for two different operations.
    pub const CONFLICT: &str = "conflict";
    /// A debit went beyond the balance, as the policy allows.
    pub const OVERDRAFT: &str = "overdraft";
    /// 1C has another balance than we.
    pub const BALANCE_DIFFERS: &str = "balance_differs";
    /// A store sends nothing any more.
    pub const SILENT_STORE: &str = "silent_store";
}

/// Something that a person must look at.
#[derive(Debug, Clone)]
pub struct Exception {
    /// Its number.
    pub id: i64,
    /// One of [`kinds`].
    pub kind: String,
    /// What it is about: a phone, an operation, a store.
    pub subject: String,
    /// JSON.
    pub details: String,
    /// How often it came up.
    pub seen: i64,
    /// When it first came up.
    pub opened_at: OffsetDateTime,
}

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
}

/// A store and since when it has been silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silent {
    /// The store.
    pub store: String,
    /// When it was last heard.
    pub last_seen: OffsetDateTime,
}

impl Store {
    /// Writes lines of the log, and when their stores were heard.
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
        for line in lines {
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

    /// Begins to watch stores: one never heard counts as heard now.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn watch(&self, stores: &[String]) -> sqlx::Result<()> {
        sqlx::query!(
            "INSERT INTO stores (store, last_seen) SELECT store, $2 FROM UNNEST($1::text[]) AS t (store)
             ON CONFLICT DO NOTHING",
            stores,
            self.now(),
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// When these stores were last heard.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn last_seen(&self, stores: &[String]) -> sqlx::Result<Vec<Silent>> {
        sqlx::query_as!(
            Silent,
            "SELECT store, last_seen FROM stores WHERE store = ANY($1) ORDER BY store",
            stores,
        )
        .fetch_all(&self.pool)
        .await
    }

    /// Puts something before a person; `true` when it is new.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn raise(
        &self,
        kind: &str,
        subject: &str,
        details: &serde_json::Value,
    ) -> sqlx::Result<bool> {
        let mut group = self.pool.begin().await?;
        let new = open(&mut group, kind, subject, details).await?;
        group.commit().await?;
        Ok(new)
    }

    /// Closes what is open about a subject, because it is over by itself.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn over(&self, kind: &str, subject: &str) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE exceptions SET closed_at = now(), closed_by = 'parom'
             WHERE kind = $1 AND subject = $2 AND closed_at IS NULL",
            kind,
            subject,
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Open exceptions, newest first.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn exceptions(&self, limit: i64) -> sqlx::Result<Vec<Exception>> {
        sqlx::query_as!(
            Exception,
            "SELECT id, kind, subject, details, seen, opened_at FROM exceptions
             WHERE closed_at IS NULL ORDER BY id DESC LIMIT $1",
            limit,
        )
        .fetch_all(&self.pool)
        .await
    }

    /// Closes an exception; `false` when there is no such open one.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn close(&self, id: i64, by: &str, note: &str) -> sqlx::Result<bool> {
        let closed = sqlx::query!(
            "UPDATE exceptions SET closed_at = now(), closed_by = $2, note = $3
             WHERE id = $1 AND closed_at IS NULL",
            id,
            by,
            note,
        )
        .execute(&self.pool)
        .await?;
        Ok(closed.rows_affected() > 0)
    }

    /// Exceptions of a kind whose notification was not taken yet.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn untold(&self, kind: &str) -> sqlx::Result<Vec<Exception>> {
        sqlx::query_as!(
            Exception,
            "SELECT id, kind, subject, details, seen, opened_at FROM exceptions
             WHERE kind = $1 AND closed_at IS NULL AND told_at IS NULL ORDER BY id LIMIT 100",
            kind,
        )
        .fetch_all(&self.pool)
        .await
    }

    /// Notes that a notification was taken.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn told(&self, id: i64) -> sqlx::Result<()> {
        sqlx::query!("UPDATE exceptions SET told_at = now() WHERE id = $1", id)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// How many exceptions are open and how many operations are parked.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn counts(&self) -> sqlx::Result<(i64, i64)> {
        let row = sqlx::query!(
            r#"SELECT (SELECT count(*) FROM exceptions WHERE closed_at IS NULL) AS "exceptions!",
                (SELECT count(*) FROM parked) AS "parked!""#,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok((row.exceptions, row.parked))
    }

    /// Forgets lines of the log that are older than `keep`.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn forget(&self, keep: Duration) -> sqlx::Result<()> {
        sqlx::query!(
            "DELETE FROM sync_log WHERE at < $1::timestamptz - $2::interval",
            self.now(),
            super::interval(keep),
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }
}

/// Notes what answers a person must see.
pub(super) async fn note_answers(
    group: &mut Group,
    asked: &[Request],
    answers: &[Answer],
) -> sqlx::Result<()> {
    for (request, answer) in asked.iter().zip(answers) {
        let key = request.key.to_string();
        match answer {
            Answer::Conflict { recorded, given } => {
                let said = |content: &crate::ledger::Content| {
                    json!({
                        "type": content.kind.as_str(),
                        "amount_kopecks": content.amount,
                        "phone": content.phone,
                        "reference": content.of.as_ref().map(|of| &of.external_id),
                    })
                };
                let details = json!({"recorded": said(recorded), "given": said(given)});
                open(group, kinds::CONFLICT, &key, &details).await?;
            }
            Answer::Parked(Waits::Decision) => {
                let phone = request.phone.map(|phone| phone.to_string()).unwrap_or_default();
                open(group, kinds::AMBIGUOUS_PHONE, &phone, &json!({"operation": key})).await?;
            }
            Answer::Decided(known) if known.outcome == Outcome::OkOverdraft => {
                let details =
                    json!({"applied_kopecks": known.applied, "store": request.note.store});
                open(group, kinds::OVERDRAFT, &key, &details).await?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Notes phones that several customers have.
pub(super) async fn note_shared_phones(group: &mut Group, phones: &[String]) -> sqlx::Result<()> {
    let shared = sqlx::query!(
        r#"SELECT phone, array_agg(customer_id ORDER BY customer_id) AS "customers!" FROM phones
           WHERE phone = ANY($1) GROUP BY phone HAVING count(*) > 1"#,
        phones,
    )
    .fetch_all(&mut **group)
    .await?;
    for row in shared {
        let details = json!({"customers": row.customers});
        open(group, kinds::AMBIGUOUS_PHONE, &row.phone, &details).await?;
    }
    Ok(())
}

async fn open(
    group: &mut Group,
    kind: &str,
    subject: &str,
    details: &serde_json::Value,
) -> sqlx::Result<bool> {
    let seen = sqlx::query_scalar!(
        "INSERT INTO exceptions (kind, subject, details) VALUES ($1, $2, $3)
         ON CONFLICT (kind, subject) WHERE closed_at IS NULL
         DO UPDATE SET seen = exceptions.seen + 1, details = excluded.details
         RETURNING seen",
        kind,
        subject,
        details.to_string(),
    )
    .fetch_one(&mut **group)
    .await?;
    Ok(seen == 1)
}
