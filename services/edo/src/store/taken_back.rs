//! What an order took back, and whether a document was out by then.
//!
//! Who takes back and who sends hold the order's lock while they look at each other: either the document sees what was
//! taken back and stays, or the other sees a document that is on its way.

use events::OrderRef;
use sqlx::{PgConnection, PgTransaction};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{State, Store, book};
use crate::diadoc::Posted;

/// How an order took its goods back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TakenBack {
    /// The whole order.
    Cancelled,
    /// Some of its goods, or all.
    Returned,
}

/// What stands against it at Diadoc.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing was sent, and nothing will be without a person.
    Nothing,
    /// A document may be there; its sending knows soon.
    OnItsWay,
    /// This document, by its number; where it is at Diadoc, if that is known.
    Document(String, Option<Posted>),
}

impl TakenBack {
    const fn word(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Returned => "returned",
        }
    }
}

impl Store {
    /// Notes that an order took its goods back at this moment, and tells what was sent by then.
    pub(crate) async fn take_back(
        &self,
        order: &OrderRef,
        what: TakenBack,
        at: OffsetDateTime,
    ) -> sqlx::Result<Standing> {
        let book = book(order);
        let mut transaction = self.pool.begin().await?;
        lock(&mut transaction, &book).await?;
        sqlx::query!(
            "INSERT INTO taken_back AS t (book, what, at) VALUES ($1, $2, $3)
             ON CONFLICT (book) DO UPDATE SET what = $2, at = $3 WHERE t.at < $3",
            book,
            what.word(),
            at
        )
        .execute(&mut *transaction)
        .await?;
        let last = sqlx::query!(
            r#"SELECT number, message_id, entity_id, state FROM documents
               WHERE book = $1 AND state IN ('sending', 'sent', 'signed', 'to_correct', 'corrected', 'unknown', 'by_hand')
               ORDER BY message_id IS NULL, made_at DESC LIMIT 1"#,
            book
        )
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(match last {
            None => Standing::Nothing,
            Some(last) if last.state == "sending" && last.message_id.is_none() => {
                Standing::OnItsWay
            }
            Some(last) => {
                let posted = last.message_id.zip(last.entity_id);
                let posted = posted.map(|(message, entity)| Posted { message, entity });
                Standing::Document(last.number, posted)
            }
        })
    }

    /// What an order took back after this moment, if anything.
    pub(crate) async fn taken_back_since(
        &self,
        order: &OrderRef,
        since: OffsetDateTime,
    ) -> sqlx::Result<Option<TakenBack>> {
        let mut connection = self.pool.acquire().await?;
        since_then(&mut connection, &book(order), since).await
    }

    /// The write-ahead mark of a sending, unless the order has taken its goods back since that moment.
    pub(crate) async fn set_out(
        &self,
        order: &OrderRef,
        id: Uuid,
        since: OffsetDateTime,
    ) -> sqlx::Result<Option<TakenBack>> {
        let book = book(order);
        let mut transaction = self.pool.begin().await?;
        lock(&mut transaction, &book).await?;
        if let Some(taken) = since_then(&mut transaction, &book, since).await? {
            transaction.rollback().await?;
            return Ok(Some(taken));
        }
        sqlx::query!(
            "WITH changed AS (
                 UPDATE documents SET state = $2, detail = '', changed_at = now()
                 WHERE id = $1 AND state <> $2 RETURNING id)
             INSERT INTO document_states (document, state, detail) SELECT id, $2, '' FROM changed",
            id,
            State::Sending.word()
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(None)
    }
}

async fn lock(transaction: &mut PgTransaction<'_>, book: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' edo ' || $1, 0))",
        book
    )
    .execute(&mut **transaction)
    .await
    .map(drop)
}

async fn since_then(
    connection: &mut PgConnection,
    book: &str,
    since: OffsetDateTime,
) -> sqlx::Result<Option<TakenBack>> {
    let what =
        sqlx::query_scalar!("SELECT what FROM taken_back WHERE book = $1 AND at > $2", book, since)
            .fetch_optional(connection)
            .await?;
    Ok(what.map(|what| match what.as_str() {
        "cancelled" => TakenBack::Cancelled,
        _ => TakenBack::Returned,
    }))
}
