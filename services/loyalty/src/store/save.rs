//! What a desk did, written down: the journal is added to, the books are brought to it.

use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Group, parked, rows, save_books};
use crate::ledger::{Account, Book, CustomerId, Desk, Record};

/// The books of a desk.
pub(super) type Books = BTreeMap<CustomerId, Book>;

/// Writes what the desk did since its books were as `before`.
pub(super) async fn desk(group: &mut Group, desk: &Desk, before: &Books) -> sqlx::Result<()> {
    if !desk.records.is_empty() {
        operations(group, &desk.records).await?;
        entries(group, &desk.records).await?;
        save_books::books(group, &desk.books, before).await?;
        balances(group, &desk.records).await?;
    }
    parked::park(group, desk).await
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
