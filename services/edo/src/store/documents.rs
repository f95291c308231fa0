//! Documents: written once, signed once, and how they stand.

use events::OrderRef;
use sqlx::PgTransaction;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Store, book, order_of};
use crate::{diadoc::Posted, plan::Numbers};

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
    /// Refused by Diadoc or by the signer: it has not left.
    Refused,
    /// Another one was made in its place before it left.
    Replaced,
    /// Revoked.
    Revoked,
    /// The buyer wants it corrected.
    ToCorrect,
    /// A correcting document (УКД) to it was sent, by hand.
    Corrected,
    /// Nobody can tell whether it is there.
    Unknown,
    /// A person has found it, and Diadoc does not show it under our name for it.
    ByHand,
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
            Self::Corrected => "corrected",
            Self::Unknown => "unknown",
            Self::ByHand => "by_hand",
            Self::Replaced => "replaced",
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

/// A document that a buyer has had, with its order.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) id: Uuid,
    pub(crate) order: OrderRef,
    pub(crate) number: String,
    pub(crate) posted: Posted,
    pub(crate) state: String,
    pub(crate) detail: String,
}

/// How many documents stand how.
pub(crate) type Counts = Vec<(String, i64)>;

impl Store {
    /// Writes a document down. Twice is once: the first bytes stay. An earlier one of the same fact that was not sent, or
    /// of which a person has said that it is not there, is replaced by it.
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
            begin(&mut transaction, written).await?;
        }
        transaction.commit().await
    }

    /// The numbers of an order's documents: that of this fact's, and those of other facts'.
    pub(crate) async fn numbers(&self, order: &OrderRef, cause: Uuid) -> sqlx::Result<Numbers> {
        let rows = sqlx::query!(
            r#"SELECT DISTINCT number, cause = $2 AS "is_own!" FROM documents WHERE book = $1"#,
            book(order),
            cause
        )
        .fetch_all(&self.pool)
        .await?;
        let mut numbers = Numbers::default();
        for row in rows {
            if row.is_own {
                numbers.own = Some(row.number);
            } else {
                numbers.taken.push(row.number);
            }
        }
        Ok(numbers)
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

    /// The document of a message, where the buyer has signed it or wants it corrected.
    pub(crate) async fn settled(&self, message: &str) -> sqlx::Result<Option<Settled>> {
        let row = sqlx::query!(
            r#"SELECT id, book, order_number, number, entity_id AS "entity!", state, detail FROM documents
               WHERE message_id = $1 AND entity_id IS NOT NULL AND state IN ('signed', 'to_correct')"#,
            message
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.and_then(|row| {
            let posted = Posted { message: message.to_owned(), entity: row.entity };
            let order = order_of(&row.book, row.order_number)?;
            let (id, number, state, detail) = (row.id, row.number, row.state, row.detail);
            Some(Settled { id, order, number, posted, state, detail })
        }))
    }

    /// Whether a correcting document to this one was sent.
    pub(crate) async fn is_corrected(&self, posted: &Posted) -> sqlx::Result<bool> {
        let found = sqlx::query_scalar!(
            r#"SELECT state = 'corrected' AS "is!" FROM documents WHERE message_id = $1"#,
            posted.message
        );
        Ok(found.fetch_optional(&self.pool).await?.unwrap_or(false))
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

/// The history of a new document begins, and that of what it replaces ends.
async fn begin(transaction: &mut PgTransaction<'_>, written: &Written<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO document_states (document, state, detail) VALUES ($1, 'written', '')",
        written.id
    )
    .execute(&mut **transaction)
    .await?;
    sqlx::query!(
        "WITH changed AS (
                     UPDATE documents SET state = $3, detail = '', changed_at = now()
                     WHERE cause = $1 AND id <> $2 AND state IN ('written', 'sending', 'unknown') RETURNING id)
                 INSERT INTO document_states (document, state, detail) SELECT id, $3, '' FROM changed",
        written.cause,
        written.id,
        State::Replaced.word()
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
