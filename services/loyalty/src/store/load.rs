//! What a group of operations needs to know, read under the row locks of its customers.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;
use uuid::Uuid;

use super::{Group, Store, Work, unreadable};
use crate::ledger::{
    Content, CustomerId, Desk, Found, Key, Kind, Known, Lot, Outcome, Owed, Past, Request, Waits,
};

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
    parked(group, work, &mut desk).await?;
    owed(group, &customers, &mut desk).await?;
    takes(group, &customers, &operations, &mut desk).await?;
    lots(group, &customers, &operations, &mut desk).await?;
    Ok((desk, last.map_or(now, |last| last.max(now))))
}

impl Work {
    fn requests(&self) -> impl Iterator<Item = &Request> {
        self.ask.iter().chain(&self.retry)
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

/// The customers of operations that are referred to without a phone.
async fn by_reference(group: &mut Group, work: &Work) -> sqlx::Result<Vec<CustomerId>> {
    let nameless = work.requests().filter(|r| r.customer.is_none() && r.phone.is_none());
    let (sources, ids) = split(nameless.filter_map(|request| request.what.of()));
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
        all.push(row.id);
        let key = Key { source: row.source, external_id: row.external_id };
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

async fn parked(group: &mut Group, work: &Work, desk: &mut Desk) -> sqlx::Result<()> {
    let (sources, ids) = work.names();
    let rows = sqlx::query!(
        "SELECT waits, request FROM parked
         WHERE (source, external_id) IN (SELECT * FROM UNNEST($1::text[], $2::text[]))
            OR (of_source, of_external) IN (SELECT * FROM UNNEST($1::text[], $2::text[]))
         ORDER BY seq",
        &sources,
        &ids,
    )
    .fetch_all(&mut **group)
    .await?;
    for row in rows {
        let request: Request = serde_json::from_str(&row.request).map_err(unreadable)?;
        let waits = match row.waits.as_str() {
            "parked_unknown_customer" => Waits::Customer,
            "ambiguous_customer" => Waits::Decision,
            _ => Waits::Reference,
        };
        desk.parked.push((request, waits));
    }
    Ok(())
}

async fn owed(group: &mut Group, customers: &[CustomerId], desk: &mut Desk) -> sqlx::Result<()> {
    let rows = sqlx::query!(
        "SELECT operation_id, customer_id, amount, since FROM owed
         WHERE amount > 0 AND customer_id = ANY($1)",
        customers,
    )
    .fetch_all(&mut **group)
    .await?;
    for row in rows {
        let book = desk.books.entry(row.customer_id).or_default();
        book.owed.push(Owed { id: row.operation_id, amount: row.amount, since: row.since });
    }
    Ok(())
}

/// What the operations at hand, and those that still owe, have taken from which lot.
async fn takes(
    group: &mut Group,
    customers: &[CustomerId],
    operations: &[Uuid],
    desk: &mut Desk,
) -> sqlx::Result<()> {
    let debts = desk.books.values().flat_map(|book| book.owed.iter().map(|owed| owed.id));
    let takers: Vec<Uuid> = operations.iter().copied().chain(debts).collect();
    if takers.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query!(
        "SELECT t.operation_id, t.lot_id, t.amount, l.customer_id FROM takes t
         JOIN lots l ON l.id = t.lot_id WHERE t.operation_id = ANY($1) AND l.customer_id = ANY($2)",
        &takers,
        customers,
    )
    .fetch_all(&mut **group)
    .await?;
    for row in rows {
        let book = desk.books.entry(row.customer_id).or_default();
        book.takes.insert((row.operation_id, row.lot_id), row.amount);
    }
    Ok(())
}

/// Lots with something free, those of the operations at hand, and those they have taken from.
async fn lots(
    group: &mut Group,
    customers: &[CustomerId],
    operations: &[Uuid],
    desk: &mut Desk,
) -> sqlx::Result<()> {
    let taken = desk.books.values().flat_map(|book| book.takes.keys().map(|(_, lot)| *lot));
    let wanted: Vec<Uuid> = operations.iter().copied().chain(taken).collect();
    let rows = sqlx::query!(
        r#"SELECT id AS "id!", customer_id AS "customer_id!", granted AS "granted!", free AS "free!",
              expired AS "expired!", matures_at, expires_at, effective_at AS "effective_at!"
           FROM lots WHERE customer_id = ANY($1) AND free > 0
           UNION
           SELECT id, customer_id, granted, free, expired, matures_at, expires_at, effective_at
           FROM lots WHERE id = ANY($2) AND customer_id = ANY($1)"#,
        customers,
        &wanted,
    )
    .fetch_all(&mut **group)
    .await?;
    for row in rows {
        let lot = Lot {
            granted: row.granted,
            free: row.free,
            expired: row.expired,
            matures_at: row.matures_at,
            expires_at: row.expires_at,
            effective_at: row.effective_at,
        };
        desk.books.entry(row.customer_id).or_default().lots.insert(row.id, lot);
    }
    Ok(())
}

impl Store {
    /// Customers to whom time has done something.
    pub(super) async fn due(&self, limit: i64) -> sqlx::Result<Vec<CustomerId>> {
        sqlx::query_scalar!(
            r#"SELECT customer_id AS "customer_id!" FROM (
                (SELECT customer_id FROM lots WHERE free > 0 AND matures_at <= $1 LIMIT $2)
                UNION
                (SELECT customer_id FROM lots WHERE free > 0 AND matures_at IS NULL AND expires_at <= $1 LIMIT $2)
                UNION
                (SELECT customer_id FROM progress WHERE open AND until <= $1 LIMIT $2)) AS due
               LIMIT $2"#,
            self.now(),
            limit,
        )
        .fetch_all(&self.pool)
        .await
    }

    /// Parked operations that wait for nothing any more.
    pub(super) async fn wakeable(&self, limit: i64) -> sqlx::Result<Vec<Request>> {
        let rows = sqlx::query_scalar!(
            "SELECT request FROM parked p
             WHERE (p.of_external IS NULL OR EXISTS (SELECT FROM operations o
                    WHERE o.source = p.of_source AND o.external_id = p.of_external))
               AND (p.phone IS NULL
                    OR (SELECT count(*) FROM phones WHERE phones.phone = p.phone) = 1)
             ORDER BY seq LIMIT $1",
            limit,
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|request| serde_json::from_str(request).map_err(unreadable)).collect()
    }
}
