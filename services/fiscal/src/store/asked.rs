//! The table of what was asked for by name, and of what became of it.

use std::time::Duration;

use events::{Event, ShopId};
use runtime::Reason;
use serde::Serialize;
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use crate::registers::FiscalData;

/// Everything that was asked for.
#[derive(Debug, Clone)]
pub struct Requests(PgPool);

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// Its job is under way.
    Waiting,
    /// The register has issued the receipt.
    Issued,
    /// It stopped for a person, and there is no receipt.
    Stopped,
    /// It stopped, and nobody can tell whether there is a receipt.
    Unknown,
    /// It was asked for anew after it had stopped.
    Replaced,
}

/// A request as the table has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The event that tells it.
    pub cause: Uuid,
    /// Which time it was asked for.
    pub occurrence: u32,
    /// Where it stands.
    pub state: RequestState,
    /// The receipt's fiscal data, once it is issued.
    pub fiscal: Option<FiscalData>,
    /// Why it waits or stopped, where something went wrong.
    pub reason: Option<Reason>,
    /// Whether a register may have it.
    pub sent: bool,
    /// For how many seconds nothing has changed.
    pub quiet_s: i64,
}

/// What became of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It is kept, and its event is to be told.
    New(Box<Event>),
    /// The same was asked for before.
    Known(Request),
    /// Something else was asked for under this key, and it may still come to a receipt.
    Other(Request),
}

/// A request to be kept.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// Whose.
    pub shop: &'a ShopId,
    /// What tells it from the shop's other requests.
    pub key: &'a str,
    /// SHA-256 of what is asked for.
    pub digest: &'a [u8],
}

impl Requests {
    /// The table in this database; the pool's search path names the schema.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// Keeps a request. One that has stopped without a receipt is replaced by asking anew.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn ask(
        &self,
        asking: Asking<'_>,
        event: impl FnOnce(u32) -> Result<Event, serde_json::Error> + Send,
    ) -> Result<Told, sqlx::Error> {
        let mut transaction = self.0.begin().await?;
        lock(&mut transaction, &asking).await?;
        let last = last(&mut transaction, asking.shop, asking.key).await?;
        let mut occurrence = 1;
        if let Some((request, digest)) = last {
            if request.state != RequestState::Stopped {
                transaction.rollback().await?;
                let same = digest == asking.digest;
                return Ok(if same { Told::Known(request) } else { Told::Other(request) });
            }
            occurrence = request.occurrence.saturating_add(1);
            replace(&mut transaction, request.cause).await?;
        }
        let event = event(occurrence).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
        put(&mut transaction, &asking, occurrence, &event).await?;
        transaction.commit().await?;
        Ok(Told::New(Box::new(event)))
    }

    /// The job of a request goes on; `false` when another one has taken its place.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn begin(&self, cause: Uuid) -> Result<bool, sqlx::Error> {
        let state = sqlx::query_scalar!(
            "UPDATE asked SET event = NULL, changed_at = now(),
                    state = CASE WHEN state IN ('stopped', 'unknown') THEN 'waiting' ELSE state END
             WHERE cause = $1 RETURNING state",
            cause
        )
        .fetch_optional(&self.0)
        .await?;
        Ok(state.is_none_or(|state| state != RequestState::Replaced.word()))
    }

    /// What became of a request so far, if that is news, and whether a register may have it.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn note(
        &self,
        cause: Uuid,
        news: Option<(RequestState, &str)>,
        sent: bool,
    ) -> Result<(), sqlx::Error> {
        sqlx::query!(
            "UPDATE asked SET state = coalesce($2, state), outcome = coalesce($3, outcome),
                    sent = $4, changed_at = now()
             WHERE cause = $1 AND state NOT IN ('replaced', 'issued')",
            cause,
            news.map(|(state, _)| state.word()),
            news.map(|(_, outcome)| outcome),
            sent
        )
        .execute(&self.0)
        .await
        .map(drop)
    }

    /// The last request with this key.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn find(&self, shop: &ShopId, key: &str) -> Result<Option<Request>, sqlx::Error> {
        let mut transaction = self.0.begin().await?;
        let found = last(&mut transaction, shop, key).await?;
        transaction.rollback().await?;
        Ok(found.map(|(request, _)| request))
    }

    /// The last request with the key of the one that this event told.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn by_cause(
        &self,
        shop: &ShopId,
        cause: Uuid,
    ) -> Result<Option<Request>, sqlx::Error> {
        let key = sqlx::query_scalar!(
            "SELECT key FROM asked WHERE cause = $1 AND shop = $2",
            cause,
            shop.as_str()
        )
        .fetch_optional(&self.0)
        .await?;
        match key {
            Some(key) => self.find(shop, &key).await,
            None => Ok(None),
        }
    }

    /// Events that were told this long ago, or were not, and whose jobs have not begun.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn untold(&self, after: Duration) -> Result<Vec<String>, sqlx::Error> {
        let events = sqlx::query_scalar!(
            r#"SELECT event AS "event!" FROM asked
               WHERE event IS NOT NULL AND asked_at <= now() - make_interval(secs => $1)
               ORDER BY asked_at LIMIT 1000"#,
            after.as_secs_f64()
        );
        events.fetch_all(&self.0).await
    }
}

