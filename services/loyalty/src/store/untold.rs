//! What 1C, the master, has not been told yet: written with the operation, deleted when it is told.

use std::time::Duration;

use events::Phone;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Group, Store,
    exceptions::{self, kinds},
    interval, unreadable,
};
use crate::ledger::{Desk, Key, Kind, OWN_SOURCE, Record};

/// How long an order's job has for it: longer than jobs live.
const JOBS: Duration = Duration::from_secs(8 * 24 * 3600);

/// An operation as 1C is to be told.
#[derive(Debug, Clone)]
pub struct Untold {
    /// By which 1C knows a repeat.
    pub id: Uuid,
    /// Its name.
    pub key: Key,
    /// Its kind.
    pub kind: Kind,
    /// Kopecks, where a number was named.
    pub amount: Option<i64>,
    /// The name of the operation that it refers to.
    pub reference: Option<String>,
    /// The order's number.
    pub order: Option<String>,
    /// When it happened.
    pub at: OffsetDateTime,
    /// When a hold ends by itself.
    pub until: Option<OffsetDateTime>,
    /// The phone by which 1C knows the customer.
    pub phone: Option<Phone>,
    /// Whether it takes back something that 1C may never have got.
    pub withdraws: bool,
    /// Since when it is untold.
    pub since: OffsetDateTime,
    /// Whether 1C has taken it, or need not have it.
    pub told: bool,
}

/// What became of telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// 1C knows it, or need not know it any more.
    Told,
    /// It is told again later.
    Later,
    /// 1C will not have it: a person must look.
    Refused(String),
}

/// Notes what 1C is to be told of what the desk did: by the job of its order, or, where nobody
/// was waiting for it or a person did it by hand, by us.
pub(super) async fn note(group: &mut Group, desk: &Desk, now: OffsetDateTime) -> sqlx::Result<()> {
    let (mut ids, mut customers, mut due) = (Vec::new(), Vec::new(), Vec::new());
    for record in desk.records.iter().filter(|record| record.outcome.is_done()) {
        let (of_order, by_hand) = (record.key.source.starts_with("shop:"), by_hand(record));
        if !of_order && !by_hand {
            continue;
        }
        let woken = desk.woken.iter().any(|(request, _)| request.key == record.key);
        ids.push(record.id);
        customers.push(record.customer);
        due.push(if woken || by_hand { now } else { now + JOBS });
    }
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO untold (operation_id, customer_id, due_at, since)
         SELECT id, customer, due, $4 FROM UNNEST($1::uuid[], $2::bigint[], $3::timestamptz[]) AS t (id, customer, due)",
        &ids,
        &customers,
        &due,
        now,
    )
    .execute(&mut **group)
    .await
    .map(drop)
}

/// Whether a person adjusted points here. What the comparison with 1C brought is 1C's own.
fn by_hand(record: &Record) -> bool {
    record.content.kind == Kind::Adjustment && record.key.source != OWN_SOURCE
}

