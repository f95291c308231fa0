//! Codes that leave: taken for a withdrawal, and what became of it.

use events::{Ki, MarksBy, OrderRef};
use serde::{Deserialize, Serialize};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::{CodeStatus, Store, Why, book, free, turn};

/// A code that a job has taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Its row.
    pub id: i64,
    /// The code.
    pub ki: Ki,
    /// The order's line.
    pub line: i64,
}

/// What leaves with a shipment.
#[derive(Debug, Clone, Copy)]
pub struct Take<'a> {
    /// The order.
    pub order: &'a OrderRef,
    /// Lines, and how many pieces of each.
    pub lines: &'a [(i64, i64)],
    /// Whether only scanned pieces (or those that the shop named) may leave.
    pub only_confirmed: bool,
    /// How the codes are withdrawn.
    pub channel: MarksBy,
    /// The event.
    pub cause: Uuid,
}

/// Why codes are not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakeRefusal {
    /// A line has fewer codes than pieces that leave.
    Missing {
        /// The product's name.
        name: String,
        /// How many it has.
        has: i64,
        /// How many it needs.
        needs: i64,
    },
    /// A line has more scanned codes than pieces that leave.
    Ambiguous {
        /// The product's name.
        name: String,
    },
    /// A line has more reserved codes than pieces that leave, and nobody has said which.
    Unscanned {
        /// The product's name.
        name: String,
    },
    /// An earlier part of the order left by the other channel.
    OtherChannel,
}

impl Store {
    /// Takes exactly the codes that leave with a shipment, all or none.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer. Inside, why none is taken.
    pub async fn take(&self, take: Take<'_>) -> sqlx::Result<Result<Vec<Held>, TakeRefusal>> {
        let book = book(take.order);
        let mut transaction = self.begin(&book).await?;
        let channel = sqlx::query_scalar!(
            "UPDATE orders SET channel = coalesce(channel, $2) WHERE book = $1 RETURNING channel",
            book,
            take.channel.as_str()
        )
        .fetch_optional(&mut *transaction)
        .await?
        .flatten();
        if channel.is_some_and(|channel| channel != take.channel.as_str()) {
            transaction.rollback().await?;
            return Ok(Err(TakeRefusal::OtherChannel));
        }
        for (line, count) in take.lines {
            if let Err(refusal) = take_line(&mut transaction, &book, *line, *count, take).await? {
                transaction.rollback().await?;
                return Ok(Err(refusal));
            }
        }
        let held = held(&mut transaction, take.cause, CodeStatus::Withdrawing).await?;
        transaction.commit().await?;
        Ok(Ok(held))
    }

    /// The register has confirmed it: these codes have this status now.
    pub(crate) async fn settle(
        &self,
        order: &OrderRef,
        codes: &[i64],
        to: CodeStatus,
        (why, cause): (Why<'_>, Uuid),
    ) -> sqlx::Result<()> {
        let book = book(order);
        let mut transaction = self.begin(&book).await?;
        // Twice is once: after a crash it may be said again.
        let fresh = sqlx::query_scalar!(
            "SELECT id FROM codes WHERE id = ANY($1) AND status IN ('withdrawing', 'returning') AND cause = $2
             ORDER BY id FOR UPDATE",
            codes,
            cause
        )
        .fetch_all(&mut *transaction)
        .await?;
        match to {
            CodeStatus::InStock | CodeStatus::Quarantined => {
                note_back(&mut transaction, &book, &fresh).await?;
                free(&mut transaction, &fresh, to, why).await?;
            }
            _ => turn(&mut transaction, &fresh, to, &book, why).await?,
        }
        transaction.commit().await
    }
}

/// Counts the pieces that come home from a sale. A cancelled order that is restored wants them again.
async fn note_back(
    transaction: &mut PgTransaction<'_>,
    book: &str,
    codes: &[i64],
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE order_lines SET back = back + home.count FROM
             (SELECT line, count(*) AS count FROM codes WHERE id = ANY($2) AND status = 'returning' GROUP BY line) home,
             orders
         WHERE order_lines.book = $1 AND order_lines.line = home.line AND orders.book = $1
             AND (cancelled_at IS NULL OR cancelled_at < seen_at)",
        book,
        codes
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn take_line(
    transaction: &mut PgTransaction<'_>,
    book: &str,
    line: i64,
    count: i64,
    take: Take<'_>,
) -> sqlx::Result<Result<(), TakeRefusal>> {
    let gone = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM codes WHERE book = $1 AND line = $2 AND cause = $3
           AND status IN ('withdrawing', 'sold')"#,
        book,
        line,
        take.cause
    )
    .fetch_one(&mut **transaction)
    .await?;
    let needs = count - gone;
    if needs <= 0 {
        return Ok(Ok(()));
    }
    let rows = sqlx::query!(
        "SELECT id, confirmed FROM codes WHERE book = $1 AND line = $2 AND status = 'in_order' AND (confirmed OR NOT $3)
         ORDER BY id FOR UPDATE",
        book,
        line,
        take.only_confirmed
    )
    .fetch_all(&mut **transaction)
    .await?;
    let all: Vec<i64> = rows.iter().map(|row| row.id).collect();
    // Where reservations are enough, a scan still says which pieces of a line leave first.
    let scanned: Vec<i64> = rows.iter().filter(|row| row.confirmed).map(|row| row.id).collect();
    let (found, named) = (length(&all), length(&scanned));
    let leaving = [all, scanned].into_iter().find(|codes| length(codes) == needs);
    let Some(leaving) = leaving else {
        let name = line_name(transaction, book, line).await?;
        return Ok(Err(if found < needs {
            TakeRefusal::Missing { name, has: found, needs }
        } else if named > needs {
            TakeRefusal::Ambiguous { name }
        } else {
            TakeRefusal::Unscanned { name }
        }));
    };
    let why = Why::event("shipped", take.cause);
    turn(transaction, &leaving, CodeStatus::Withdrawing, book, why).await?;
    Ok(Ok(()))
}

fn length(codes: &[i64]) -> i64 {
    i64::try_from(codes.len()).unwrap_or(i64::MAX)
}

/// The codes that the event's job has in this status.
pub(super) async fn held(
    transaction: &mut PgTransaction<'_>,
    cause: Uuid,
    status: CodeStatus,
) -> sqlx::Result<Vec<Held>> {
    let rows = sqlx::query!(
        r#"SELECT id, ki, line AS "line!" FROM codes WHERE cause = $1 AND status = $2 AND line IS NOT NULL ORDER BY ki"#,
        cause,
        status.as_str()
    )
    .fetch_all(&mut **transaction)
    .await?;
    let ki = |text: String| Ki::try_from(text).map_err(|error| sqlx::Error::Decode(error.into()));
    rows.into_iter().map(|row| Ok(Held { id: row.id, ki: ki(row.ki)?, line: row.line })).collect()
}

/// The product's name of a line, for people.
pub(super) async fn line_name(
    transaction: &mut PgTransaction<'_>,
    book: &str,
    line: i64,
) -> sqlx::Result<String> {
    let name = sqlx::query_scalar!(
        "SELECT name FROM order_lines WHERE book = $1 AND line = $2",
        book,
        line
    )
    .fetch_optional(&mut **transaction)
    .await?;
    Ok(name.unwrap_or_default())
}
