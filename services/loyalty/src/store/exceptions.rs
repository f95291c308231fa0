//! What a person must look at: raised, listed, told, closed.

use time::OffsetDateTime;

use super::{Group, Store};

/// The kinds of exceptions.
pub mod kinds {
    /// Several customers have one phone.
    pub const AMBIGUOUS_PHONE: &str = "ambiguous_phone";
    /// One name was used for two different operations.
    pub const CONFLICT: &str = "conflict";
    /// A debit went beyond the balance, as the policy allows.
    pub const OVERDRAFT: &str = "overdraft";
    /// 1C has another balance than we.
    pub const BALANCE_DIFFERS: &str = "balance_differs";
    /// What had waited for a customer or another operation was refused when that came.
    pub const REFUSED_LATER: &str = "refused_later";
    /// What waited cannot be read by this version.
    pub const PARKED_UNREADABLE: &str = "parked_unreadable";
    /// What waited for too long is forgotten.
    pub const PARKED_FORGOTTEN: &str = "parked_forgotten";
    /// Somebody typed a phone into an order that is another's, or for which something waits.
    pub const PHONE_UNPROVEN: &str = "phone_unproven";
    /// A phone that was only typed has gone to who has shown that it is his; what tills had sent
    /// for it had gone to the other one.
    pub const PHONE_YIELDED: &str = "phone_yielded";
    /// 1C refuses what it was told later.
    pub const ONEC_REFUSED: &str = "onec_refused";
    /// A store sends nothing any more.
    pub const SILENT_STORE: &str = "silent_store";
}

/// Something that a person must look at.
#[derive(Debug, Clone)]
pub struct Exception {
    /// Its number.
    pub id: i64,
    /// One of [`kinds`].
    pub kind: String,
    /// What it is about: a phone, an operation, a store.
    pub subject: String,
    /// JSON.
    pub details: String,
    /// How often it came up.
    pub seen: i64,
    /// When it first came up.
    pub opened_at: OffsetDateTime,
}

impl Store {
    /// Puts something before a person; `true` when it is new.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn raise(
        &self,
        kind: &str,
        subject: &str,
        details: &serde_json::Value,
    ) -> sqlx::Result<bool> {
        let mut group = self.pool.begin().await?;
        let new = open(&mut group, kind, subject, details).await?;
        group.commit().await?;
        Ok(new)
    }

    /// Whether something was put before a person since then, be it closed or not.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn raised_since(
        &self,
        kind: &str,
        subject: &str,
        since: OffsetDateTime,
    ) -> sqlx::Result<bool> {
        sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT FROM exceptions
               WHERE kind = $1 AND subject = $2 AND opened_at > $3) AS "found!""#,
            kind,
            subject,
            since,
        )
        .fetch_one(&self.pool)
        .await
    }

    /// Closes what is open about a subject, because it is over by itself.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn over(&self, kind: &str, subject: &str) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE exceptions SET closed_at = now(), closed_by = 'parom'
             WHERE kind = $1 AND subject = $2 AND closed_at IS NULL",
            kind,
            subject,
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Open exceptions, newest first.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn exceptions(&self, limit: i64) -> sqlx::Result<Vec<Exception>> {
        sqlx::query_as!(
            Exception,
            "SELECT id, kind, subject, details, seen, opened_at FROM exceptions
             WHERE closed_at IS NULL ORDER BY id DESC LIMIT $1",
            limit,
        )
        .fetch_all(&self.pool)
        .await
    }

    /// Closes an exception; `false` when there is no such open one.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn close(&self, id: i64, by: &str, note: &str) -> sqlx::Result<bool> {
        let closed = sqlx::query!(
            "UPDATE exceptions SET closed_at = now(), closed_by = $2, note = $3
             WHERE id = $1 AND closed_at IS NULL",
            id,
            by,
            note,
        )
        .execute(&self.pool)
        .await?;
        Ok(closed.rows_affected() > 0)
    }

    /// Exceptions of a kind whose notification was not taken yet.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn untold(&self, kind: &str) -> sqlx::Result<Vec<i64>> {
        sqlx::query_scalar!(
            "SELECT id FROM exceptions
             WHERE kind = $1 AND closed_at IS NULL AND told_at IS NULL ORDER BY id LIMIT 100",
            kind,
        )
        .fetch_all(&self.pool)
        .await
    }

    /// Notifies of an exception: `tell` says whether that was taken. Its row stays locked
    /// meanwhile, so no other replica tells the same; one that dies has told nothing.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn tell(&self, id: i64, tell: impl AsyncFnOnce(&str) -> bool) -> sqlx::Result<()> {
        let mut group = self.pool.begin().await?;
        let subject = sqlx::query_scalar!(
            "SELECT subject FROM exceptions
             WHERE id = $1 AND closed_at IS NULL AND told_at IS NULL FOR UPDATE SKIP LOCKED",
            id,
        )
        .fetch_optional(&mut *group)
        .await?;
        let Some(subject) = subject else { return Ok(()) };
        if tell(&subject).await {
            sqlx::query!("UPDATE exceptions SET told_at = now() WHERE id = $1", id)
                .execute(&mut *group)
                .await?;
        }
        group.commit().await
    }
}

/// Puts something before a person within a transaction; `true` when it is new.
pub(super) async fn open(
    group: &mut Group,
    kind: &str,
    subject: &str,
    details: &serde_json::Value,
) -> sqlx::Result<bool> {
    let seen = sqlx::query_scalar!(
        "INSERT INTO exceptions (kind, subject, details) VALUES ($1, $2, $3)
         ON CONFLICT (kind, subject) WHERE closed_at IS NULL
         DO UPDATE SET seen = exceptions.seen + 1, details = excluded.details
         RETURNING seen",
        kind,
        subject,
        details.to_string(),
    )
    .fetch_one(&mut **group)
    .await?;
    Ok(seen == 1)
}

/// Closes what is open about these subjects, because it is over by itself.
pub(super) async fn settle(group: &mut Group, kind: &str, subjects: &[String]) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE exceptions SET closed_at = now(), closed_by = 'parom'
         WHERE kind = $1 AND subject = ANY($2) AND closed_at IS NULL",
        kind,
        subjects,
    )
    .execute(&mut **group)
    .await
    .map(drop)
}
