//! The tables of turns: receipts go to a slow register one by one, in the order of settlements.

use std::time::Duration;

use sqlx::{PgPool, PgTransaction};
use time::OffsetDateTime;
use uuid::Uuid;

/// Whoever is so late for its turn is not waited for: its job may be dead.
const GRACE: Duration = Duration::from_secs(60);
/// The longest time until a waiting job looks again: short waits are exact, and the queue moves up
/// when somebody leaves it.
const LONGEST: Duration = Duration::from_secs(28);

/// The turns of all accounts.
#[derive(Debug, Clone)]
pub struct Turns(PgPool);

/// Who asks for a turn.
#[derive(Debug, Clone)]
pub struct Turn {
    /// The account: shop and register.
    pub account: String,
    /// The event that the receipt follows from.
    pub cause: Uuid,
    /// When the settlement took place.
    pub happened_at: OffsetDateTime,
}

impl Turns {
    /// The tables in this database; the pool's search path names the schema.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// Takes the next turn at a register that takes one receipt in each `pace`; else how long to
    /// wait before asking again.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn take(
        &self,
        asked: &Turn,
        now: OffsetDateTime,
        pace: Duration,
    ) -> Result<Option<Duration>, sqlx::Error> {
        let mut transaction = lock(&self.0, &asked.account).await?;
        let Turn { account, cause, happened_at } = asked;
        let row = sqlx::query!(
            r#"SELECT (SELECT next_at FROM paces WHERE account = $1) AS next_at,
                      (SELECT count(*) FROM turns WHERE account = $1 AND wakes_at >= $4
                              AND (happened_at, cause) < ($2, $3)) AS "before!""#,
            account,
            happened_at,
            cause,
            now - GRACE
        )
        .fetch_one(&mut *transaction)
        .await?;
        let next = row.next_at.map_or(now, |next| next.max(now));
        let before = u32::try_from(row.before).unwrap_or(u32::MAX);
        if before == 0 && next <= now {
            sqlx::query!("DELETE FROM turns WHERE cause = $1", cause)
                .execute(&mut *transaction)
                .await?;
            // A little more: two requests need not take the same time on their way.
            not_before(&mut transaction, account, now + pace + pace / 20).await?;
            transaction.commit().await?;
            return Ok(None);
        }
        let slot = Duration::try_from(next - now).unwrap_or_default();
        let wait = slot.saturating_add(pace.saturating_mul(before)).min(LONGEST);
        wakes_at(&mut transaction, asked, now + wait).await?;
        transaction.commit().await?;
        Ok(Some(wait))
    }

    /// The register asks this receipt, and with it its whole account, to wait until then. It keeps
    /// its place.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn hold(&self, asked: &Turn, until: OffsetDateTime) -> Result<(), sqlx::Error> {
        let mut transaction = lock(&self.0, &asked.account).await?;
        not_before(&mut transaction, &asked.account, until).await?;
        wakes_at(&mut transaction, asked, until).await?;
        transaction.commit().await
    }

    /// Drops turns that nobody took; answers how many.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn drop_old(&self) -> Result<u64, sqlx::Error> {
        let dropped = sqlx::query!("DELETE FROM turns WHERE wakes_at < now() - interval '1 day'")
            .execute(&self.0)
            .await?;
        Ok(dropped.rows_affected())
    }
}

/// A transaction that has the account for itself.
async fn lock(pool: &PgPool, account: &str) -> Result<PgTransaction<'static>, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' turns ' || $1, 0))",
        account
    )
    .execute(&mut *transaction)
    .await?;
    Ok(transaction)
}

async fn not_before(
    transaction: &mut PgTransaction<'_>,
    account: &str,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO paces (account, next_at) VALUES ($1, $2)
         ON CONFLICT (account) DO UPDATE SET next_at = greatest(paces.next_at, excluded.next_at)",
        account,
        at
    )
    .execute(&mut **transaction)
    .await
    .map(drop)
}

async fn wakes_at(
    transaction: &mut PgTransaction<'_>,
    asked: &Turn,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO turns (cause, account, happened_at, wakes_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (cause) DO UPDATE SET account = excluded.account, wakes_at = excluded.wakes_at",
        asked.cause,
        asked.account,
        asked.happened_at,
        at
    )
    .execute(&mut **transaction)
    .await
    .map(drop)
}
