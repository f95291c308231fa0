//! What a desk did, written down: the journal is added to, the books are brought to it.

use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Group, rows};
use crate::ledger::{Account, Book, CustomerId, Desk, Lot, Owed, Past, Record};

/// The books of a desk.
type Books = BTreeMap<CustomerId, Book>;

/// Writes what the desk did since its books were as `before`.
pub(super) async fn desk(group: &mut Group, desk: &Desk, before: &Books) -> sqlx::Result<()> {
    if !desk.records.is_empty() {
        operations(group, &desk.records).await?;
        entries(group, &desk.records).await?;
        lots(group, &desk.books, before).await?;
        takes(group, &desk.books, before).await?;
        owed(group, &desk.books, before).await?;
        progress(group, &desk.books, before).await?;
        balances(group, &desk.records).await?;
    }
    park(group, desk).await
}

#[derive(Serialize)]
struct OperationRow<'a> {
    id: Uuid,
    source: &'a str,
    external_id: &'a str,
    kind: &'a str,
    customer_id: CustomerId,
    amount: Option<i64>,
    phone: Option<&'a str>,
    of_source: Option<&'a str>,
    of_external: Option<&'a str>,
    of_id: Option<Uuid>,
    outcome: &'a str,
    applied: i64,
    #[serde(with = "time::serde::rfc3339")]
    effective_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    recorded_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    occurred_at: Option<OffsetDateTime>,
    register: Option<&'a str>,
    store: Option<&'a str>,
    description: Option<&'a str>,
    order_number: Option<&'a str>,
    author: Option<&'a str>,
    reason: Option<&'a str>,
}

impl<'a> From<&'a Record> for OperationRow<'a> {
    fn from(record: &'a Record) -> Self {
        let (content, note) = (&record.content, &record.note);
        Self {
            id: record.id,
            source: &record.key.source,
            external_id: &record.key.external_id,
            kind: content.kind.as_str(),
            customer_id: record.customer,
            amount: content.amount,
            phone: content.phone.as_deref(),
            of_source: content.of.as_ref().map(|of| of.source.as_str()),
            of_external: content.of.as_ref().map(|of| of.external_id.as_str()),
            of_id: record.of,
            outcome: record.outcome.as_str(),
            applied: record.applied,
            effective_at: record.effective_at,
            recorded_at: record.recorded_at,
            occurred_at: note.occurred_at,
            register: note.register.as_deref(),
            store: note.store.as_deref(),
            description: note.description.as_deref(),
            order_number: note.order.as_deref(),
            author: note.author.as_deref(),
            reason: note.reason.as_deref(),
        }
    }
}

async fn operations(group: &mut Group, records: &[Record]) -> sqlx::Result<()> {
    let all: Vec<OperationRow<'_>> = records.iter().map(OperationRow::from).collect();
    sqlx::query!(
        "INSERT INTO operations (id, source, external_id, kind, customer_id, amount, phone, of_source,
            of_external, of_id, outcome, applied, effective_at, recorded_at, occurred_at, register,
            store, description, order_number, author, reason)
         SELECT id, source, external_id, kind, customer_id, amount, phone, of_source,
            of_external, of_id, outcome, applied, effective_at, recorded_at, occurred_at, register,
            store, description, order_number, author, reason
         FROM json_to_recordset($1::text::json) AS t (id uuid, source text, external_id text, kind text,
            customer_id bigint, amount bigint, phone text, of_source text, of_external text, of_id uuid,
            outcome text, applied bigint, effective_at timestamptz, recorded_at timestamptz,
            occurred_at timestamptz, register text, store text, description text, order_number text,
            author text, reason text)",
        rows(&all)?,
    )
    .execute(&mut **group)
    .await
    .map(drop)
}

