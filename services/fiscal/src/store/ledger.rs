//! The table of ledgers: what each fact of an order came to.

use events::{Event, Fact};
use sha2::{Digest as _, Sha256};
use sqlx::{PgPool, PgTransaction};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    ledger::{Deed, Entry},
    plan::{Plan, corrected, in_flight},
    receipt::{BookFault, Contact, Refusal},
    subject::Subject,
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
    /// register has not issued it: the new entry stands after all that it was planned from. Unless a person has `looked`, a receipt that looks like one
    /// which came by the other way is not entered.
    ///
    /// # Errors
    /// [`LedgerError`]. Inside, the plan's own [`Refusal`]: then nothing is entered.
    pub async fn enter(
        &self,
        event: &Event,
        subject: &Subject,
        looked: bool,
        plan: impl FnOnce(&[Entry]) -> Result<Plan, Refusal> + Send,
    ) -> Result<Result<Plan, Refusal>, LedgerError> {
        let (book, cause) = (subject.book.as_str(), event.id());
        let mut transaction = self.0.begin().await?;
        lock(&mut transaction, book).await?;
        let (own, entries): (Vec<Entry>, Vec<Entry>) =
            all(&mut transaction, book).await?.into_iter().partition(|e| e.cause == cause);
        if own.iter().any(|entry| entry.settled) {
            transaction.rollback().await?;
            return Ok(Ok(Plan::Nothing("it is entered already")));
        }
        let plan = match plan(&entries) {
            Ok(plan) => plan,
            Err(refusal) => {
                waits(&mut transaction, event, false).await?;
                transaction.commit().await?;
                return Ok(Err(refusal));
            }
        };
        let way = match &plan {
            Plan::Issue(deed) => Way::of(subject, event, deed),
            _ => None,
        };
        if !looked
            && let Some(fault) =
                doubt(&mut transaction, (event, &plan), &entries, way.as_ref()).await?
        {
            transaction.rollback().await?;
            return Ok(Err(fault.into()));
        }
        match &plan {
            Plan::Issue(deed) => put(&mut transaction, book, event, deed, way.as_ref()).await?,
            Plan::Note(deed) => put(&mut transaction, book, event, deed, None).await?,
            Plan::Nothing(_) | Plan::Wait(_) => {
                sqlx::query!("DELETE FROM ledger WHERE cause = $1 AND NOT settled", cause)
                    .execute(&mut *transaction)
                    .await?;
            }
        }
        waits(&mut transaction, event, matches!(plan, Plan::Wait(_))).await?;
        transaction.commit().await?;
        Ok(Ok(plan))
    }

    /// The register has issued the receipt that follows from the event `cause`.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn settle(&self, cause: Uuid) -> Result<(), sqlx::Error> {
        let mut transaction = self.0.begin().await?;
        sqlx::query!("UPDATE ledger SET settled = true WHERE cause = $1", cause)
            .execute(&mut *transaction)
            .await?;
        sqlx::query!("DELETE FROM waiting WHERE cause = $1", cause)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await
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
            r#"SELECT count(*) AS "receipts!", min(happened_at) AS oldest FROM (
                   SELECT happened_at FROM ledger WHERE NOT settled
                   UNION ALL SELECT happened_at FROM waiting) AS open
               WHERE happened_at < $1"#,
            moment
        )
        .fetch_one(&self.0)
        .await?;
        Ok(row.oldest.map(|oldest| (row.receipts, oldest)))
    }

    /// Forgets orders of which everything is issued and nothing was entered for so long; answers how
    /// many entries. A thousand orders at a time.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn forget(&self, keep: std::time::Duration) -> Result<u64, sqlx::Error> {
        let forgotten = sqlx::query!(
            "DELETE FROM ledger WHERE book IN (
                 SELECT old.book FROM ledger old
                 WHERE old.made_at < now() - make_interval(secs => $1)
                   AND NOT EXISTS (SELECT 1 FROM ledger other WHERE other.book = old.book
                       AND (NOT other.settled OR other.made_at >= now() - make_interval(secs => $1)))
                 LIMIT 1000)",
            keep.as_secs_f64()
        )
        .execute(&self.0)
        .await?;
        Ok(forgotten.rows_affected())
    }

    /// All entries of an order, in the order in which they were made.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn entries(&self, subject: &Subject) -> Result<Vec<Entry>, LedgerError> {
        let mut transaction = self.0.begin().await?;
        let entries = all(&mut transaction, &subject.book).await?;
        transaction.rollback().await?;
        Ok(entries)
    }
}

