//! Who did what, when and why.

use serde::Serialize;
use time::OffsetDateTime;

use super::Store;

/// A line of the audit log.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct AuditRow {
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub who: String,
    pub action: String,
    pub subject: String,
    pub why: String,
    pub outcome: String,
}

impl Store {
    /// Notes an action, or that it was refused.
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

    /// Notes one action on many subjects.
    pub(crate) async fn audit_all(
        &self,
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
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// The last lines, about one subject or all.
    pub(crate) async fn audit_log(&self, subject: Option<&str>) -> sqlx::Result<Vec<AuditRow>> {
        sqlx::query_as!(
            AuditRow,
            "SELECT at, who, action, subject, why, outcome FROM audit
             WHERE $1::text IS NULL OR subject = $1 ORDER BY id DESC LIMIT 200",
            subject,
        )
        .fetch_all(&self.pool)
        .await
    }
}
