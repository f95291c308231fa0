//! Where the event feed was read to.

use std::time::Duration;

use sqlx::postgres::types::PgInterval;
use uuid::Uuid;

use super::Store;

/// A place in the feed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Place {
    /// After which event.
    pub(crate) index: Option<String>,
    /// The place before.
    pub(crate) previous: Option<String>,
    /// The latest moment seen, in ticks.
    pub(crate) ticks: i64,
}

fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}

impl Store {
    /// The place, if this replica may read now: one at a time does.
    pub(crate) async fn hold_feed(
        &self,
        account: Uuid,
        holder: Uuid,
        lease: Duration,
    ) -> sqlx::Result<Option<Place>> {
        let row = sqlx::query!(
            "INSERT INTO feeds AS f (account, holder, held_until) VALUES ($1, $2, clock_timestamp() + $3)
             ON CONFLICT (account) DO UPDATE SET holder = $2, held_until = clock_timestamp() + $3
                 WHERE f.held_until <= clock_timestamp() OR f.holder = $2
             RETURNING index_key, previous, ticks",
            account,
            holder,
            interval(lease)
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| Place { index: row.index_key, previous: row.previous, ticks: row.ticks }))
    }

    /// Which of these events are new. Nothing is noted: what is not acted upon comes again.
    pub(crate) async fn new_events(
        &self,
        account: Uuid,
        ids: &[String],
    ) -> sqlx::Result<Vec<String>> {
        sqlx::query_scalar!(
            r#"SELECT id AS "id!" FROM unnest($2::text[]) AS id
               WHERE NOT EXISTS (SELECT 1 FROM feed_events WHERE account = $1 AND event_id = id)"#,
            account,
            ids
        )
        .fetch_all(&self.pool)
        .await
    }

    /// Notes events that were acted upon.
    pub(crate) async fn note_events(&self, account: Uuid, ids: &[String]) -> sqlx::Result<()> {
        sqlx::query!(
            "INSERT INTO feed_events (account, event_id) SELECT $1, id FROM unnest($2::text[]) AS id
             ON CONFLICT DO NOTHING",
            account,
            ids
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Moves the place, if it is still ours, and forgets events that the overlap has left behind.
    pub(crate) async fn move_feed(
        &self,
        account: Uuid,
        holder: Uuid,
        place: &Place,
        forget: Duration,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE feeds SET index_key = $3, previous = $4, ticks = $5 WHERE account = $1 AND holder = $2",
            account,
            holder,
            place.index,
            place.previous,
            place.ticks
        )
        .execute(&self.pool)
        .await?;
        sqlx::query!(
            "DELETE FROM feed_events WHERE account = $1 AND seen_at < now() - $2::interval",
            account,
            interval(forget)
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Lets another replica read.
    pub(crate) async fn leave_feed(&self, account: Uuid, holder: Uuid) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE feeds SET holder = NULL, held_until = 'epoch' WHERE account = $1 AND holder = $2",
            account,
            holder
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }
}
