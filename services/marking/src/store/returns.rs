//! Codes that come back.

use std::collections::BTreeSet;

use events::{Label, OrderRef};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::{
    CodeStatus, Held, Store, Why, book, turn,
    withdraw::{held, line_name},
};

/// What came back of a line.
#[derive(Debug, Clone)]
pub struct Back {
    /// The line.
    pub line: i64,
    /// How many pieces.
    pub count: i64,
    /// The codes that the shop still shows at the line, if it names codes at all.
    pub left: Option<Vec<Label>>,
}

/// Why codes are not taken for a return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackRefusal {
    /// A withdrawal of the order is under way: it decides first.
    Wait,
    /// Which pieces of the line came back is open: the product's name.
    Ambiguous(String),
    /// The line has fewer sold pieces than came back: the product's name.
    TooMany(String),
}

impl Store {
    /// The order's lines that are, or were, marked, as far as the stock knows.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn lines(&self, order: &OrderRef) -> sqlx::Result<BTreeSet<i64>> {
        let lines =
            sqlx::query_scalar!("SELECT line FROM order_lines WHERE book = $1", book(order))
                .fetch_all(&self.pool)
                .await?;
        Ok(lines.into_iter().collect())
    }

    /// Whether this very return has taken its codes before.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn has_come_back(&self, cause: Uuid) -> sqlx::Result<bool> {
        sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT 1 FROM moves WHERE cause = $1 AND status = 'returning') AS "back!""#,
            cause
        )
        .fetch_one(&self.pool)
        .await
    }

    /// Takes the codes of what came back, all or none.
    ///
    /// Which pieces they are is told by scans, by the codes that the order has lost, or by all having
    /// come back.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer. Inside, why none is taken.
    pub async fn take_back(
        &self,
        order: &OrderRef,
        lines: &[Back],
        cause: Uuid,
    ) -> sqlx::Result<Result<Vec<Held>, BackRefusal>> {
        let book = book(order);
        let mut transaction = self.begin(&book).await?;
        let busy = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT 1 FROM codes WHERE book = $1 AND cause <> $2
               AND status IN ('withdrawing', 'returning')) AS "busy!""#,
            book,
            cause
        )
        .fetch_one(&mut *transaction)
        .await?;
        if busy {
            transaction.rollback().await?;
            return Ok(Err(BackRefusal::Wait));
        }
        for back in lines {
            if let Err(refusal) = take_line(&mut transaction, &book, back, cause).await? {
                transaction.rollback().await?;
                return Ok(Err(refusal));
            }
        }
        let held = held(&mut transaction, cause, CodeStatus::Returning).await?;
        transaction.commit().await?;
        Ok(Ok(held))
    }
}

async fn take_line(
    transaction: &mut PgTransaction<'_>,
    book: &str,
    back: &Back,
    cause: Uuid,
) -> sqlx::Result<Result<(), BackRefusal>> {
    let rows = sqlx::query!(
        "SELECT id, ki, came_back, status, cause FROM codes WHERE book = $1 AND line = $2
         AND status IN ('sold', 'returning') ORDER BY id FOR UPDATE",
        book,
        back.line
    )
    .fetch_all(&mut **transaction)
    .await?;
    let is_taken = |status: &str, by: Option<Uuid>| status == "returning" && by == Some(cause);
    let taken = rows.iter().filter(|row| is_taken(&row.status, row.cause)).count();
    let home = home(transaction, back.line, cause).await?;
    let needs = usize::try_from(back.count - home).unwrap_or(0).saturating_sub(taken);
    if needs == 0 {
        return Ok(Ok(()));
    }
    let sold: Vec<_> = rows.iter().filter(|row| row.status == "sold").collect();
    let scanned: Vec<i64> = sold.iter().filter(|row| row.came_back).map(|row| row.id).collect();
    let lost = |left: &Vec<Label>| -> Vec<i64> {
        let is_left = |ki: &str| left.iter().any(|label| label.ki().as_str() == ki);
        sold.iter().filter(|row| !is_left(&row.ki)).map(|row| row.id).collect()
    };
    let lost = back.left.as_ref().map(lost).unwrap_or_default();
    let all: Vec<i64> = sold.iter().map(|row| row.id).collect();
    // More are scanned where several returns are told: all of them are back, so any will do for this one.
    let some_scanned = scanned.get(..needs).unwrap_or_default().to_vec();
    let fits = [scanned, all, lost, some_scanned].into_iter().find(|codes| codes.len() == needs);
    let Some(codes) = fits else {
        let name = line_name(transaction, book, back.line).await?;
        let is_short = sold.len() < needs;
        return Ok(Err(if is_short {
            BackRefusal::TooMany(name)
        } else {
            BackRefusal::Ambiguous(name)
        }));
    };
    let why = Why::event("returned", cause);
    turn(transaction, &codes, CodeStatus::Returning, book, why).await?;
    Ok(Ok(()))
}

/// How many pieces of a line this very return has brought home already: another part of it was refused.
async fn home(transaction: &mut PgTransaction<'_>, line: i64, cause: Uuid) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(DISTINCT code) AS "count!" FROM moves home
           WHERE cause = $1 AND status IN ('in_stock', 'quarantined') AND EXISTS
               (SELECT 1 FROM moves WHERE code = home.code AND cause = $1 AND status = 'returning' AND line = $2)"#,
        cause,
        line
    )
    .fetch_one(&mut **transaction)
    .await
}