async fn entries(group: &mut Group, records: &[Record]) -> sqlx::Result<()> {
    let mut operations = Vec::new();
    let mut accounts = Vec::new();
    let mut customers = Vec::new();
    let mut amounts = Vec::new();
    let mut times = Vec::new();
    for record in records {
        for (account, amount) in record.entries.iter() {
            operations.push(record.id);
            accounts.push(account.as_str().to_owned());
            customers.push(record.customer);
            amounts.push(amount);
            times.push(record.recorded_at);
        }
    }
    sqlx::query!(
        "INSERT INTO entries (operation_id, account, customer_id, amount, recorded_at)
         SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::timestamptz[])",
        &operations,
        &accounts,
        &customers,
        &amounts,
        &times,
    )
    .execute(&mut **group)
    .await
    .map(drop)
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

async fn balances(group: &mut Group, records: &[Record]) -> sqlx::Result<()> {
    const OWN: [Account; 4] = [Account::Available, Account::Pending, Account::Held, Account::Debt];
    let mut sums: BTreeMap<CustomerId, ([i64; 4], OffsetDateTime)> = BTreeMap::new();
    for record in records {
        let (sum, at) = sums.entry(record.customer).or_insert(([0; 4], record.recorded_at));
        for (place, account) in sum.iter_mut().zip(OWN) {
            *place += record.entries.of(account);
        }
        *at = record.recorded_at.max(*at);
    }
    let column = |place: usize| -> Vec<i64> {
        sums.values().filter_map(|(sum, _)| sum.get(place).copied()).collect()
    };
    let customers: Vec<CustomerId> = sums.keys().copied().collect();
    let times: Vec<OffsetDateTime> = sums.values().map(|(_, at)| *at).collect();
    sqlx::query!(
        "UPDATE customers c SET available = c.available + s.available, pending = c.pending + s.pending,
            held = c.held + s.held, debt = c.debt + s.debt, updated_at = s.at
         FROM UNNEST($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[])
            AS s (id, available, pending, held, debt, at)
         WHERE c.id = s.id",
        &customers,
        &column(0),
        &column(1),
        &column(2),
        &column(3),
        &times,
    )
    .execute(&mut **group)
    .await
    .map(drop)
}

#[derive(Serialize)]
struct ParkedRow<'a> {
    source: &'a str,
    external_id: &'a str,
    waits: &'a str,
    phone: Option<String>,
    of_source: Option<&'a str>,
    of_external: Option<&'a str>,
    request: String,
}

async fn park(group: &mut Group, desk: &Desk) -> sqlx::Result<()> {
    let mut all = Vec::with_capacity(desk.to_park.len());
    for (request, waits) in &desk.to_park {
        let of = request.what.of();
        all.push(ParkedRow {
            source: &request.key.source,
            external_id: &request.key.external_id,
            waits: waits.as_str(),
            // Where the customer is known, the phone is not waited for.
            phone: request.phone.filter(|_| request.customer.is_none()).map(|p| p.to_string()),
            of_source: of.map(|of| of.source.as_str()),
            of_external: of.map(|of| of.external_id.as_str()),
            request: serde_json::to_string(request)
                .map_err(|error| sqlx::Error::Encode(error.into()))?,
        });
    }
    if !all.is_empty() {
        sqlx::query!(
            "INSERT INTO parked (source, external_id, waits, phone, of_source, of_external, request)
             SELECT source, external_id, waits, phone, of_source, of_external, request
             FROM json_to_recordset($1::text::json) AS t (source text, external_id text, waits text,
                phone text, of_source text, of_external text, request text)
             ON CONFLICT (source, external_id) DO NOTHING",
            rows(&all)?,
        )
        .execute(&mut **group)
        .await?;
    }
    if desk.to_wake.is_empty() {
        return Ok(());
    }
    let wake = desk.to_wake.iter().map(|key| (key.source.clone(), key.external_id.clone()));
    let (sources, ids): (Vec<String>, Vec<String>) = wake.unzip();
    sqlx::query!(
        "DELETE FROM parked WHERE (source, external_id) IN
            (SELECT * FROM UNNEST($1::text[], $2::text[]))",
        &sources,
        &ids,
    )
    .execute(&mut **group)
    .await
    .map(drop)
}
