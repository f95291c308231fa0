//! What a group of operations needs to know, read under the row locks of its customers.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;
use uuid::Uuid;

use super::{Group, Work, load_books, parked, unreadable};
use crate::ledger::{Content, CustomerId, Desk, Found, Key, Kind, Known, Outcome, Past, Request};

/// Loads a desk and answers the time of the group: never before what the customers have seen.
pub(super) async fn desk(
    group: &mut Group,
    work: &Work,
    now: OffsetDateTime,
) -> sqlx::Result<(Desk, OffsetDateTime)> {
    let mut desk = Desk { phones: phones(group, work).await?, ..Desk::default() };
    let mut customers: BTreeSet<CustomerId> = work.settle.iter().copied().collect();
    customers.extend(work.requests().filter_map(|request| request.customer));
    customers.extend(desk.phones.values().filter_map(|found| match found {
        Found::One(customer) => Some(*customer),
        Found::Nobody | Found::Several => None,
    }));
    customers.extend(by_reference(group, work).await?);
    let customers: Vec<CustomerId> = customers.into_iter().collect();
    let last = lock(group, &customers).await?;
    desk.books = customers.iter().map(|customer| (*customer, Default::default())).collect();
    let operations = operations(group, work, &customers, &mut desk).await?;
    let (sources, ids) = work.names();
    desk.parked = parked::named(group, &sources, &ids).await?;
    load_books::books(group, &customers, &operations, &mut desk).await?;
    Ok((desk, last.map_or(now, |last| last.max(now))))
}

impl Work {
    fn requests(&self) -> impl Iterator<Item = &Request> {
        self.ask.iter().chain(&self.retry)
    }

    fn asks(&self, key: &Key) -> bool {
        self.requests().any(|request| request.key == *key)
    }

    /// The names of the operations asked for and of those they refer to.
    fn names(&self) -> (Vec<String>, Vec<String>) {
        let keys = self
            .requests()
            .flat_map(|request| [Some(&request.key), request.what.of()].into_iter().flatten());
        split(keys.collect::<BTreeSet<_>>())
    }
}

fn split<'a>(keys: impl IntoIterator<Item = &'a Key>) -> (Vec<String>, Vec<String>) {
    keys.into_iter().map(|key| (key.source.clone(), key.external_id.clone())).unzip()
}

async fn phones(group: &mut Group, work: &Work) -> sqlx::Result<BTreeMap<String, Found>> {
    let asked: BTreeSet<String> = work
        .requests()
        .filter(|request| request.customer.is_none())
        .filter_map(|request| Some(request.phone?.to_string()))
        .collect();
    let asked: Vec<String> = asked.into_iter().collect();
    let rows = sqlx::query!(
        r#"SELECT phone, min(customer_id) AS "customer!", count(*) AS "count!"
           FROM phones WHERE phone = ANY($1) GROUP BY phone"#,
        &asked,
    )
    .fetch_all(&mut **group)
    .await?;
    let found = |count, customer| if count == 1 { Found::One(customer) } else { Found::Several };
    Ok(rows.into_iter().map(|row| (row.phone, found(row.count, row.customer))).collect())
}

/// The customers of operations that are referred to: the phone may be another's by now.
async fn by_reference(group: &mut Group, work: &Work) -> sqlx::Result<Vec<CustomerId>> {
    let (sources, ids) = split(work.requests().filter_map(|request| request.what.of()));
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_scalar!(
        "SELECT DISTINCT customer_id FROM operations
         JOIN UNNEST($1::text[], $2::text[]) AS named (source, external_id) USING (source, external_id)",
        &sources,
        &ids,
    )
    .fetch_all(&mut **group)
    .await
}

async fn lock(group: &mut Group, customers: &[CustomerId]) -> sqlx::Result<Option<OffsetDateTime>> {
    let rows = sqlx::query_scalar!(
        "SELECT updated_at FROM customers WHERE id = ANY($1) ORDER BY id FOR UPDATE",
        customers,
    )
    .fetch_all(&mut **group)
    .await?;
    Ok(rows.into_iter().max())
}

/// Operations that are named or referred to, the holds behind captures, and all open holds.
async fn operations(
    group: &mut Group,
    work: &Work,
    customers: &[CustomerId],
    desk: &mut Desk,
) -> sqlx::Result<Vec<Uuid>> {
    let (sources, ids) = work.names();
    let rows = sqlx::query!(
        r#"
        WITH named AS (
            SELECT o.id, o.of_id, o.kind FROM operations o
            JOIN UNNEST($1::text[], $2::text[]) AS n (source, external_id) USING (source, external_id)
        ), wanted AS (
            SELECT id FROM named
            UNION SELECT of_id FROM named WHERE kind = 'capture' AND of_id IS NOT NULL
            UNION SELECT operation_id FROM progress WHERE open AND customer_id = ANY($3)
        )
        SELECT o.id, o.source, o.external_id, o.kind, o.customer_id, o.amount, o.phone, o.of_source,
            o.of_external, o.outcome, o.applied, p.undone AS "undone?", p.open AS "open?",
            p.captured AS "captured?", p.until AS "until?"
        FROM operations o JOIN wanted USING (id) LEFT JOIN progress p ON p.operation_id = o.id
        "#,
        &sources,
        &ids,
        customers,
    )
    .fetch_all(&mut **group)
    .await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let key = Key { source: row.source, external_id: row.external_id };
        // Another replica has carried it out since the customers were locked: its customer is not
        // here, so who refers to it waits for it as if it had not come yet.
        if !desk.books.contains_key(&row.customer_id) && !work.asks(&key) {
            continue;
        }
        all.push(row.id);
        let kind = Kind::named(&row.kind).ok_or_else(|| unreadable(row.kind))?;
        let outcome = Outcome::named(&row.outcome).ok_or_else(|| unreadable(row.outcome))?;
        let of = row.of_source.zip(row.of_external).map(|(source, id)| Key::new(source, id));
        if let Some(book) = desk.books.get_mut(&row.customer_id).filter(|_| outcome.is_done()) {
            let past = Past {
                id: row.id,
                kind,
                asked: row.amount,
                applied: row.applied,
                undone: row.undone.unwrap_or(0),
                open: row.open.unwrap_or(false),
                captured: row.captured.unwrap_or(0),
                until: row.until,
                root: of.clone().filter(|_| kind == Kind::Capture),
            };
            book.past.insert(key.clone(), past);
        }
        let content = Content { kind, amount: row.amount, phone: row.phone, of };
        let known = Known {
            id: row.id,
            customer: row.customer_id,
            content,
            outcome,
            applied: row.applied,
            undone_at_once: false,
        };
        desk.known.insert(key, known);
    }
    Ok(all)
}
