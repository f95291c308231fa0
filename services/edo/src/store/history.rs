//! What is told of documents over the interface.

use events::OrderRef;
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Store, book};

/// A document in an order's history.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    id: Uuid,
    revision: i32,
    correction: Option<i32>,
    kind: String,
    function: String,
    version: String,
    file_name: String,
    number: String,
    total_kopecks: i64,
    state: String,
    detail: String,
    message_id: Option<String>,
    entity_id: Option<String>,
    is_signed_by_us: bool,
    #[serde(with = "time::serde::rfc3339")]
    made_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    sent_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    delivered_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    signed_at: Option<OffsetDateTime>,
}

/// A state that a document has had.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    state: String,
    detail: String,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
}

impl Store {
    /// The documents of an order, oldest first.
    pub(crate) async fn history(&self, order: &OrderRef) -> sqlx::Result<Vec<Listed>> {
        sqlx::query_as!(
            Listed,
            r#"SELECT id, revision, correction, kind, function, version, file_name, number,
                   total AS total_kopecks, state, detail, message_id, entity_id,
                   signature IS NOT NULL AS "is_signed_by_us!", made_at, sent_at, delivered_at, signed_at
               FROM documents WHERE book = $1 ORDER BY made_at, id"#,
            book(order)
        )
        .fetch_all(&self.pool)
        .await
    }

    /// Every state a document has had, oldest first.
    pub(crate) async fn states(&self, id: Uuid) -> sqlx::Result<Vec<Entry>> {
        sqlx::query_as!(
            Entry,
            "SELECT state, detail, at FROM document_states WHERE document = $1 ORDER BY id",
            id
        )
        .fetch_all(&self.pool)
        .await
    }

    /// A document's file: its name and exact bytes.
    pub(crate) async fn file(&self, id: Uuid) -> sqlx::Result<Option<(String, Vec<u8>)>> {
        let row = sqlx::query!("SELECT file_name, content FROM documents WHERE id = $1", id);
        let row = row.fetch_optional(&self.pool).await?;
        Ok(row.map(|row| (row.file_name, row.content)))
    }

    /// The signature over a document's bytes.
    pub(crate) async fn signature(&self, id: Uuid) -> sqlx::Result<Option<(String, Vec<u8>)>> {
        let row = sqlx::query!(
            r#"SELECT file_name, signature AS "signature!" FROM documents
               WHERE id = $1 AND signature IS NOT NULL"#,
            id
        );
        let row = row.fetch_optional(&self.pool).await?;
        Ok(row.map(|row| (row.file_name, row.signature)))
    }
}
