//! The tables: what was said about each order, what is being written on it, and by whom.

use std::time::Duration;

use events::Status;
use runtime::Failure;
use sqlx::{PgPool, postgres::types::PgInterval};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    book::{Book, Claim, Held, Write, names, parts},
    news::Said,
    plan::Plan,
    words,
};

/// The service's tables.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pool: PgPool,
}

impl Store {
    pub(crate) fn new(pool: &PgPool) -> Self {
        Self { pool: pool.clone() }
    }

    /// Notes what was said, and takes back what was refused to this event's job: it has come to
    /// try again. Answers whether the shop has been told already.
    pub(crate) async fn enroll(
        &self,
        event: Uuid,
        key: &str,
        at: OffsetDateTime,
        status: &Status,
    ) -> Result<bool, Failure> {
        let status = serde_json::to_string(status).map_err(|error| words::json(&error))?;
        let written = sqlx::query_scalar!(
            r#"
            INSERT INTO statuses AS s (event_id, order_key, said_at, status) VALUES ($1, $2, $3, $4)
            ON CONFLICT (event_id) DO UPDATE SET event_id = s.event_id
            RETURNING written_at IS NOT NULL AND refused_to IS DISTINCT FROM $1 AS "written!"
            "#,
            event,
            key,
            at,
            status,
        )
        .fetch_one(&self.pool)
        .await
        .map_err(lost)?;
        sqlx::query!(
            "UPDATE statuses SET written_at = NULL, write_id = NULL, refused_to = NULL
             WHERE refused_to = $1",
            event,
        )
        .execute(&self.pool)
        .await
        .map_err(lost)?;
        Ok(written)
    }

    /// Takes the order for as long as the lease; `None` while another owner has it.
    pub(crate) async fn claim(&self, key: &str, lease: Duration) -> Result<Option<Claim>, Failure> {
        let owner = Uuid::new_v4();
        let taken = sqlx::query!(
            "INSERT INTO claims AS c (order_key, owner, lease_until) VALUES ($1, $2, now() + $3)
             ON CONFLICT (order_key) DO UPDATE
                 SET owner = excluded.owner, lease_until = excluded.lease_until
                 WHERE c.lease_until <= now()",
            key,
            owner,
            interval(lease),
        )
        .execute(&self.pool)
        .await
        .map_err(lost)?;
        Ok((taken.rows_affected() == 1).then(|| Claim { key: key.to_owned(), owner }))
    }

    /// Gives the order back.
    pub(crate) async fn release(&self, claim: &Claim) -> Result<(), Failure> {
        sqlx::query!(
            "UPDATE claims SET lease_until = to_timestamp(0) WHERE order_key = $1 AND owner = $2",
            claim.key,
            claim.owner,
        )
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(lost)
    }

    /// What is known about the order.
    pub(crate) async fn book(&self, key: &str) -> Result<Book, Failure> {
        let rows = sqlx::query!(
            r#"SELECT event_id, said_at, status, written_at IS NOT NULL AS "written!", done
               FROM statuses WHERE order_key = $1"#,
            key,
        )
        .fetch_all(&self.pool)
        .await
        .map_err(lost)?;
        let said = rows.into_iter().map(|row| {
            let status = serde_json::from_str(&row.status).map_err(|error| words::json(&error))?;
            let done = parts(&row.done)?;
            Ok(Said { id: row.event_id, at: row.said_at, status, written: row.written, done })
        });
        Ok(Book { said: said.collect::<Result<_, Failure>>()?, open: self.open_write(key).await? })
    }

