//! Documents and their history.

use std::collections::HashSet;

use serde::Serialize;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Store;
use crate::{documents::Kind, state::Paper};

/// What became of a document.
#[derive(Debug, Clone, Copy)]
pub struct Note<'a> {
    /// Its new state: `made`, `sending`, `sent`, `done`, `refused`, `silent`, …
    pub state: &'a str,
    /// The UTM's name for it, where it is new.
    pub reply_id: Option<&'a str>,
    /// EGAIS's number for it, where it is new.
    pub reg_id: Option<&'a str>,
    /// Words, whose ever.
    pub words: Option<&'a str>,
    /// Whether nothing more becomes of it.
    pub is_end: bool,
    /// When.
    pub at: OffsetDateTime,
}

impl<'a> Note<'a> {
    /// A state without more.
    #[must_use]
    pub const fn new(state: &'a str, at: OffsetDateTime) -> Self {
        Self { state, reply_id: None, reg_id: None, words: None, is_end: false, at }
    }
}

/// A document, for people.
#[derive(Debug, Clone, Serialize)]
pub struct DocumentView {
    /// Our name for it.
    pub identity: String,
    /// Its UTM.
    pub utm: String,
    /// Its type.
    pub kind: String,
    /// The order's number.
    pub order: Option<String>,
    /// How it stands.
    pub state: String,
    /// The UTM's name for it.
    pub reply_id: Option<String>,
    /// EGAIS's number for it.
    pub reg_id: Option<String>,
    /// The last words said of it.
    pub words: Option<String>,
    /// Its text.
    pub body: String,
    /// All that became of it.
    pub history: Vec<Move>,
}

/// A step in a document's history.
#[derive(Debug, Clone, Serialize)]
pub struct Move {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// To which state.
    pub state: String,
    /// With which words.
    pub words: Option<String>,
}