impl Requests {
    /// Forgets what was asked for and nobody waits for any more, a thousand at a time: all requests
    /// with a key, once none of them has changed for so long.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn forget(&self, keep: Duration) -> Result<u64, sqlx::Error> {
        let forgotten = sqlx::query!(
            "DELETE FROM asked WHERE (shop, key) IN (
                 SELECT old.shop, old.key FROM asked old
                 WHERE old.changed_at < now() - make_interval(secs => $1)
                   AND NOT EXISTS (SELECT 1 FROM asked other
                       WHERE other.shop = old.shop AND other.key = old.key
                         AND (other.state IN ('waiting', 'unknown')
                              OR other.changed_at >= now() - make_interval(secs => $1)))
                 LIMIT 1000)",
            keep.as_secs_f64()
        )
        .execute(&self.0)
        .await?;
        Ok(forgotten.rows_affected())
    }
}

impl RequestState {
    const ALL: [Self; 5] =
        [Self::Waiting, Self::Issued, Self::Stopped, Self::Unknown, Self::Replaced];

    /// Its word in the table and in answers.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Issued => "issued",
            Self::Stopped => "stopped",
            Self::Unknown => "unknown",
            Self::Replaced => "replaced",
        }
    }
}

async fn lock(transaction: &mut PgTransaction<'_>, asking: &Asking<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' asked ' || $1, 0))",
        format!("{} {}", asking.shop, asking.key)
    )
    .execute(&mut **transaction)
    .await
    .map(drop)
}

async fn last(
    transaction: &mut PgTransaction<'_>,
    shop: &ShopId,
    key: &str,
) -> Result<Option<(Request, Vec<u8>)>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT cause, occurrence, state, outcome, digest, sent,
                  extract(epoch FROM now() - changed_at)::bigint AS "quiet_s!"
           FROM asked WHERE shop = $1 AND key = $2 ORDER BY occurrence DESC LIMIT 1"#,
        shop.as_str(),
        key
    )
    .fetch_optional(&mut **transaction)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let state = RequestState::ALL.into_iter().find(|state| state.word() == row.state);
    let state = state.ok_or_else(|| sqlx::Error::Decode("an unknown state".into()))?;
    let outcome = row.outcome.as_deref();
    let request = Request {
        cause: row.cause,
        occurrence: u32::try_from(row.occurrence).unwrap_or(1),
        state,
        fiscal: outcome.and_then(|text| serde_json::from_str(text).ok()),
        reason: outcome.and_then(|text| serde_json::from_str(text).ok()),
        sent: row.sent,
        quiet_s: row.quiet_s,
    };
    Ok(Some((request, row.digest)))
}

async fn replace(transaction: &mut PgTransaction<'_>, cause: Uuid) -> Result<(), sqlx::Error> {
    // Waits for a step that begins it anew just now, and gives way to it.
    let replaced = sqlx::query!(
        "UPDATE asked SET state = 'replaced', event = NULL, changed_at = now()
         WHERE cause = $1 AND state = 'stopped'",
        cause
    )
    .execute(&mut **transaction)
    .await?;
    if replaced.rows_affected() != 1 {
        return Err(sqlx::Error::RowNotFound);
    }
    // Nothing waits any more for a receipt that nobody wants.
    sqlx::query!("DELETE FROM ledger WHERE cause = $1 AND NOT settled", cause)
        .execute(&mut **transaction)
        .await?;
    sqlx::query!("DELETE FROM waiting WHERE cause = $1", cause)
        .execute(&mut **transaction)
        .await
        .map(drop)
}

async fn put(
    transaction: &mut PgTransaction<'_>,
    asking: &Asking<'_>,
    occurrence: u32,
    event: &Event,
) -> Result<(), sqlx::Error> {
    let text = event.to_json().map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    sqlx::query!(
        "INSERT INTO asked (cause, shop, key, occurrence, digest, event, sent)
         VALUES ($1, $2, $3, $4, $5, $6, false)",
        event.id(),
        asking.shop.as_str(),
        asking.key,
        i32::try_from(occurrence).unwrap_or(i32::MAX),
        asking.digest,
        text
    )
    .execute(&mut **transaction)
    .await
    .map(drop)
}