/// Notes whether the event's receipt waits for an earlier one.
async fn waits(
    transaction: &mut PgTransaction<'_>,
    event: &Event,
    so: bool,
) -> Result<(), sqlx::Error> {
    let (cause, happened_at) = (event.id(), event.time());
    let noted = if so {
        sqlx::query!(
            "INSERT INTO waiting (cause, happened_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            cause,
            happened_at
        )
        .execute(&mut **transaction)
        .await
    } else {
        sqlx::query!("DELETE FROM waiting WHERE cause = $1", cause)
            .execute(&mut **transaction)
            .await
    };
    noted.map(drop)
}

/// By which way a receipt came, and what it looks like.
struct Way {
    name: &'static str,
    likeness: Vec<u8>,
}

impl Way {
    /// `None` for what people ask for by a paper.
    fn of(subject: &Subject, event: &Event, deed: &Deed) -> Option<Self> {
        let receipt = deed.receipt()?;
        let name = match (&event.fact, deed) {
            (Fact::ReceiptAsked(_), Deed::Free { receipt }) if receipt.correction.is_none() => {
                "bitrix"
            }
            (Fact::ReceiptAsked(_), _) => return None,
            _ => "facts",
        };
        let buyer = match &receipt.contact {
            Contact::Email(email) => email.to_lowercase(),
            Contact::Phone(phone) => phone.to_string(),
        };
        let text = format!("{} {:?} {} {buyer}", subject.shop, receipt.kind, receipt.total);
        Some(Self { name, likeness: Sha256::digest(text).to_vec() })
    }
}

/// Nobody else has what this names until the transaction ends: a book first, then a likeness, and
/// never two of one kind, so that nobody waits in a circle.
async fn lock(transaction: &mut PgTransaction<'_>, what: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' ' || $1, 0))",
        what
    )
    .execute(&mut **transaction)
    .await
    .map(drop)
}

/// Why the settlement may have its receipt already, and a person must look.
async fn doubt(
    transaction: &mut PgTransaction<'_>,
    (event, plan): (&Event, &Plan),
    entries: &[Entry],
    way: Option<&Way>,
) -> Result<Option<BookFault>, sqlx::Error> {
    if let Some(document) = corrected(event, plan, entries) {
        return Ok(Some(BookFault::Corrected { document: document.to_owned() }));
    }
    if in_flight(plan, entries) {
        return Ok(Some(BookFault::InFlight));
    }
    let Some(way) = way else { return Ok(None) };
    // Of two that look alike and come at once, the second one sees the first.
    lock(transaction, &format!("alike {}", Uuid::new_v5(&Uuid::NAMESPACE_OID, &way.likeness)))
        .await?;
    Ok(other_way(transaction, way, event).await?.then_some(BookFault::Alike))
}

/// Whether a receipt of this likeness came by the other way within three months, or was asked for and
/// nobody can tell whether it is there.
async fn other_way(
    transaction: &mut PgTransaction<'_>,
    way: &Way,
    event: &Event,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM ledger LEFT JOIN asked USING (cause)
                  WHERE likeness = $1 AND cause <> $3 AND made_at > now() - interval '90 days'
                    AND (way <> $2 OR asked.state = 'unknown')) AS "there!""#,
        way.likeness,
        way.name,
        event.id()
    )
    .fetch_one(&mut **transaction)
    .await
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
    way: Option<&Way>,
) -> Result<(), LedgerError> {
    let text = serde_json::to_string(deed).map_err(|error| LedgerError::Entry(error.classify()))?;
    sqlx::query!(
        "INSERT INTO ledger (cause, book, deed, settled, happened_at, way, likeness)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (cause) DO UPDATE SET deed = excluded.deed, settled = excluded.settled,
                way = excluded.way, likeness = excluded.likeness, place = DEFAULT
         WHERE NOT ledger.settled",
        event.id(),
        book,
        text,
        deed.receipt().is_none(),
        event.time(),
        way.map(|way| way.name),
        way.map(|way| way.likeness.as_slice())
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
