//! The books brought to what the desk did: only what has changed is written.

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Group, rows, save::Books};
use crate::ledger::{CustomerId, Lot, Owed, Past};

/// Writes how the books differ from `before`.
pub(super) async fn books(group: &mut Group, books: &Books, before: &Books) -> sqlx::Result<()> {
    lots(group, books, before).await?;
    takes(group, books, before).await?;
    owed(group, books, before).await?;
    progress(group, books, before).await
}

#[derive(Serialize)]
struct LotRow {
    id: Uuid,
    customer_id: CustomerId,
    granted: i64,
    free: i64,
    expired: i64,
    #[serde(with = "time::serde::rfc3339::option")]
    matures_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    expires_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    effective_at: OffsetDateTime,
}

async fn lots(group: &mut Group, books: &Books, before: &Books) -> sqlx::Result<()> {
    let old = |customer, id| before.get(customer).and_then(|book| book.lots.get(id));
    let changed = books.iter().flat_map(|(customer, book)| {
        let lots = book.lots.iter().filter(move |(id, lot)| old(customer, id) != Some(lot));
        lots.map(|(id, lot)| lot_row(*id, *customer, lot))
    });
    let changed: Vec<LotRow> = changed.collect();
    if changed.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO lots (id, customer_id, granted, free, expired, matures_at, expires_at, effective_at)
         SELECT id, customer_id, granted, free, expired, matures_at, expires_at, effective_at
         FROM json_to_recordset($1::text::json) AS t (id uuid, customer_id bigint, granted bigint,
            free bigint, expired bigint, matures_at timestamptz, expires_at timestamptz, effective_at timestamptz)
         ON CONFLICT (id) DO UPDATE SET free = excluded.free, expired = excluded.expired,
            matures_at = excluded.matures_at, expires_at = excluded.expires_at",
        rows(&changed)?,
    )
    .execute(&mut **group)
    .await
    .map(drop)
}

fn lot_row(id: Uuid, customer_id: CustomerId, lot: &Lot) -> LotRow {
    LotRow {
        id,
        customer_id,
        granted: lot.granted,
        free: lot.free,
        expired: lot.expired,
        matures_at: lot.matures_at,
        expires_at: lot.expires_at,
        effective_at: lot.effective_at,
    }
}

async fn takes(group: &mut Group, books: &Books, before: &Books) -> sqlx::Result<()> {
    let old = |customer, pair| before.get(customer).and_then(|book| book.takes.get(pair));
    let (mut operations, mut lots, mut amounts) = (Vec::new(), Vec::new(), Vec::new());
    for (customer, book) in books {
        for (pair, amount) in
            book.takes.iter().filter(|(pair, new)| old(customer, pair) != Some(new))
        {
            operations.push(pair.0);
            lots.push(pair.1);
            amounts.push(*amount);
        }
    }
    if amounts.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO takes (operation_id, lot_id, amount)
         SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::bigint[])
         ON CONFLICT (operation_id, lot_id) DO UPDATE SET amount = excluded.amount",
        &operations,
        &lots,
        &amounts,
    )
    .execute(&mut **group)
    .await
    .map(drop)
}

async fn owed(group: &mut Group, books: &Books, before: &Books) -> sqlx::Result<()> {
    let none: &[Owed] = &[];
    let old = |customer| before.get(customer).map_or(none, |book| &book.owed);
    let (mut ids, mut customers, mut amounts, mut since) = (vec![], vec![], vec![], vec![]);
    for (customer, book) in books {
        for owed in book.owed.iter().filter(|owed| !old(customer).contains(owed)) {
            ids.push(owed.id);
            customers.push(*customer);
            amounts.push(owed.amount);
            since.push(owed.since);
        }
    }
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO owed (operation_id, customer_id, amount, since)
         SELECT * FROM UNNEST($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[])
         ON CONFLICT (operation_id) DO UPDATE SET amount = excluded.amount",
        &ids,
        &customers,
        &amounts,
        &since,
    )
    .execute(&mut **group)
    .await
    .map(drop)
}

#[derive(Serialize)]
struct ProgressRow {
    operation_id: Uuid,
    customer_id: CustomerId,
    undone: i64,
    open: bool,
    captured: i64,
    #[serde(with = "time::serde::rfc3339::option")]
    until: Option<OffsetDateTime>,
}

async fn progress(group: &mut Group, books: &Books, before: &Books) -> sqlx::Result<()> {
    let old = |customer, key| before.get(customer).and_then(|book| book.past.get(key));
    let is_plain = |past: &Past| past.undone == 0 && past.until.is_none();
    let changed = books.iter().flat_map(|(customer, book)| {
        book.past
            .iter()
            .filter(move |(key, past)| old(customer, key) != Some(past) && !is_plain(past))
            .map(|(_, past)| ProgressRow {
                operation_id: past.id,
                customer_id: *customer,
                undone: past.undone,
                open: past.open,
                captured: past.captured,
                until: past.until,
            })
    });
    let changed: Vec<ProgressRow> = changed.collect();
    if changed.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO progress (operation_id, customer_id, undone, open, captured, until)
         SELECT operation_id, customer_id, undone, open, captured, until
         FROM json_to_recordset($1::text::json) AS t (operation_id uuid, customer_id bigint,
            undone bigint, open boolean, captured bigint, until timestamptz)
         ON CONFLICT (operation_id) DO UPDATE SET undone = excluded.undone, open = excluded.open,
            captured = excluded.captured",
        rows(&changed)?,
    )
    .execute(&mut **group)
    .await
    .map(drop)
}