impl Store {
    /// Notes that 1C was told these operations, or that it need not be.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn told(&self, operations: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!("DELETE FROM untold WHERE operation_id = ANY($1)", operations)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// Takes `operations` back, which 1C may or may not have got, by `undoing`, which is told
    /// from now on until 1C has said what it knows of them.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn withdraw(&self, operations: &[Uuid], undoing: &[Uuid]) -> sqlx::Result<()> {
        let mut group = self.pool.begin().await?;
        sqlx::query!("DELETE FROM untold WHERE operation_id = ANY($1)", operations)
            .execute(&mut *group)
            .await?;
        sqlx::query!(
            "UPDATE untold SET withdraws = true, due_at = $2 WHERE operation_id = ANY($1) AND NOT withdraws",
            undoing,
            self.now(),
        )
        .execute(&mut *group)
        .await?;
        group.commit().await
    }

    /// The phone by which 1C knows the customer of an operation: the one that was named, the one
    /// of the operation it refers to, or one that is the customer's alone. A phone that was only
    /// typed may be another's: it receives points, and none are spent under it.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn phone_to_tell(&self, operation: Uuid) -> sqlx::Result<Option<Phone>> {
        let phone = sqlx::query_scalar!(
            r#"SELECT COALESCE(o.phone, r.phone, (
                SELECT p.phone FROM phones p WHERE p.customer_id = o.customer_id
                 AND (p.proven OR NOT (o.kind IN ('hold', 'debit', 'capture') OR o.kind = 'adjustment' AND o.amount < 0))
                 AND NOT EXISTS (SELECT FROM phones x WHERE x.phone = p.phone AND x.customer_id <> p.customer_id)
                ORDER BY p.proven DESC, p.since, p.phone LIMIT 1)) AS "phone"
               FROM operations o LEFT JOIN operations r ON r.id = o.of_id WHERE o.id = $1"#,
            operation,
        )
        .fetch_optional(&self.pool)
        .await?;
        phone.flatten().map(|phone| phone.parse().map_err(unreadable)).transpose()
    }

    /// An operation as 1C is to be told, also one that it was told already.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn recorded(&self, operation: Uuid) -> sqlx::Result<Untold> {
        let row = sqlx::query!(
            r#"SELECT o.source, o.external_id, o.kind, o.amount, o.of_external, o.order_number, o.effective_at,
                p.until AS "until?", COALESCE(u.withdraws, false) AS "withdraws!",
                COALESCE(u.since, o.recorded_at) AS "since!", u.operation_id IS NULL AS "told!"
               FROM operations o LEFT JOIN untold u ON u.operation_id = o.id LEFT JOIN progress p ON p.operation_id = o.id
               WHERE o.id = $1"#,
            operation,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(Untold {
            id: operation,
            kind: Kind::named(&row.kind).ok_or_else(|| unreadable(row.kind))?,
            key: Key { source: row.source, external_id: row.external_id },
            amount: row.amount,
            reference: row.of_external,
            order: row.order_number,
            at: row.effective_at,
            until: row.until,
            phone: self.phone_to_tell(operation).await?,
            withdraws: row.withdraws,
            since: row.since,
            told: row.told,
        })
    }

    /// Tells 1C the next operation that is due; `false` when there is none. Its row stays locked
    /// meanwhile, so no other replica tells the same.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn tell_next(&self, tell: impl AsyncFnOnce(&Untold) -> Fate) -> sqlx::Result<bool> {
        let mut group = self.pool.begin().await?;
        let due = sqlx::query_scalar!(
            "SELECT operation_id FROM untold WHERE due_at <= $1 ORDER BY due_at, seq LIMIT 1 FOR UPDATE SKIP LOCKED",
            self.now(),
        )
        .fetch_optional(&mut *group)
        .await?;
        let Some(due) = due else { return Ok(false) };
        let untold = self.recorded(due).await?;
        let fate = tell(&untold).await;
        if let Fate::Refused(why) = &fate {
            let details = serde_json::json!({"type": untold.kind.as_str(), "refusal": why,
                "amount_kopecks": untold.amount, "order": untold.order});
            let subject = untold.key.to_string();
            exceptions::open(&mut group, kinds::ONEC_REFUSED, &subject, &details).await?;
        }
        match fate {
            Fate::Told | Fate::Refused(_) => drop_it(&mut group, untold.id).await?,
            Fate::Later => put_off(&mut group, untold.id, self.now()).await?,
        }
        group.commit().await?;
        Ok(true)
    }
}

async fn drop_it(group: &mut Group, operation: Uuid) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM untold WHERE operation_id = $1", operation)
        .execute(&mut **group)
        .await
        .map(drop)
}

/// In five seconds, then in ten, at the latest in half an hour.
async fn put_off(group: &mut Group, operation: Uuid, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE untold SET failed = failed + 1,
            due_at = $2::timestamptz + least($3::interval * 2 ^ least(failed, 20), interval '30 minutes')
         WHERE operation_id = $1",
        operation,
        now,
        interval(Duration::from_secs(5)),
    )
    .execute(&mut **group)
    .await
    .map(drop)
}
