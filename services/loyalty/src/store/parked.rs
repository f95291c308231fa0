//! Operations that wait: kept, found by name, found when they wait no more.

use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use super::{
    Group, Store,
    exceptions::{self, kinds},
    interval, rows,
};
use crate::ledger::{Desk, Request, Waits};

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

/// Keeps what must wait, and lets go what waits no more.
pub(super) async fn park(group: &mut Group, desk: &Desk) -> sqlx::Result<()> {
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
    give_way(group, desk).await?;
    if !all.is_empty() {
        sqlx::query!(
            "INSERT INTO parked (source, external_id, waits, phone, of_source, of_external, request)
             SELECT source, external_id, waits, phone, of_source, of_external, request
             FROM json_to_recordset($1::text::json) AS t (source text, external_id text, waits text,
                phone text, of_source text, of_external text, request text)",
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

/// A row that cannot be read gives way to its repeat, which can.
async fn give_way(group: &mut Group, desk: &Desk) -> sqlx::Result<()> {
    let decided = desk.records.iter().map(|record| &record.key);
    let parked = desk.to_park.iter().map(|(request, _)| &request.key);
    let keys = decided.chain(parked).map(|key| (key.source.clone(), key.external_id.clone()));
    let (sources, ids): (Vec<String>, Vec<String>) = keys.unzip();
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "DELETE FROM parked WHERE unreadable AND (source, external_id) IN
            (SELECT * FROM UNNEST($1::text[], $2::text[]))",
        &sources,
        &ids,
    )
    .execute(&mut **group)
    .await
    .map(drop)
}

/// Operations that wait under one of these names, or for one of them, in the order in which they
/// came.
pub(super) async fn named(
    group: &mut Group,
    sources: &[String],
    ids: &[String],
) -> sqlx::Result<Vec<(Request, Waits)>> {
    // Two questions with an index each: one with OR would read all that waits.
    let found = sqlx::query_as!(
        Row,
        r#"SELECT seq AS "seq!", waits AS "waits!", request AS "request!" FROM (
            SELECT p.seq, p.waits, p.request FROM UNNEST($1::text[], $2::text[]) AS n (source, external_id)
            JOIN parked p ON p.source = n.source AND p.external_id = n.external_id
            UNION
            SELECT p.seq, p.waits, p.request FROM UNNEST($1::text[], $2::text[]) AS n (source, external_id)
            JOIN parked p ON p.of_source = n.source AND p.of_external = n.external_id) AS found
           ORDER BY seq"#,
        sources,
        ids,
    )
    .fetch_all(&mut **group)
    .await?;
    let (readable, broken) = read(found);
    set_aside(group, &broken).await?;
    Ok(readable)
}

/// A row of what waits.
struct Row {
    seq: i64,
    waits: String,
    request: String,
}

/// What can be read, and the numbers of the rows that cannot.
fn read(rows: Vec<Row>) -> (Vec<(Request, Waits)>, Vec<i64>) {
    let (mut readable, mut broken) = (Vec::new(), Vec::new());
    for row in rows {
        let waits = match row.waits.as_str() {
            "parked_unknown_customer" => Some(Waits::Customer),
            "ambiguous_customer" => Some(Waits::Decision),
            "parked" => Some(Waits::Reference),
            _ => None,
        };
        match (serde_json::from_str(&row.request), waits) {
            (Ok(request), Some(waits)) => readable.push((request, waits)),
            _ => broken.push(row.seq),
        }
    }
    (readable, broken)
}

/// Rows that cannot be read are not looked at any more, and put before a person.
async fn set_aside(group: &mut Group, broken: &[i64]) -> sqlx::Result<()> {
    if broken.is_empty() {
        return Ok(());
    }
    let names = sqlx::query!(
        "UPDATE parked SET unreadable = true WHERE seq = ANY($1) AND NOT unreadable
         RETURNING source, external_id, waits, parked_at",
        broken,
    )
    .fetch_all(&mut **group)
    .await?;
    for row in names {
        let subject = format!("{}/{}", row.source, row.external_id);
        tracing::error!(operation = subject, "an operation that waits cannot be read");
        let details = json!({"waits": row.waits, "parked_at": row.parked_at.unix_timestamp()});
        exceptions::open(group, kinds::PARKED_UNREADABLE, &subject, &details).await?;
    }
    Ok(())
}

impl Store {
    /// Parked operations that wait for nothing any more. Of those that waited for a customer only
    /// the ones whose phone came or changed hands within `news`: they may be very many.
    pub(super) async fn wakeable(&self, news: Duration, limit: i64) -> sqlx::Result<Vec<Request>> {
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT seq AS "seq!", waits AS "waits!", request AS "request!" FROM (
                (SELECT p.seq, p.waits, p.request FROM parked p
                 WHERE p.of_source IS NULL AND NOT p.unreadable
                   AND p.phone IN (SELECT phone FROM phones WHERE since > now() - $1::interval)
                   AND (SELECT count(*) FROM phones WHERE phones.phone = p.phone) = 1
                 ORDER BY p.seq LIMIT $2)
                UNION ALL
                (SELECT p.seq, p.waits, p.request FROM parked p
                 JOIN operations o ON o.source = p.of_source AND o.external_id = p.of_external
                 WHERE p.of_source IS NOT NULL AND NOT p.unreadable
                   AND (p.phone IS NULL OR p.phone = o.phone
                        OR (SELECT count(*) FROM phones WHERE phones.phone = p.phone) = 1)
                 ORDER BY p.seq LIMIT $2)) AS found
               ORDER BY seq LIMIT $2"#,
            interval(news),
            limit,
        )
        .fetch_all(&self.pool)
        .await?;
        self.readable(rows).await
    }

    /// Parked operations that wait for one of these phones alone.
    pub(super) async fn wakeable_of(
        &self,
        phones: &[String],
        limit: i64,
    ) -> sqlx::Result<Vec<Request>> {
        let rows = sqlx::query_as!(
            Row,
            "SELECT seq, waits, request FROM parked p
             WHERE p.phone = ANY($1) AND p.of_source IS NULL AND NOT p.unreadable
               AND (SELECT count(*) FROM phones WHERE phones.phone = p.phone) = 1
             ORDER BY p.seq LIMIT $2",
            phones,
            limit,
        )
        .fetch_all(&self.pool)
        .await?;
        self.readable(rows).await
    }

    async fn readable(&self, rows: Vec<Row>) -> sqlx::Result<Vec<Request>> {
        let (readable, broken) = read(rows);
        if !broken.is_empty() {
            let mut group = self.pool.begin().await?;
            set_aside(&mut group, &broken).await?;
            group.commit().await?;
        }
        Ok(readable.into_iter().map(|(request, _)| request).collect())
    }

    /// Looks anew at rows that could not be read: this version may be a newer one.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn look_anew(&self) -> sqlx::Result<()> {
        sqlx::query!("UPDATE parked SET unreadable = false WHERE unreadable")
            .execute(&self.pool)
            .await
            .map(drop)
    }
}