impl Store {
    /// Enters a document of an order. One that is known stays as it is.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn enter(
        &self,
        paper: &Paper,
        (book, number): (&str, &str),
        cause: Uuid,
        at: OffsetDateTime,
    ) -> sqlx::Result<()> {
        self.add(
            (&paper.identity, &paper.utm, paper.kind, &paper.body),
            (Some(book), Some(number), Some(cause)),
            at,
        )
        .await
    }

    /// Enters a question.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn enter_query(
        &self,
        identity: &str,
        utm: &str,
        (kind, body): (Kind, &str),
        at: OffsetDateTime,
    ) -> sqlx::Result<()> {
        self.add((identity, utm, kind, body), (None, None, None), at).await
    }

    async fn add(
        &self,
        (identity, utm, kind, body): (&str, &str, Kind, &str),
        (book, number, cause): (Option<&str>, Option<&str>, Option<Uuid>),
        at: OffsetDateTime,
    ) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin().await?;
        let added = sqlx::query!(
            "INSERT INTO documents (identity, utm, kind, cause, book, order_number, body, state, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'made', $8) ON CONFLICT DO NOTHING",
            identity,
            utm,
            kind.word(),
            cause,
            book,
            number,
            body,
            at
        )
        .execute(&mut *transaction)
        .await?;
        if added.rows_affected() == 1 {
            step(&mut transaction, identity, "made", None, at).await?;
        }
        transaction.commit().await
    }

    /// Notes what became of a document. The same said twice is noted once.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn note(&self, identity: &str, note: Note<'_>) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin().await?;
        noted(&mut transaction, identity, note).await?;
        transaction.commit().await
    }

    /// Documents of an order, or the newest hundred, with their history.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn documents(&self, order: Option<&str>) -> sqlx::Result<Vec<DocumentView>> {
        let rows = sqlx::query!(
            "SELECT identity, utm, kind, order_number, state, reply_id, reg_id, words, body FROM documents
             WHERE $1::text IS NULL OR order_number = $1 ORDER BY created_at DESC, identity LIMIT 100",
            order
        )
        .fetch_all(&self.pool)
        .await?;
        let mut all = Vec::new();
        for row in rows {
            let history = sqlx::query_as!(
                Move,
                "SELECT at, state, words FROM document_moves WHERE identity = $1 ORDER BY id",
                row.identity
            )
            .fetch_all(&self.pool)
            .await?;
            all.push(DocumentView {
                identity: row.identity,
                utm: row.utm,
                kind: row.kind,
                order: row.order_number,
                state: row.state,
                reply_id: row.reply_id,
                reg_id: row.reg_id,
                words: row.words,
                body: row.body,
                history,
            });
        }
        Ok(all)
    }

    /// Which of these names of the UTM's are those of other documents than this one.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn others(
        &self,
        utm: &str,
        identity: &str,
        names: &[String],
    ) -> sqlx::Result<HashSet<String>> {
        let names = sqlx::query_scalar!(
            r#"SELECT reply_id AS "reply_id!" FROM documents
             WHERE utm = $1 AND reply_id = ANY($3) AND identity <> $2"#,
            utm,
            identity,
            names
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(names.into_iter().collect())
    }

    /// Which of these names of the UTM's are those of documents of ours; `None` while it cannot be told, because one of
    /// them was perhaps sent and its name is not known, or went out again and may have two.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn ours(&self, utm: &str, names: &[String]) -> sqlx::Result<Option<HashSet<String>>> {
        let in_doubt = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT FROM documents d
             WHERE utm = $1 AND ended_at IS NULL AND state <> 'made' AND (reply_id IS NULL OR EXISTS (
                SELECT FROM document_moves m WHERE m.identity = d.identity AND m.state = 'not found, again'))) AS "is!""#,
            utm
        )
        .fetch_one(&self.pool)
        .await?;
        if in_doubt {
            return Ok(None);
        }
        let names = sqlx::query_scalar!(
            r#"SELECT reply_id AS "reply_id!" FROM documents WHERE utm = $1 AND reply_id = ANY($2)"#,
            utm,
            names
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(Some(names.into_iter().collect()))
    }

    /// Whether a question of this kind was asked: under this name of the UTM's, or, where its list names none, about
    /// this.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn has_asked(
        &self,
        utm: &str,
        kind: Kind,
        (reply_id, about): (Option<&str>, &str),
    ) -> sqlx::Result<bool> {
        sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT FROM documents WHERE utm = $1 AND kind = $2
             AND CASE WHEN $3::text IS NULL THEN strpos(body, '>' || $4 || '<') > 0
                 ELSE reply_id = $3 END) AS "has!""#,
            utm,
            kind.word(),
            reply_id,
            about
        )
        .fetch_one(&self.pool)
        .await
    }

    /// How many documents stand in each state that is not an end.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn open_documents(&self) -> sqlx::Result<Vec<(String, String, i64)>> {
        let rows = sqlx::query!(
            r#"SELECT utm, state, count(*) AS "count!" FROM documents WHERE ended_at IS NULL GROUP BY utm, state"#
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (row.utm, row.state, row.count)).collect())
    }
}

pub(super) async fn noted(
    connection: &mut PgConnection,
    identity: &str,
    note: Note<'_>,
) -> sqlx::Result<()> {
    let changed = sqlx::query!(
        "UPDATE documents SET state = $2, reply_id = coalesce($3, reply_id), reg_id = coalesce($4, reg_id),
             words = coalesce($5, words), sent_at = CASE WHEN $2 = 'sent' THEN $6 ELSE sent_at END,
             ended_at = CASE WHEN $7 THEN $6 ELSE ended_at END
         WHERE identity = $1 AND (state <> $2 OR words IS DISTINCT FROM coalesce($5, words))",
        identity,
        note.state,
        note.reply_id,
        note.reg_id,
        note.words,
        note.at,
        note.is_end
    )
    .execute(&mut *connection)
    .await?;
    if changed.rows_affected() == 1 {
        step(connection, identity, note.state, note.words, note.at).await?;
    }
    Ok(())
}

pub(super) async fn step(
    connection: &mut PgConnection,
    identity: &str,
    state: &str,
    words: Option<&str>,
    at: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO document_moves (identity, at, state, words) VALUES ($1, $2, $3, $4)",
        identity,
        at,
        state,
        words
    )
    .execute(connection)
    .await?;
    Ok(())
}
