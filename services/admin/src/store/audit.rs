//! Who did what, when and why.

use serde::Serialize;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::Store;

/// A line of the audit log.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct AuditRow {
    pub id: i64,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub who: String,
    pub action: String,
    pub subject: String,
    pub why: String,
    pub outcome: String,
}

/// How many refusals of strangers are noted in a quarter of an hour: from one address …
const PER_ADDRESS: i64 = 20;
/// … and in all. Who may do nothing may not fill the disk either.
const OF_STRANGERS: i64 = 200;

impl Store {
    /// Notes that somebody unknown was refused, unless there were too many of that just now.
    pub(crate) async fn audit_stranger(
        &self,
        action: &str,
        address: &str,
        why: &str,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "INSERT INTO audit (who, action, subject, why, outcome)
             SELECT '—', $1, $2, $3, 'refused' WHERE (
                SELECT count(*) < $4 AND count(*) FILTER (WHERE subject = $2) < $5 FROM audit
                WHERE who = '—' AND at > now() - interval '15 minutes')",
            action,
            address,
            why,
            OF_STRANGERS,
            PER_ADDRESS,
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Notes that somebody came in, or that something was refused. What changes something is noted
    /// in the transaction that changes it.
    pub(crate) async fn audit(
        &self,
        who: &str,
        action: &str,
        subject: &str,
        why: &str,
        outcome: &str,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "INSERT INTO audit (who, action, subject, why, outcome) VALUES ($1, $2, $3, $4, $5)",
            who,
            action,
            subject,
            why,
            outcome,
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// The last lines about one subject.
    pub(crate) async fn audit_log(&self, subject: &str) -> sqlx::Result<Vec<AuditRow>> {
        sqlx::query_as!(
            AuditRow,
            "SELECT id, at, who, action, subject, why, outcome FROM audit
             WHERE subject = $1 ORDER BY id DESC LIMIT 200",
            subject,
        )
        .fetch_all(&self.pool)
        .await
    }

    /// The last `lines` lines before this one.
    pub(crate) async fn audit_page(
        &self,
        before: i64,
        lines: usize,
    ) -> sqlx::Result<Vec<AuditRow>> {
        sqlx::query_as!(
            AuditRow,
            "SELECT id, at, who, action, subject, why, outcome FROM audit
             WHERE id < $1 ORDER BY id DESC LIMIT $2",
            before,
            i64::try_from(lines).unwrap_or(i64::MAX),
        )
        .fetch_all(&self.pool)
        .await
    }
}

/// Notes what was done, as a part of doing it: neither is there without the other.
pub(super) async fn note_in(
    connection: &mut PgConnection,
    who: &str,
    action: &str,
    subjects: &[String],
    why: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO audit (who, action, subject, why, outcome)
         SELECT $1, $2, s, $4, 'done' FROM unnest($3::text[]) s",
        who,
        action,
        subjects,
        why,
    )
    .execute(connection)
    .await
    .map(drop)
}
