//! Orders that are cancelled.

use events::OrderRef;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{CodeStatus, Held, Store, Why, book, free, turn, withdraw::held};

/// What a cancelling finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cancelled {
    /// Nothing of the order has left: its codes are free again, so many.
    Freed(usize),
    /// Something is on its way: it decides first.
    Wait,
    /// These have left and must come back.
    Left(Vec<Held>),
    /// The order was restored since: this cancelling is history.
    Restored,
}

/// What is said of a cancelling.
#[derive(Debug, Clone, Copy)]
pub struct Cancel<'a> {
    /// The order.
    pub order: &'a OrderRef,
    /// The order's own time of it.
    pub at: OffsetDateTime,
    /// The status that means it, where the order's own flag does not say it.
    pub status: Option<&'a str>,
    /// The event.
    pub cause: Uuid,
}

impl Store {
    /// Whether the order is cancelled, as far as it is known.
    pub(crate) async fn is_cancelled(&self, order: &OrderRef) -> sqlx::Result<bool> {
        sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT 1 FROM orders WHERE book = $1 AND cancelled_at >= seen_at) AS "is!""#,
            book(order)
        )
        .fetch_one(&self.pool)
        .await
    }

    /// The order is cancelled: what it only has reserved is free, what has left must come back.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn cancel(
        &self,
        Cancel { order, at, status, cause }: Cancel<'_>,
    ) -> sqlx::Result<Cancelled> {
        let book = book(order);
        let mut transaction = self.begin(&book).await?;
        let entered = sqlx::query_scalar!(
            r#"INSERT INTO orders (book, number, seen_at, cancelled_at, cancelled_status) VALUES ($1, $2, $3, $3, $4)
               ON CONFLICT (book) DO UPDATE SET seen_at = greatest(orders.seen_at, excluded.seen_at),
                   cancelled_at = greatest(orders.seen_at, excluded.seen_at), cancelled_status = excluded.cancelled_status
               WHERE orders.seen_at <= excluded.seen_at OR orders.seen_status = $4 RETURNING true AS "entered!""#,
            book,
            order.number,
            at,
            status
        )
        .fetch_optional(&mut *transaction)
        .await?;
        // A snapshot that is not cancelled and newer than this was entered already.
        if entered.is_none() {
            transaction.rollback().await?;
            return Ok(Cancelled::Restored);
        }
        let codes = sqlx::query!(
            "SELECT id, status, cause FROM codes WHERE book = $1 ORDER BY id FOR UPDATE",
            book
        )
        .fetch_all(&mut *transaction)
        .await?;
        let of = |status: &str| -> Vec<i64> {
            codes.iter().filter(|code| code.status == status).map(|code| code.id).collect()
        };
        let reserved = of("in_order");
        let why = Why::event("cancelled", cause);
        free(&mut transaction, &reserved, CodeStatus::InStock, why).await?;
        let is_foreign =
            |code: &i64| codes.iter().any(|row| row.id == *code && row.cause != Some(cause));
        let busy = !of("withdrawing").is_empty() || of("returning").iter().any(is_foreign);
        if busy {
            transaction.commit().await?;
            return Ok(Cancelled::Wait);
        }
        turn(&mut transaction, &of("sold"), CodeStatus::Returning, &book, why).await?;
        let held = held(&mut transaction, cause, CodeStatus::Returning).await?;
        transaction.commit().await?;
        Ok(if held.is_empty() { Cancelled::Freed(reserved.len()) } else { Cancelled::Left(held) })
    }
}
