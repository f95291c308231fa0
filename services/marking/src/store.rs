//! The tables of this service: stock with its history, imports, orders, documents, sessions.
//!
//! Everything that changes codes of an order does so under a lock on that order, and moves a code
//! only out of the status it was seen in: two jobs cannot have one code.

mod cancel;
mod departures;
mod documents;
mod imports;
mod orders;
mod quarantine;
mod read;
mod returns;
mod scan;
mod sendings;
mod sessions;
mod status;
mod unbind;
mod withdraw;

use events::OrderRef;
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

pub use cancel::{Cancel, Cancelled};
pub(crate) use documents::Written;
pub use documents::{Paper, PaperState};
pub use imports::{ImportError, Imported, ReportRow};
pub use orders::{Reserve, Reserved, Short, Wanted};
pub use quarantine::Kept;
pub use read::{Counts, History, OrderView, Piece, ViewLine};
pub use returns::{Back, BackRefusal};
pub use scan::{Scan, ScanRefusal, Scanned};
pub use sessions::Session;
pub use status::CodeStatus;
pub use withdraw::{Held, Take, TakeRefusal};

/// The tables. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
}

/// Why a code changed its status: a word for the history, the order, the event, the person.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Why<'a> {
    pub(crate) word: &'a str,
    pub(crate) cause: Option<Uuid>,
    pub(crate) person: Option<&'a str>,
    /// What was said about it, for people.
    pub(crate) detail: &'a str,
}

impl<'a> Why<'a> {
    pub(crate) const fn event(word: &'a str, cause: Uuid) -> Self {
        Self { word, cause: Some(cause), person: None, detail: "" }
    }

    pub(crate) const fn person(word: &'a str, person: &'a str) -> Self {
        Self { word, cause: None, person: Some(person), detail: "" }
    }
}

impl Store {
    /// The tables in this database; the pool's search path names the schema.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The database.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// A transaction in which nobody else changes the codes of this order.
    async fn begin(&self, book: &str) -> sqlx::Result<PgTransaction<'static>> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' ' || $1, 0))",
            book
        )
        .execute(&mut *transaction)
        .await?;
        Ok(transaction)
    }
}

/// A shop's portal and its site number their orders each for themselves.
#[must_use]
pub fn book(order: &OrderRef) -> String {
    let keeper = if order.site { "site" } else { "portal" };
    format!("{} {keeper} {}", order.shop, order.id)
}

/// Writes the history of codes that have just changed.
async fn note(
    transaction: &mut PgTransaction<'_>,
    codes: &[i64],
    status: CodeStatus,
    book: Option<&str>,
    why: Why<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO moves (code, status, why, book, cause, person, detail, line)
         SELECT moved.code, $2, $3, $4, $5, $6, $7, codes.line
         FROM unnest($1::bigint[]) AS moved (code) LEFT JOIN codes ON codes.id = moved.code",
        codes,
        status.as_str(),
        why.word,
        book,
        why.cause,
        why.person,
        why.detail
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Puts codes back into stock (or into quarantine): no order has them any more.
async fn free(
    transaction: &mut PgTransaction<'_>,
    codes: &[i64],
    to: CodeStatus,
    why: Why<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE codes SET status = $2, book = NULL, line = NULL, confirmed = false, came_back = false,
             cause = $3, changed_at = now() WHERE id = ANY($1)",
        codes,
        to.as_str(),
        why.cause
    )
    .execute(&mut **transaction)
    .await?;
    note(transaction, codes, to, None, why).await
}

/// Moves codes that stay with their order to another status.
async fn turn(
    transaction: &mut PgTransaction<'_>,
    codes: &[i64],
    to: CodeStatus,
    book: &str,
    why: Why<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE codes SET status = $2, cause = coalesce($3, cause), changed_at = now() WHERE id = ANY($1)",
        codes,
        to.as_str(),
        why.cause
    )
    .execute(&mut **transaction)
    .await?;
    note(transaction, codes, to, Some(book), why).await
}
