//! Codes that a person must look at, and the way out.

use events::Label;
use time::OffsetDateTime;

use super::{CodeStatus, Store, Why, free};

/// A code in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Kept {
    /// The code.
    #[serde(rename = "code")]
    pub ki: String,
    /// The product.
    pub gtin: String,
    /// Why it is there, in a machine word.
    pub why: String,
    /// What was said about it.
    pub detail: String,
    /// The order from which it came, as people call it.
    pub number: Option<String>,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

impl Store {
    /// Codes in quarantine, the newest first.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn quarantined(&self, limit: i64) -> sqlx::Result<Vec<Kept>> {
        sqlx::query_as!(
            Kept,
            r#"SELECT ki, gtin, last.why AS "why!", last.detail AS "detail!", last.at AS "since!",
                   (SELECT number FROM moves JOIN orders USING (book) WHERE code = codes.id ORDER BY moves.id DESC LIMIT 1) AS number
               FROM codes JOIN LATERAL
                   (SELECT why, detail, at FROM moves WHERE code = codes.id ORDER BY id DESC LIMIT 1) last ON true
               WHERE status = 'quarantined' ORDER BY last.at DESC, codes.id LIMIT $1"#,
            limit
        )
        .fetch_all(&self.pool)
        .await
    }

    /// Puts a code back into stock, for a reason that its history keeps; `false` when it is not in quarantine.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn release(&self, label: &Label, person: &str, reason: &str) -> sqlx::Result<bool> {
        let mut transaction = self.pool.begin().await?;
        let id = sqlx::query_scalar!(
            "SELECT id FROM codes WHERE ki = $1 AND status = 'quarantined' FOR UPDATE",
            label.ki().as_str()
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(id) = id else {
            transaction.rollback().await?;
            return Ok(false);
        };
        let why = Why { detail: reason, ..Why::person("released", person) };
        free(&mut transaction, &[id], CodeStatus::InStock, why).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
