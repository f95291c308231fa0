//! Replays: letters handed back one after another.

use std::time::Duration;

use serde::Serialize;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Store, audit::note_in, interval};
use crate::filter::Filter;

/// A replay with its progress.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ReplayRow {
    pub id: Uuid,
    pub who: String,
    pub why: String,
    /// Letters in a second.
    pub rate: i32,
    pub state: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub finished_at: Option<OffsetDateTime>,
    /// Why it does not go on just now.
    pub error: Option<String>,
    pub total: i64,
    pub sent: i64,
    pub resolved: i64,
    pub again: i64,
}

/// A letter of a replay, and what its service has said in the end.
#[derive(Debug, Clone)]
pub(crate) struct ItemRow {
    pub letter: Uuid,
    pub order_key: Option<String>,
    pub order_number: Option<String>,
    pub state: String,
    pub done_ru: Option<String>,
    pub done_en: Option<String>,
}

/// What became of the wish to replay.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Started {
    /// The replay; the same one when it was asked for twice.
    pub id: Uuid,
    /// How many letters it took up now.
    pub letters: i64,
}

/// A letter that is to be handed back.
#[derive(Debug, Clone)]
pub(crate) struct Due {
    pub letter: Uuid,
    pub worker: Option<String>,
    pub event_id: Uuid,
    pub death: Option<Uuid>,
    pub topic: Option<String>,
    pub routing_key: String,
    pub body: Vec<u8>,
    pub edited: Option<String>,
    pub trace: Option<String>,
    pub state: String,
    /// A person has looked, and the effect is not there.
    pub absent: bool,
}

/// The letters that a replay hands back next. It is this replica's until it is finished or dropped.
pub(crate) struct Batch {
    pub replay: Uuid,
    pub due: Vec<Due>,
    pub rate: i32,
    transaction: sqlx::Transaction<'static, sqlx::Postgres>,
}

/// Open letters that a replay would treat alike.
pub(crate) struct Alike {
    pub class: String,
    /// `done`, where their service has said so.
    pub last_phase: Option<String>,
    /// Whether the replay takes them up.
    pub taken: bool,
    pub count: i64,
}

/// A new replay.
#[derive(Debug, Clone)]
pub(crate) struct Wish<'a> {
    pub id: Uuid,
    pub who: &'a str,
    pub why: &'a str,
    pub rate: i32,
    pub filter: &'a Filter,
    pub ids: Option<&'a [Uuid]>,
    /// Unknown ones that a person has looked for, and whose effects are not there; no others go.
    pub looked: &'a [Uuid],
}

impl Store {
    /// What a replay of this choice would take up and what not.
    pub(crate) async fn dry_run(
        &self,
        filter: &Filter,
        ids: Option<&[Uuid]>,
        looked: &[Uuid],
    ) -> sqlx::Result<Vec<Alike>> {
        sqlx::query_as!(
            Alike,
            r#"
            SELECT class, last_phase, taken AS "taken!", count(*) AS "count!" FROM (
                SELECT l.class, (l.class <> 'unknown' OR l.id = ANY($8)) AS taken, CASE WHEN EXISTS (
                    SELECT FROM entries e WHERE e.cause = l.event_id AND e.service = l.service AND e.phase = 'done')
                    THEN 'done' END AS last_phase
                FROM letters l
                WHERE l.state = 'open' AND ($7::uuid[] IS NULL OR l.id = ANY($7))
                    AND ($1::text IS NULL OR l.worker = $1 OR $1 = 'unrouted' AND l.worker IS NULL)
                    AND ($2::text IS NULL OR l.class = $2) AND ($3::text IS NULL OR l.state = $3)
                    AND ($4::uuid IS NULL OR l.group_id = $4) AND ($5::text IS NULL OR l.order_number = $5)
                    AND ($6::text IS NULL OR l.search LIKE lower($6))
            ) chosen GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
            "#,
            filter.worker, filter.class, filter.state, filter.group, filter.order, filter.like(), ids, looked,
        )
        .fetch_all(&self.pool)
        .await
    }

    /// Takes the open letters of this choice up, each into one replay however often it is asked.
    pub(crate) async fn start_replay(&self, wish: &Wish<'_>) -> sqlx::Result<Started> {
        let mut transaction = self.pool.begin().await?;
        let started = start_in(&mut transaction, wish).await?;
        if started.letters > 0 {
            let action = if wish.looked.is_empty() { "replay" } else { "replay with unknown" };
            note_in(&mut transaction, wish.who, action, &[wish.id.to_string()], wish.why).await?;
        }
        transaction.commit().await?;
        Ok(started)
    }

