//! The directory of buyers' boxes.

use std::time::Duration;

use sqlx::postgres::types::PgInterval;

use super::Store;

/// A buyer's box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerBox {
    /// Its GUID.
    pub box_id: String,
    /// The buyer's identifier as a participant of exchange.
    pub participant: String,
    /// The buyer's name at Diadoc.
    pub name: String,
}

impl Store {
    /// The box of a buyer, if it was found within `keep`.
    pub(crate) async fn partner(
        &self,
        inn: &str,
        kpp: &str,
        keep: Duration,
    ) -> sqlx::Result<Option<PartnerBox>> {
        let microseconds = i64::try_from(keep.as_micros()).unwrap_or(i64::MAX);
        let keep = PgInterval { months: 0, days: 0, microseconds };
        sqlx::query_as!(
            PartnerBox,
            "SELECT box_id, participant, name FROM partners WHERE inn = $1 AND kpp = $2 AND seen_at > now() - $3::interval",
            inn,
            kpp,
            keep
        )
        .fetch_optional(&self.pool)
        .await
    }

    /// Forgets a box: it is looked for anew.
    pub(crate) async fn forget_partner(&self, box_id: &str) -> sqlx::Result<()> {
        sqlx::query!("DELETE FROM partners WHERE box_id = $1", box_id)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// Keeps the box of a buyer.
    pub(crate) async fn keep_partner(
        &self,
        inn: &str,
        kpp: &str,
        found: &PartnerBox,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "INSERT INTO partners (inn, kpp, box_id, participant, name) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (inn, kpp) DO UPDATE
                 SET box_id = $3, participant = $4, name = $5, seen_at = now()",
            inn,
            kpp,
            found.box_id,
            found.participant,
            found.name
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }
}