    async fn open_write(&self, key: &str) -> Result<Option<Write>, Failure> {
        let row = sqlx::query!(
            "SELECT id, plan, owner, done, tried_at, unsettled FROM writes
             WHERE order_key = $1 AND closed_at IS NULL",
            key,
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(lost)?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Write {
            id: row.id,
            plan: serde_json::from_str(&row.plan).map_err(|error| words::json(&error))?,
            owner: row.owner,
            done: parts(&row.done)?,
            tried_at: row.tried_at,
            unsettled: row.unsettled,
        }))
    }

    /// Begins a write that carries these statuses.
    pub(crate) async fn begin(
        &self,
        claim: &Claim,
        id: Uuid,
        plan: &Plan,
        carried: &[Uuid],
    ) -> Result<Held, Failure> {
        let plan = serde_json::to_string(plan).map_err(|error| words::json(&error))?;
        let begun = sqlx::query!(
            "WITH write AS (
                 INSERT INTO writes (id, order_key, plan, owner)
                 SELECT $1, order_key, $3, owner FROM claims WHERE order_key = $2 AND owner = $4
                 RETURNING id
             )
             UPDATE statuses SET write_id = write.id FROM write WHERE event_id = ANY($5)",
            id,
            claim.key,
            plan,
            claim.owner,
            carried,
        )
        .execute(&self.pool)
        .await
        .map_err(lost)?;
        Ok(held(begun.rows_affected()))
    }

    /// Notes that these statuses need not be told to the shop.
    pub(crate) async fn skip(&self, events: &[Uuid]) -> Result<(), Failure> {
        sqlx::query!("UPDATE statuses SET written_at = now() WHERE event_id = ANY($1)", events)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(lost)
    }

    /// The write-ahead mark: notes that an attempt begins, and renews the lease for it.
    pub(crate) async fn attempt(
        &self,
        claim: &Claim,
        write: Uuid,
        lease: Duration,
    ) -> Result<Held, Failure> {
        let marked = sqlx::query!(
            "WITH held AS (
                 UPDATE claims SET lease_until = now() + $4
                 WHERE order_key = $1 AND owner = $2 RETURNING order_key
             )
             UPDATE writes SET tried_at = now(), unsettled = true FROM held
             WHERE id = $3 AND closed_at IS NULL",
            claim.key,
            claim.owner,
            write,
            interval(lease),
        )
        .execute(&self.pool)
        .await
        .map_err(lost)?;
        Ok(held(marked.rows_affected()))
    }

    /// Notes what an attempt came to, when it is to be made again.
    pub(crate) async fn note(&self, write: &Write) -> Result<(), Failure> {
        sqlx::query!(
            "UPDATE writes SET done = $2, unsettled = $3 WHERE id = $1 AND closed_at IS NULL",
            write.id,
            &names(&write.done),
            write.unsettled,
        )
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(lost)
    }

    /// Ends a write. Where a part was refused, the job of the event `refused_to` sees it through.
    pub(crate) async fn close(
        &self,
        write: &Write,
        refused_to: Option<Uuid>,
    ) -> Result<(), Failure> {
        sqlx::query!(
            "WITH closed AS (
                 UPDATE writes SET closed_at = now(), done = $2, unsettled = false
                 WHERE id = $1 AND closed_at IS NULL RETURNING id
             )
             UPDATE statuses s SET written_at = now(), refused_to = $3,
                 done = ARRAY(SELECT DISTINCT unnest(s.done || $2))
             FROM closed WHERE s.write_id = closed.id",
            write.id,
            &names(&write.done),
            refused_to,
        )
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(lost)
    }

    /// Forgets what was written longer ago than `keep`.
    pub(crate) async fn prune(&self, keep: Duration) -> sqlx::Result<()> {
        let keep = interval(keep);
        sqlx::query!("DELETE FROM statuses WHERE written_at < now() - $1::interval", keep)
            .execute(&self.pool)
            .await?;
        sqlx::query!("DELETE FROM writes WHERE closed_at < now() - $1::interval", keep)
            .execute(&self.pool)
            .await?;
        sqlx::query!(
            "DELETE FROM claims c WHERE lease_until < now()
             AND NOT EXISTS (SELECT FROM statuses s WHERE s.order_key = c.order_key)"
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }
}

fn held(rows: u64) -> Held {
    if rows == 0 { Held::Lost } else { Held::Yes }
}

fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}

#[expect(clippy::needless_pass_by_value, reason = "stands in map_err")]
fn lost(error: sqlx::Error) -> Failure {
    words::store(&error)
}
