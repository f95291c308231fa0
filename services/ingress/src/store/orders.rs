//! The stored orders: read under a row lock, compared, written back with what was told.

use events::{Event, Order, OrderRef, ShopId};
use sqlx::{Postgres, Transaction};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Store, big, natural, unreadable, unwritable};
use crate::{content::Stamp, diff::Ledger};

/// An order as it was last read.
#[derive(Debug)]
pub(crate) struct Stored {
    pub order: Order,
    pub stamp: Stamp,
    pub ledger: Ledger,
    /// When we had it.
    pub read_at: OffsetDateTime,
}

/// An order to be stored.
#[derive(Debug)]
pub(crate) struct Next {
    pub order: Order,
    pub stamp: Stamp,
    pub ledger: Ledger,
    /// When we began to ask for it.
    pub asked_at: OffsetDateTime,
    /// When we had it.
    pub read_at: OffsetDateTime,
}

/// Whether a save was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saved {
    Yes,
    /// Another replica has stored the order for the first time meanwhile: look again.
    Raced,
}

/// An order's row, ours until this is saved, touched or dropped; dropping leaves it as it is.
#[derive(Debug)]
pub(crate) struct Held {
    transaction: Transaction<'static, Postgres>,
    webhook: Uuid,
    /// The order as it was last read, if ever.
    pub stored: Option<Stored>,
    /// What this webhook has led to already.
    pub told: Option<Vec<Event>>,
}

/// What is known of an order before it is asked for.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// What this webhook has led to already.
    pub told: Option<Vec<Event>>,
    /// When we last began to ask for the order.
    pub asked_at: Option<OffsetDateTime>,
}

