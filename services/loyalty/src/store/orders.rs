//! What was done for an order, and what of it still waits.

use super::{Store, unreadable};
use crate::ledger::{Key, Kind, Outcome, Request};

/// An operation of an order's: carried out, refused or waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Its name.
    pub key: Key,
    /// How many kopecks moved, or will when it has waited; none of a refused one.
    pub applied: i64,
    /// How many of them were undone since, or will be; of a capture, of what its hold spent.
    pub undone: i64,
    /// A hold that is neither spent nor released.
    pub open: bool,
}

impl Done {
    /// Whether something of it still stands.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.applied > self.undone
    }
}

impl Store {
    /// An order's operations under these names, those that wait after the others.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer, or what waits cannot be read.
    pub async fn of_order(&self, source: &str, names: &[String]) -> sqlx::Result<Vec<Done>> {
        // What waits is read first: what is carried out in between is then found twice, and not
        // missed.
        let waiting = self.waiting_of_order(source, names).await?;
        let rows = sqlx::query!(
            r#"SELECT o.external_id, o.outcome, o.applied, COALESCE(p.undone, 0) AS "undone!",
                COALESCE(p.open, false) AS "open!"
               FROM operations o
               LEFT JOIN progress p ON p.operation_id = CASE WHEN o.kind = 'capture' THEN o.of_id ELSE o.id END
               WHERE o.source = $1 AND o.external_id = ANY($2) ORDER BY o.seq"#,
            source,
            names,
        )
        .fetch_all(&self.pool)
        .await?;
        let mut all = Vec::with_capacity(rows.len() + waiting.len());
        for row in rows {
            let outcome = Outcome::named(&row.outcome).ok_or_else(|| unreadable(row.outcome))?;
            all.push(Done {
                key: Key::new(source, row.external_id),
                applied: if outcome.is_done() { row.applied } else { 0 },
                undone: row.undone,
                open: row.open,
            });
        }
        let known: Vec<Key> = all.iter().map(|done| done.key.clone()).collect();
        all.extend(waiting.into_iter().filter(|done| !known.contains(&done.key)));
        Ok(all)
    }

    async fn waiting_of_order(&self, source: &str, names: &[String]) -> sqlx::Result<Vec<Done>> {
        let rows = sqlx::query_scalar!(
            "SELECT request FROM parked WHERE source = $1 AND external_id = ANY($2) ORDER BY seq",
            source,
            names,
        )
        .fetch_all(&self.pool)
        .await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let undoing = sqlx::query_scalar!(
            "SELECT request FROM parked WHERE of_source = $1 AND of_external = ANY($2) ORDER BY seq",
            source,
            names,
        )
        .fetch_all(&self.pool)
        .await?;
        let undoing = undoing.iter().map(|text| request(text)).collect::<Result<Vec<_>, _>>()?;
        rows.iter().map(|text| Ok(waiting(&request(text)?, &undoing))).collect()
    }

    /// Keeps what an order's goods are worth (kopecks), and answers the most that they were ever worth.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn goods(&self, order: &Key, value: i64) -> sqlx::Result<i64> {
        sqlx::query_scalar!(
            "INSERT INTO goods AS g (source, name, value) VALUES ($1, $2, $3)
             ON CONFLICT (source, name) DO UPDATE SET value = GREATEST(g.value, excluded.value)
             RETURNING value",
            order.source,
            order.external_id,
            value,
        )
        .fetch_one(&self.pool)
        .await
    }

    /// Notes that goods of this value (kopecks) came back, of which the operation `of` moved points, and answers the
    /// value of those that were noted before it: always the same, however often it is asked.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn returned_before(
        &self,
        of: &Key,
        occurrence: u32,
        value: i64,
    ) -> sqlx::Result<i64> {
        let mut group = self.pool.begin().await?;
        // Two returns at once are one after the other.
        sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended($1, 8))", of.to_string())
            .execute(&mut *group)
            .await?;
        sqlx::query!(
            "INSERT INTO returns (source, name, occurrence, value, before)
             SELECT $1, $2, $3, $4, COALESCE(sum(value), 0)::bigint FROM returns WHERE source = $1 AND name = $2
             ON CONFLICT DO NOTHING",
            of.source,
            of.external_id,
            i64::from(occurrence),
            value,
        )
        .execute(&mut *group)
        .await?;
        let before = sqlx::query_scalar!(
            "SELECT before FROM returns WHERE source = $1 AND name = $2 AND occurrence = $3",
            of.source,
            of.external_id,
            i64::from(occurrence),
        )
        .fetch_one(&mut *group)
        .await?;
        group.commit().await?;
        Ok(before)
    }
}

fn request(text: &str) -> sqlx::Result<Request> {
    serde_json::from_str(text).map_err(unreadable)
}

/// How an operation that waits will stand once it and what undoes it are carried out.
fn waiting(request: &Request, undoing: &[Request]) -> Done {
    let applied = request.what.amount().unwrap_or(0);
    let undone = undoing
        .iter()
        .filter(|other| matches!(other.what.kind(), Kind::Release | Kind::Reversal))
        .filter(|other| other.what.of() == Some(&request.key))
        .map(|other| other.what.amount().unwrap_or(applied))
        .fold(0_i64, i64::saturating_add)
        .min(applied);
    let open = request.what.kind() == Kind::Hold && undone == 0;
    Done { key: request.key.clone(), applied, undone, open }
}
