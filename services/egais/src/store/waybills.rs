//! Waybills that came in, and the questions about a form B.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::Store;
use crate::waybill::{Line, Registered, WayBill};

/// A waybill of which both documents came.
#[derive(Debug, Clone)]
pub struct Known {
    /// What the sender says is there.
    pub lines: Vec<Line>,
    /// The references of form B of its positions.
    pub forms: BTreeMap<String, String>,
}

/// Whether EGAIS was asked for the bottles of a form B.
#[derive(Debug, Clone)]
pub struct FormAsked {
    /// The form.
    pub f2: String,
    /// When it was asked for.
    pub asked_at: OffsetDateTime,
    /// When the answer came.
    pub answered_at: Option<OffsetDateTime>,
}

impl Store {
    /// Keeps what a waybill says.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn keep_waybill(&self, utm: &str, waybill: &WayBill) -> sqlx::Result<()> {
        let lines = serde_json::to_value(&waybill.lines).unwrap_or_default();
        sqlx::query!(
            "INSERT INTO waybills (utm, shipper, number, day, lines) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (utm, shipper, number, day) DO UPDATE SET lines = excluded.lines",
            utm,
            waybill.shipper,
            waybill.number,
            waybill.day,
            lines
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Keeps what a waybill is registered as.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn keep_registered(&self, utm: &str, registered: &Registered) -> sqlx::Result<()> {
        let forms = serde_json::to_value(&registered.forms).unwrap_or_default();
        sqlx::query!(
            "INSERT INTO waybills (utm, shipper, number, day, reg_id, forms) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (utm, shipper, number, day)
                 DO UPDATE SET reg_id = excluded.reg_id, forms = excluded.forms",
            utm,
            registered.shipper,
            registered.number,
            registered.day,
            registered.reg_id,
            forms
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The waybill with this number of EGAIS's, once both its documents came.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn waybill(&self, utm: &str, reg_id: &str) -> sqlx::Result<Option<Known>> {
        let row = sqlx::query!(
            r#"SELECT lines AS "lines!", forms AS "forms!" FROM waybills
             WHERE utm = $1 AND reg_id = $2 AND lines IS NOT NULL AND forms IS NOT NULL LIMIT 1"#,
            utm,
            reg_id
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.and_then(|row| {
            let lines = serde_json::from_value(row.lines).ok()?;
            Some(Known { lines, forms: serde_json::from_value(row.forms).ok()? })
        }))
    }

    /// Which forms B were asked for at a UTM, the newest question first.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn forms_asked(&self, utm: &str) -> sqlx::Result<Vec<FormAsked>> {
        sqlx::query_as!(
            FormAsked,
            "SELECT f2_reg_id AS f2, asked_at, answered_at FROM forms_asked WHERE utm = $1 ORDER BY asked_at DESC",
            utm
        )
        .fetch_all(&self.pool)
        .await
    }

    /// A form B is asked for.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn form_asked(&self, utm: &str, f2: &str, at: OffsetDateTime) -> sqlx::Result<()> {
        sqlx::query!(
            "INSERT INTO forms_asked (utm, f2_reg_id, asked_at) VALUES ($1, $2, $3)
             ON CONFLICT (utm, f2_reg_id) DO UPDATE SET asked_at = $3, answered_at = NULL",
            utm,
            f2,
            at
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The bottles of a form B came.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn form_answered(&self, utm: &str, f2: &str, at: OffsetDateTime) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE forms_asked SET answered_at = $3 WHERE utm = $1 AND f2_reg_id = $2",
            utm,
            f2,
            at
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