    /// The next letters to be handed back, at most a fifth of a second's worth; `None` when no
    /// replay is due. The replay is locked until the batch ends: two replicas keep one rate.
    pub(crate) async fn due(&self) -> sqlx::Result<Option<Batch>> {
        let mut transaction = self.pool.begin().await?;
        let replay = sqlx::query!(
            "SELECT id, rate FROM replays WHERE state = 'running' AND next_at <= now()
             ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED",
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(replay) = replay else {
            transaction.rollback().await?;
            return Ok(None);
        };
        let due = sqlx::query_as!(
            Due,
            r#"
            SELECT l.id AS letter, l.worker, l.event_id, l.death, l.topic, l.routing_key, l.body, l.edited,
                l.headers->>'traceparent' AS trace, l.state, (r.unknown AND l.class = 'unknown') AS "absent!"
            FROM replay_items i JOIN letters l ON l.id = i.letter JOIN replays r ON r.id = i.replay
            WHERE i.replay = $1 AND i.sent_at IS NULL ORDER BY i.letter LIMIT $2
            "#,
            replay.id,
            i64::from(replay.rate / 5).max(1),
        )
        .fetch_all(&mut *transaction)
        .await?;
        Ok(Some(Batch { replay: replay.id, due, rate: replay.rate, transaction }))
    }

    /// Pauses, resumes or cancels a replay; `false` when it was not in a state for that. What a
    /// cancelled one has not handed back is open again.
    pub(crate) async fn turn_replay(
        &self,
        who: &str,
        turn: &str,
        id: Uuid,
        from: &[String],
        to: &str,
    ) -> sqlx::Result<bool> {
        let mut transaction = self.pool.begin().await?;
        let turned = sqlx::query!(
            "UPDATE replays SET state = $3, next_at = now(), error = NULL,
                finished_at = CASE WHEN $3 = 'cancelled' THEN now() END
             WHERE id = $1 AND state = ANY($2)",
            id,
            from,
            to,
        )
        .execute(&mut *transaction)
        .await?;
        if turned.rows_affected() == 1 && to == "cancelled" {
            sqlx::query!(
                "UPDATE letters SET state = 'open', state_at = now() FROM replay_items i
                 WHERE i.replay = $1 AND i.sent_at IS NULL AND letters.id = i.letter AND letters.state = 'queued'",
                id,
            )
            .execute(&mut *transaction)
            .await?;
        }
        if turned.rows_affected() == 1 {
            note_in(&mut transaction, who, turn, &[id.to_string()], "").await?;
        }
        transaction.commit().await?;
        Ok(turned.rows_affected() == 1)
    }

    /// Counts replays for good that ended `ago`, a few at a time: what becomes of their letters later is
    /// other replays' doing.
    pub(crate) async fn count_replays(&self, ago: Duration) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE replays r SET (total, sent, resolved, again) = (
                SELECT count(*), count(i.sent_at), count(*) FILTER (WHERE l.state IN ('resolved', 'settled')),
                    count(*) FILTER (WHERE i.sent_at IS NOT NULL AND l.state = 'again')
                FROM replay_items i JOIN letters l ON l.id = i.letter WHERE i.replay = r.id)
             WHERE r.id IN (SELECT id FROM replays WHERE total IS NULL AND finished_at < now() - $1::interval LIMIT 50)",
            interval(ago),
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// The first letters of a replay, those that failed again before the others.
    pub(crate) async fn replay_items(&self, id: Uuid, limit: i64) -> sqlx::Result<Vec<ItemRow>> {
        sqlx::query_as!(
            ItemRow,
            r#"
            SELECT l.id AS letter, l.order_key, l.order_number, l.state, e.text_ru AS "done_ru?", e.text_en AS "done_en?"
            FROM replay_items i JOIN letters l ON l.id = i.letter
            LEFT JOIN LATERAL (
                SELECT text_ru, text_en FROM entries WHERE cause = l.event_id AND service = l.service AND phase = 'done'
                ORDER BY at DESC LIMIT 1) e ON true
            WHERE i.replay = $1 ORDER BY (l.state = 'again') DESC, l.id LIMIT $2
            "#,
            id,
            limit,
        )
        .fetch_all(&self.pool)
        .await
    }

    /// One replay, or the last fifty, with their progress.
    pub(crate) async fn replays(&self, id: Option<Uuid>) -> sqlx::Result<Vec<ReplayRow>> {
        sqlx::query_as!(
            ReplayRow,
            r#"
            SELECT r.id, r.who, r.why, r.rate, r.state, r.created_at, r.finished_at, r.error,
                COALESCE(r.total, c.total) AS "total!", COALESCE(r.sent, c.sent) AS "sent!",
                COALESCE(r.resolved, c.resolved) AS "resolved!", COALESCE(r.again, c.again) AS "again!"
            FROM (SELECT * FROM replays WHERE $1::uuid IS NULL OR id = $1 ORDER BY created_at DESC LIMIT 50) r
            CROSS JOIN LATERAL (
                SELECT count(*) AS total, count(i.sent_at) AS sent,
                    count(*) FILTER (WHERE l.state IN ('resolved', 'settled')) AS resolved,
                    count(*) FILTER (WHERE i.sent_at IS NOT NULL AND l.state = 'again') AS again
                FROM replay_items i JOIN letters l ON l.id = i.letter WHERE i.replay = r.id AND r.total IS NULL) c
            ORDER BY r.created_at DESC
            "#,
            id,
        )
        .fetch_all(&self.pool)
        .await
    }
}

/// Takes letters up as a part of something larger; the audit log is the caller's.
pub(super) async fn start_in(
    connection: &mut PgConnection,
    wish: &Wish<'_>,
) -> sqlx::Result<Started> {
    let filter = wish.filter;
    let letters = sqlx::query_scalar!(
        r#"
        WITH chosen AS (
            SELECT l.id FROM letters l
            WHERE l.state = 'open' AND ($7::uuid[] IS NULL OR l.id = ANY($7)) AND (l.class <> 'unknown' OR l.id = ANY($8))
                AND ($1::text IS NULL OR l.worker = $1 OR $1 = 'unrouted' AND l.worker IS NULL)
                AND ($2::text IS NULL OR l.class = $2) AND ($3::text IS NULL OR l.state = $3)
                AND ($4::uuid IS NULL OR l.group_id = $4) AND ($5::text IS NULL OR l.order_number = $5)
                AND ($6::text IS NULL OR l.search LIKE lower($6))
            ORDER BY l.id FOR UPDATE
        ), made AS (
            INSERT INTO replays (id, who, why, rate, unknown) SELECT $9, $10, $11, $12, cardinality($8) > 0 WHERE EXISTS (SELECT FROM chosen)
            ON CONFLICT (id) DO NOTHING RETURNING id
        ), moved AS (
            UPDATE letters SET state = 'queued', state_at = now() FROM chosen, made
            WHERE letters.id = chosen.id RETURNING letters.id
        ), items AS (
            INSERT INTO replay_items (replay, letter) SELECT made.id, moved.id FROM made, moved RETURNING letter
        )
        SELECT count(*) AS "count!" FROM items
        "#,
        filter.worker, filter.class, filter.state, filter.group, filter.order, filter.like(), wish.ids, wish.looked,
        wish.id, wish.who, wish.why, wish.rate,
    )
    .fetch_one(connection)
    .await?;
    Ok(Started { id: wish.id, letters })
}

impl Batch {
    /// Notes what was handed back, and when the replay goes on. Should this process die before,
    /// the same letters are handed back once more, and their workers absorb that.
    pub(crate) async fn finish(
        mut self,
        sent: &[Uuid],
        error: Option<&str>,
        pause: Duration,
    ) -> sqlx::Result<()> {
        let transaction = &mut self.transaction;
        sqlx::query!(
            "UPDATE replay_items SET sent_at = now() WHERE replay = $1 AND letter = ANY($2)",
            self.replay,
            sent,
        )
        .execute(&mut **transaction)
        .await?;
        sqlx::query!(
            "UPDATE letters SET state = 'sent', state_at = now() WHERE id = ANY($1) AND state = 'queued'",
            sent,
        )
        .execute(&mut **transaction)
        .await?;
        sqlx::query!(
            "UPDATE replays r SET error = $2, next_at = now() + $3::interval, state = left_over.state,
                finished_at = CASE WHEN left_over.state = 'done' THEN now() END
             FROM (SELECT CASE WHEN EXISTS (SELECT FROM replay_items WHERE replay = $1 AND sent_at IS NULL)
                THEN 'running' ELSE 'done' END AS state) left_over
             WHERE r.id = $1",
            self.replay,
            error,
            interval(pause),
        )
        .execute(&mut **transaction)
        .await?;
        self.transaction.commit().await
    }
}
