//! The table of ledgers: what each fact of an order came to.

use events::{Event, OrderRef};
use sqlx::{PgPool, PgTransaction};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    ledger::{Deed, Entry},
    plan::Plan,
    receipt::Refusal,
};

/// The ledgers of all orders.
#[derive(Debug, Clone)]
pub struct Ledgers(PgPool);

/// Why nothing can be read from or written into a ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// PostgreSQL does not answer.
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    /// An entry that this version does not understand.
    #[error("an entry of the ledger cannot be read or written: {0:?}")]
    Entry(serde_json::error::Category),
}

impl Ledgers {
    /// The table in this database; the pool's search path names the schema.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// The database.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.0
    }

    /// Plans what follows from `event` for its order and enters it, while nobody else does.
    ///
    /// What the same event came to before is not part of the plan and is replaced, as long as the
    /// register has not issued it.
    ///
    /// # Errors
    /// [`LedgerError`]. Inside, the plan's own [`Refusal`]: then nothing is entered.
    pub async fn enter(
        &self,
        event: &Event,
        order: &OrderRef,
        plan: impl FnOnce(&[Entry]) -> Result<Plan, Refusal> + Send,
    ) -> Result<Result<Plan, Refusal>, LedgerError> {
        let (book, cause) = (book(order), event.id());
        let mut transaction = self.0.begin().await?;
        sqlx::query!(
            "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' ' || $1, 0))",
            book
        )
        .execute(&mut *transaction)
        .await?;
        let (own, entries): (Vec<Entry>, Vec<Entry>) =
            all(&mut transaction, &book).await?.into_iter().partition(|e| e.cause == cause);
        if own.iter().any(|entry| entry.settled) {
            transaction.rollback().await?;
            return Ok(Ok(Plan::Nothing("it is entered already")));
        }
        let plan = match plan(&entries) {
            Ok(plan) => plan,
            Err(refusal) => {
                transaction.rollback().await?;
                return Ok(Err(refusal));
            }
        };
        match &plan {
            Plan::Issue(deed) => put(&mut transaction, &book, event, deed, false).await?,
            Plan::Note(deed) => put(&mut transaction, &book, event, deed, true).await?,
            Plan::Nothing(_) | Plan::Wait(_) => {
                sqlx::query!("DELETE FROM ledger WHERE cause = $1 AND NOT settled", cause)
                    .execute(&mut *transaction)
                    .await?;
            }
        }
        transaction.commit().await?;
        Ok(Ok(plan))
    }

    /// The register has issued the receipt that follows from the event `cause`.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn settle(&self, cause: Uuid) -> Result<(), sqlx::Error> {
        sqlx::query!("UPDATE ledger SET settled = true WHERE cause = $1", cause)
            .execute(&self.0)
            .await
            .map(drop)
    }

    /// How many receipts of settlements before `moment` are not issued, and when the oldest of
    /// them took place.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn open_before(
        &self,
        moment: OffsetDateTime,
    ) -> Result<Option<(i64, OffsetDateTime)>, sqlx::Error> {
        let row = sqlx::query!(
            r#"SELECT count(*) AS "receipts!", min(happened_at) AS oldest FROM ledger
               WHERE NOT settled AND happened_at < $1"#,
            moment
        )
        .fetch_one(&self.0)
        .await?;
        Ok(row.oldest.map(|oldest| (row.receipts, oldest)))
    }

    /// All entries of an order, in the order in which they were made.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn entries(&self, order: &OrderRef) -> Result<Vec<Entry>, LedgerError> {
        let mut transaction = self.0.begin().await?;
        let entries = all(&mut transaction, &book(order)).await?;
        transaction.rollback().await?;
        Ok(entries)
    }
}

/// A shop's portal and its site number their orders each for themselves.
fn book(order: &OrderRef) -> String {
    let keeper = if order.site { "site" } else { "portal" };
    format!("{} {keeper} {}", order.shop, order.id)
}

async fn all(transaction: &mut PgTransaction<'_>, book: &str) -> Result<Vec<Entry>, LedgerError> {
    let rows = sqlx::query!(
        "SELECT cause, deed, settled FROM ledger WHERE book = $1 ORDER BY place",
        book
    )
    .fetch_all(&mut **transaction)
    .await?;
    let read = |text: &str| {
        serde_json::from_str(text).map_err(|error| LedgerError::Entry(error.classify()))
    };
    let entry = |cause, text: &str, settled| Ok(Entry { cause, deed: read(text)?, settled });
    rows.iter().map(|row| entry(row.cause, &row.deed, row.settled)).collect()
}

async fn put(
    transaction: &mut PgTransaction<'_>,
    book: &str,
    event: &Event,
    deed: &Deed,
    settled: bool,
) -> Result<(), LedgerError> {
    let text = serde_json::to_string(deed).map_err(|error| LedgerError::Entry(error.classify()))?;
    sqlx::query!(
        "INSERT INTO ledger (cause, book, deed, settled, happened_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (cause) DO UPDATE SET deed = excluded.deed, settled = excluded.settled
         WHERE NOT ledger.settled",
        event.id(),
        book,
        text,
        settled,
        event.time()
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