impl Store {
    /// Locks an order's row for one webhook. Of an order not yet stored there is no row to lock;
    /// [`Held::save`] tells when another was first.
    pub(crate) async fn hold(&self, key: &OrderRef, webhook: Uuid) -> sqlx::Result<Held> {
        let mut transaction = self.pool.begin().await?;
        let row = sqlx::query!(
            "SELECT version, sequence, updated_at, hash, snapshot, ledger, read_at
             FROM orders WHERE shop = $1 AND site = $2 AND id = $3 FOR UPDATE",
            key.shop.as_str(),
            key.site,
            big(key.id),
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let stored = row.map(|row| {
            Ok::<_, sqlx::Error>(Stored {
                order: serde_json::from_str(&row.snapshot).map_err(unreadable)?,
                stamp: Stamp {
                    version: row.version.map(natural),
                    updated_at: row.updated_at,
                    sequence: row.sequence.map(natural),
                    hash: row.hash.as_slice().try_into().map_err(unreadable)?,
                },
                ledger: serde_json::from_str(&row.ledger).map_err(unreadable)?,
                read_at: row.read_at,
            })
        });
        let stored = stored.transpose()?;
        let told = sqlx::query_scalar!("SELECT events FROM told WHERE webhook = $1", webhook)
            .fetch_optional(&mut *transaction)
            .await?;
        let told = told.as_deref().map(events).transpose()?;
        Ok(Held { transaction, webhook, stored, told })
    }

    /// What is known before an order is asked for.
    pub(crate) async fn known(&self, key: &OrderRef, webhook: Uuid) -> sqlx::Result<Known> {
        let row = sqlx::query!(
            r#"SELECT (SELECT events FROM told WHERE webhook = $4) AS "told",
                (SELECT asked_at FROM orders WHERE shop = $1 AND site = $2 AND id = $3) AS "asked_at""#,
            key.shop.as_str(),
            key.site,
            big(key.id),
            webhook,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(Known { told: row.told.as_deref().map(events).transpose()?, asked_at: row.asked_at })
    }

    /// The order of a portal that has this payment, as far as we have seen it.
    pub(crate) async fn order_of_payment(
        &self,
        shop: &ShopId,
        payment: u64,
    ) -> sqlx::Result<Option<u64>> {
        let found = sqlx::query_scalar!(
            "SELECT id FROM orders WHERE payments @> ARRAY[$2::bigint] AND shop = $1 AND NOT site",
            shop.as_str(),
            big(payment),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(found.map(natural))
    }

    /// The order of a portal that has this shipment, as far as we have seen it.
    pub(crate) async fn order_of_shipment(
        &self,
        shop: &ShopId,
        shipment: u64,
    ) -> sqlx::Result<Option<u64>> {
        let found = sqlx::query_scalar!(
            "SELECT id FROM orders WHERE shipments @> ARRAY[$2::bigint] AND shop = $1 AND NOT site",
            shop.as_str(),
            big(shipment),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(found.map(natural))
    }

    /// Forgets what webhooks led to, where it was told so long ago that none of them comes back.
    pub(crate) async fn forget(&self, told_before: OffsetDateTime) -> sqlx::Result<()> {
        sqlx::query!("DELETE FROM told WHERE told_at < $1", told_before)
            .execute(&self.pool)
            .await
            .map(drop)
    }
}

impl Held {
    /// Notes that the order was read again and says what is known.
    pub(crate) async fn touch(
        mut self,
        key: &OrderRef,
        asked_at: OffsetDateTime,
        read_at: OffsetDateTime,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE orders SET asked_at = greatest(asked_at, $4), read_at = greatest(read_at, $5)
             WHERE shop = $1 AND site = $2 AND id = $3",
            key.shop.as_str(),
            key.site,
            big(key.id),
            asked_at,
            read_at,
        )
        .execute(&mut *self.transaction)
        .await?;
        self.transaction.commit().await
    }

    /// Stores the order and what follows from it, in one transaction.
    pub(crate) async fn save(mut self, next: &Next, facts: &[Event]) -> sqlx::Result<Saved> {
        if !self.write(next).await? {
            self.transaction.rollback().await?;
            return Ok(Saved::Raced);
        }
        if !facts.is_empty() {
            let text = serde_json::to_string(facts).map_err(unwritable)?;
            sqlx::query!("INSERT INTO told (webhook, events) VALUES ($1, $2)", self.webhook, text)
                .execute(&mut *self.transaction)
                .await?;
        }
        self.transaction.commit().await?;
        Ok(Saved::Yes)
    }

    /// A row that was locked is replaced; one that was not there must not be there still.
    async fn write(&mut self, next: &Next) -> sqlx::Result<bool> {
        let Next { order, stamp, ledger, asked_at, read_at } = next;
        let ids = |ids: &mut dyn Iterator<Item = u64>| ids.map(big).collect::<Vec<i64>>();
        let written = sqlx::query!(
            "INSERT INTO orders AS o (shop, site, id, version, sequence, updated_at, hash, snapshot,
                 ledger, asked_at, read_at, payments, shipments)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
             ON CONFLICT (shop, site, id) DO UPDATE SET version = excluded.version,
                 sequence = excluded.sequence, updated_at = excluded.updated_at,
                 hash = excluded.hash, snapshot = excluded.snapshot, ledger = excluded.ledger,
                 asked_at = greatest(o.asked_at, excluded.asked_at),
                 read_at = greatest(o.read_at, excluded.read_at),
                 payments = excluded.payments, shipments = excluded.shipments, reads = o.reads + 1
             WHERE $14",
            order.key.shop.as_str(),
            order.key.site,
            big(order.key.id),
            stamp.version.map(big),
            stamp.sequence.map(big),
            stamp.updated_at,
            stamp.hash.as_slice(),
            serde_json::to_string(order).map_err(unwritable)?,
            serde_json::to_string(ledger).map_err(unwritable)?,
            asked_at,
            read_at,
            &ids(&mut order.payments.iter().map(|payment| payment.id)),
            &ids(&mut order.shipments.iter().map(|shipment| shipment.id)),
            self.stored.is_some(),
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(written.rows_affected() == 1)
    }
}

fn events(text: &str) -> sqlx::Result<Vec<Event>> {
    serde_json::from_str(text).map_err(unreadable)
}
