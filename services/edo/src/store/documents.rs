//! Documents: written once, signed once, and how they stand.

use events::OrderRef;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Store, book};

/// How a document stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Written, not sent.
    Written,
    /// Perhaps sent.
    Sending,
    /// At Diadoc.
    Sent,
    /// Signed by the buyer.
    Signed,
    /// Refused by the buyer.
    Rejected,
    /// Refused by Diadoc.
    Refused,
    /// Revoked.
    Revoked,
    /// The buyer wants it corrected.
    ToCorrect,
    /// Nobody can tell whether it is there.
    Unknown,
}

impl State {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Signed => "signed",
            Self::Rejected => "rejected",
            Self::Refused => "refused",
            Self::Revoked => "revoked",
            Self::ToCorrect => "to_correct",
            Self::Unknown => "unknown",
        }
    }
}

/// A document as it is written down.
#[derive(Debug)]
pub struct Written<'a> {
    /// Our name for it.
    pub id: Uuid,
    /// The event.
    pub cause: Uuid,
    /// The order.
    pub order: &'a OrderRef,
    /// Which attempt.
    pub revision: u32,
    /// Which correction, if it is one.
    pub correction: Option<u32>,
    /// `TypeNamedId`.
    pub kind: &'a str,
    /// `Function`.
    pub function: &'a str,
    /// `Version`.
    pub version: &'a str,
    /// The file's name.
    pub file_name: &'a str,
    /// The document's number.
    pub number: &'a str,
    /// The sum with VAT in kopecks.
    pub total: i64,
    /// The buyer's box.
    pub receiver: &'a str,
    /// The key under which it is sent.
    pub operation: &'a str,
    /// The exact bytes.
    pub content: &'a [u8],
    /// When it was made.
    pub made_at: OffsetDateTime,
}

/// A document as it is kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// `TypeNamedId`.
    pub kind: String,
    /// `Function`.
    pub function: String,
    /// `Version`.
    pub version: String,
    /// The document's number.
    pub number: String,
    /// The buyer's box.
    pub receiver: String,
    /// The key under which it is sent.
    pub operation: String,
    /// The exact bytes.
    pub content: Vec<u8>,
    /// The signature.
    pub signature: Option<Vec<u8>>,
    /// When it was sent.
    pub sent_at: Option<OffsetDateTime>,
}

/// How many documents stand how.
pub(crate) type Counts = Vec<(String, i64)>;

impl Store {
    /// Writes a document down. Twice is once: the first bytes stay.
    pub(crate) async fn write(&self, written: &Written<'_>) -> sqlx::Result<()> {
        let signed = i32::try_from(written.revision).unwrap_or(i32::MAX);
        let correction = written.correction.and_then(|number| i32::try_from(number).ok());
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query!(
            "INSERT INTO documents (id, cause, book, order_number, revision, correction, kind, function, version,
                 file_name, number, total, receiver, operation, content, made_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
             ON CONFLICT (id) DO NOTHING",
            written.id,
            written.cause,
            book(written.order),
            written.order.number,
            signed,
            correction,
            written.kind,
            written.function,
            written.version,
            written.file_name,
            written.number,
            written.total,
            written.receiver,
            written.operation,
            written.content,
            written.made_at,
        )
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 1 {
            sqlx::query!(
                "INSERT INTO document_states (document, state, detail) VALUES ($1, 'written', '')",
                written.id
            )
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    }

    /// A document.
    pub(crate) async fn document(&self, id: Uuid) -> sqlx::Result<Kept> {
        sqlx::query_as!(
            Kept,
            "SELECT kind, function, version, number, receiver, operation, content, signature, sent_at
             FROM documents WHERE id = $1",
            id
        )
        .fetch_one(&self.pool)
        .await
    }

    /// Keeps the first signature of a document, and answers the one that is kept.
    pub(crate) async fn sign(&self, id: Uuid, signature: &[u8]) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE documents SET signature = $2, changed_at = now() WHERE id = $1 AND signature IS NULL",
            id,
            signature
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Notes how a document stands; the same again changes nothing.
    pub(crate) async fn mark(&self, id: Uuid, state: State, detail: &str) -> sqlx::Result<()> {
        sqlx::query!(
            "WITH changed AS (
                 UPDATE documents SET state = $2, detail = $3, changed_at = now()
                 WHERE id = $1 AND (state, detail) IS DISTINCT FROM ($2, $3) RETURNING id)
             INSERT INTO document_states (document, state, detail) SELECT id, $2, $3 FROM changed",
            id,
            state.word(),
            detail
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Notes where a document is at Diadoc.
    pub(crate) async fn sent(
        &self,
        id: Uuid,
        message: &str,
        entity: &str,
        at: OffsetDateTime,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE documents SET message_id = $2, entity_id = $3, sent_at = coalesce(sent_at, $4) WHERE id = $1",
            id,
            message,
            entity,
            at
        )
        .execute(&self.pool)
        .await?;
        self.mark(id, State::Sent, "").await
    }

    /// Notes when a document reached the buyer and when he signed it.
    pub(crate) async fn times(
        &self,
        id: Uuid,
        delivered: Option<OffsetDateTime>,
        signed: Option<OffsetDateTime>,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE documents SET delivered_at = coalesce(delivered_at, $2), signed_at = coalesce(signed_at, $3)
             WHERE id = $1",
            id,
            delivered,
            signed
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// How many documents stand how.
    pub(crate) async fn counts(&self) -> sqlx::Result<Counts> {
        let rows = sqlx::query!(
            r#"SELECT state, count(*) AS "count!" FROM documents GROUP BY state ORDER BY state"#
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (row.state, row.count)).collect())
    }
}
