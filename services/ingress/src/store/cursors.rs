//! The cursors of the reconcile poll. One replica at a time holds a shop's.

use std::{collections::HashMap, time::Duration};

use events::ShopId;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Store, big, interval, natural};

impl Store {
    /// Takes or keeps a shop's cursor for as long as `lease`; `None` while another replica has it.
    /// A shop that was never polled begins at `begin`.
    pub(crate) async fn lease_cursor(
        &self,
        shop: &ShopId,
        holder: Uuid,
        lease: Duration,
        begin: OffsetDateTime,
    ) -> sqlx::Result<Option<OffsetDateTime>> {
        sqlx::query_scalar!(
            "INSERT INTO cursors AS c (shop, cursor, holder, lease_until)
             VALUES ($1, $2, $3, now() + $4)
             ON CONFLICT (shop) DO UPDATE SET holder = $3, lease_until = now() + $4
                 WHERE c.holder = $3 OR c.lease_until < now()
             RETURNING cursor",
            shop.as_str(),
            begin,
            holder,
            interval(lease),
        )
        .fetch_optional(&self.pool)
        .await
    }

    /// Moves the cursor forward, if it is still ours.
    pub(crate) async fn move_cursor(
        &self,
        shop: &ShopId,
        holder: Uuid,
        cursor: OffsetDateTime,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE cursors SET cursor = greatest(cursor, $3) WHERE shop = $1 AND holder = $2",
            shop.as_str(),
            holder,
            cursor,
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// When the portal's orders with these ids were last saved, as far as we have read them.
    pub(crate) async fn last_saves(
        &self,
        shop: &ShopId,
        ids: &[u64],
    ) -> sqlx::Result<HashMap<u64, OffsetDateTime>> {
        let ids: Vec<i64> = ids.iter().copied().map(big).collect();
        let rows = sqlx::query!(
            "SELECT id, updated_at FROM orders WHERE shop = $1 AND NOT site AND id = ANY($2)",
            shop.as_str(),
            &ids,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (natural(row.id), row.updated_at)).collect())
    }
}
