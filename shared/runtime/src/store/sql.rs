//! The statements of the job store, each for a whole group.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Job, Opened, Opening, Phase, Retold, Save, Saved, Stuck};
use crate::database::interval;

/// A message may come back a moment before its time: the broker counts milliseconds.
const EARLY: Duration = Duration::from_millis(500);

/// Takes a group of events up. Two of one id never share a statement: a row can be taken once.
pub(super) async fn open(
    pool: &PgPool,
    worker: &str,
    lease: Duration,
    give_up: Duration,
    group: Vec<Opening>,
) -> Result<Vec<Opened>, sqlx::Error> {
    let mut answers: Vec<Option<Opened>> = group.iter().map(|_| None).collect();
    let mut waiting: Vec<(usize, Opening)> = group.into_iter().enumerate().collect();
    while !waiting.is_empty() {
        let mut seen = HashSet::new();
        let (now, later): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|(_, opening)| seen.insert(opening.id));
        for (place, opened) in open_distinct(pool, worker, lease, give_up, now).await? {
            if let Some(answer) = answers.get_mut(place) {
                *answer = Some(opened);
            }
        }
        waiting = later;
    }
    Ok(answers.into_iter().map(|answer| answer.unwrap_or(Opened::Busy(EARLY))).collect())
}

#[expect(clippy::as_conversions, reason = "how sqlx is told an array of nullable texts")]
async fn open_distinct(
    pool: &PgPool,
    worker: &str,
    lease: Duration,
    give_up: Duration,
    mut group: Vec<(usize, Opening)>,
) -> Result<Vec<(usize, Opened)>, sqlx::Error> {
    // One order of locking for all replicas: no deadlocks.
    group.sort_by_key(|(_, opening)| opening.id);
    let ids: Vec<Uuid> = group.iter().map(|(_, o)| o.id).collect();
    // With the moment in front: whoever sees two deaths of a job out of turn can tell which came later.
    let fences: Vec<Uuid> = group.iter().map(|_| Uuid::now_v7()).collect();
    let events: Vec<String> = group.iter().map(|(_, o)| o.event.clone()).collect();
    let traces: Vec<Option<String>> =
        group.iter().map(|(_, o)| o.trace.as_deref().map(clean)).collect();
    let topics: Vec<String> = group.iter().map(|(_, o)| clean(&o.topic)).collect();
    let subjects: Vec<Option<String>> = group.iter().map(|(_, o)| o.subject.clone()).collect();
    let replays: Vec<bool> = group.iter().map(|(_, o)| o.replay).collect();
    let deaths: Vec<Option<Uuid>> = group.iter().map(|(_, o)| o.death).collect();
    let by_change: Vec<bool> = group.iter().map(|(_, o)| o.by_change).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"
        WITH input AS (
            SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bool[],
                                 $12::uuid[], $13::bool[])
                AS t (id, fence, event, trace, topic, subject, replay, death, by_change)
        ), taken AS (
            INSERT INTO jobs AS j (worker, event_id, fence, event, trace, topic, subject, lease_until, deadline)
            SELECT $8, id, fence, event, trace, topic, subject, now() + $9, now() + $10 FROM input
            ON CONFLICT (worker, event_id) DO UPDATE SET
                fence = excluded.fence,
                lease_until = excluded.lease_until,
                deadline = CASE WHEN j.phase = 'dead' THEN excluded.deadline ELSE j.deadline END,
                attempts = CASE WHEN j.phase = 'dead' THEN 0 ELSE j.attempts END,
                opens = CASE WHEN j.phase = 'dead' THEN 1 ELSE j.opens + 1 END,
                event = CASE WHEN j.phase = 'dead' THEN excluded.event ELSE j.event END,
                phase = 'open'
            WHERE j.lease_until <= now() AND (
                (j.phase = 'open' AND j.due <= now() + $11)
                OR (j.phase = 'dead' AND EXISTS (SELECT FROM input i
                    WHERE i.id = j.event_id AND i.replay AND (i.death IS NULL OR i.death = j.fence)
                        AND (j.mendable OR NOT i.by_change))))
            RETURNING event_id, fence, state, attempts, opens, first_error, last_error, deadline,
                CASE WHEN NOT told AND outbox <> '[]' THEN outbox END AS unsaid
        )
        SELECT input.id AS "id!", taken.fence AS "taken?", taken.state AS "state?", taken.attempts AS "attempts?",
            taken.opens AS "opens?", taken.first_error AS "first_error?", taken.last_error AS "last_error?",
            taken.deadline AS "deadline?", taken.unsaid AS "unsaid?",
            old.fence AS "old_fence?", old.phase AS "old_phase?", old.outbox AS "old_outbox?", old.told AS "old_told?",
            EXTRACT(EPOCH FROM old.lease_until - now())::float8 AS "leased",
            EXTRACT(EPOCH FROM old.due - now())::float8 AS "due"
        FROM input
        LEFT JOIN taken ON taken.event_id = input.id
        LEFT JOIN jobs old ON old.worker = $8 AND old.event_id = input.id
        "#,
        &ids, &fences, &events, &traces as &[Option<String>], &topics, &subjects as &[Option<String>], &replays,
        worker, interval(lease), interval(give_up), interval(EARLY), &deaths as &[Option<Uuid>],
        &by_change,
    )
    .fetch_all(pool)
    .await?;
    let mut opened: HashMap<Uuid, Opened> =
        rows.into_iter().map(|row| (row.id, opened(row))).collect();
    Ok(group.iter().filter_map(|(place, o)| Some((*place, opened.remove(&o.id)?))).collect())
}

/// A row of [`open_distinct`]: the job if it was taken, and the row as it was before.
struct Row {
    id: Uuid,
    taken: Option<Uuid>,
    state: Option<String>,
    attempts: Option<i32>,
    opens: Option<i32>,
    first_error: Option<String>,
    last_error: Option<String>,
    deadline: Option<OffsetDateTime>,
    unsaid: Option<String>,
    old_fence: Option<Uuid>,
    old_phase: Option<String>,
    old_outbox: Option<String>,
    old_told: Option<bool>,
    leased: Option<f64>,
    due: Option<f64>,
}

fn opened(row: Row) -> Opened {
    if let (Some(fence), Some(state), Some(deadline)) = (row.taken, row.state, row.deadline) {
        return Opened::Ours(Job {
            id: row.id,
            fence,
            state,
            attempts: count(row.attempts),
            opens: count(row.opens),
            first_error: row.first_error,
            last_error: row.last_error,
            unsaid: row.unsaid,
            deadline,
            revived: row.old_phase.as_deref() == Some("dead"),
        });
    }
    let (leased, told) = (seconds(row.leased), row.old_told.unwrap_or(false));
    match (row.old_fence, row.old_phase.as_deref(), row.old_outbox) {
        (Some(fence), Some("done" | "dead"), Some(outbox)) => {
            Opened::Settled { fence, outbox, told }
        }
        (Some(fence), Some("open"), Some(outbox)) if leased.is_zero() => {
            Opened::Early { fence, wait: seconds(row.due), outbox, told }
        }
        // Leased by another owner, or made by one since this statement began.
        _ => Opened::Busy(leased.max(EARLY)),
    }
}

/// Saves a group of jobs.
#[expect(clippy::as_conversions, reason = "how sqlx is told an array of nullable texts")]
pub(super) async fn save(
    pool: &PgPool,
    worker: &str,
    lease: Duration,
    mut group: Vec<Save>,
) -> Result<Vec<Saved>, sqlx::Error> {
    let order: Vec<(Uuid, Uuid)> = group.iter().map(|save| (save.id, save.fence)).collect();
    group.sort_by_key(|save| save.id);
    let ids: Vec<Uuid> = group.iter().map(|s| s.id).collect();
    let fences: Vec<Uuid> = group.iter().map(|s| s.fence).collect();
    let states: Vec<String> = group.iter().map(|s| s.state.clone()).collect();
    let phases: Vec<String> = group.iter().map(|s| phase_name(s.phase).to_owned()).collect();
    let outboxes: Vec<String> = group.iter().map(|s| s.outbox.clone()).collect();
    let aliases: Vec<Option<String>> =
        group.iter().map(|s| s.alias.as_deref().map(clean)).collect();
    let attempts: Vec<i32> =
        group.iter().map(|s| i32::try_from(s.attempts).unwrap_or(i32::MAX)).collect();
    let errors: Vec<Option<String>> = group.iter().map(|s| s.error.as_deref().map(clean)).collect();
    let told: Vec<bool> = group.iter().map(|s| s.told).collect();
    let mendable: Vec<bool> = group.iter().map(|s| s.mendable).collect();
    let held: Vec<bool> = group.iter().map(|s| s.phase == Phase::Held).collect();
    let waits: Vec<i64> = group.iter().map(|s| wait_millis(s.phase)).collect();
    let rows = sqlx::query!(
        r#"
        UPDATE jobs j SET
            state = i.state, phase = i.phase, outbox = i.outbox, alias = COALESCE(i.alias, j.alias), attempts = i.attempts,
            first_error = COALESCE(j.first_error, i.error), last_error = COALESCE(i.error, j.last_error),
            told = i.told, mendable = i.mendable, opens = 0, swept_at = NULL, updated_at = now(),
            due = now() + i.wait * interval '1 millisecond',
            lease_until = CASE WHEN i.held THEN now() + $12 ELSE to_timestamp(0) END
        FROM UNNEST($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int4[], $9::text[],
                    $10::bool[], $11::bool[], $13::int8[], $14::bool[])
            AS i (id, fence, state, phase, outbox, alias, attempts, error, told, held, wait, mendable)
        WHERE j.worker = $1 AND j.event_id = i.id AND j.fence = i.fence
        RETURNING j.event_id, j.fence
        "#,
        worker, &ids, &fences, &states, &phases, &outboxes, &aliases as &[Option<String>], &attempts,
        &errors as &[Option<String>], &told, &held, interval(lease), &waits, &mendable,
    )
    .fetch_all(pool)
    .await?;
    let saved: HashSet<(Uuid, Uuid)> =
        rows.into_iter().map(|row| (row.event_id, row.fence)).collect();
    let answer = |key| if saved.contains(key) { Saved::Yes } else { Saved::Lost };
    Ok(order.iter().map(answer).collect())
}

/// Notes for a group of jobs that all was said.
pub(super) async fn settle(
    pool: &PgPool,
    worker: &str,
    mut group: Vec<(Uuid, Uuid)>,
) -> Result<Vec<()>, sqlx::Error> {
    let answers = group.iter().map(|_| ()).collect();
    group.sort_unstable();
    let (ids, fences): (Vec<Uuid>, Vec<Uuid>) = group.into_iter().unzip();
    sqlx::query!(
        "UPDATE jobs j SET told = true, outbox = '[]' FROM UNNEST($2::uuid[], $3::uuid[]) AS i (id, fence)
         WHERE j.worker = $1 AND j.event_id = i.id AND j.fence = i.fence AND NOT j.told",
        worker, &ids, &fences,
    )
    .execute(pool)
    .await?;
    Ok(answers)
}

/// See [`super::Store::sweep`].
pub(super) async fn sweep(
    pool: &PgPool,
    worker: &str,
    grace: Duration,
) -> Result<Vec<Retold>, sqlx::Error> {
    sqlx::query_as!(
        Retold,
        r#"
        UPDATE jobs SET swept_at = now()
        WHERE worker = $1 AND event_id IN (
            SELECT event_id FROM jobs
            WHERE worker = $1 AND (swept_at IS NULL OR swept_at < now() - $2::interval) AND (
                (phase = 'open' AND due < now() - $2::interval AND lease_until < now())
                OR (phase <> 'open' AND NOT told AND updated_at < now() - $2::interval))
            ORDER BY due LIMIT 500 FOR UPDATE SKIP LOCKED)
        RETURNING event_id AS id, event, trace
        "#,
        worker,
        interval(grace),
    )
    .fetch_all(pool)
    .await
}

/// See [`super::Store::forget`].
pub(super) async fn forget(pool: &PgPool, worker: &str, keep: Duration) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE jobs SET event = '', state = 'null', trace = NULL, alias = NULL, first_error = NULL, last_error = NULL
         WHERE worker = $1 AND event_id IN (
            SELECT event_id FROM jobs
            WHERE worker = $1 AND event <> '' AND created_at < now() - $2::interval AND phase = 'done' AND told
            LIMIT 500 FOR UPDATE SKIP LOCKED)",
        worker,
        interval(keep),
    )
    .execute(pool)
    .await?;
    sqlx::query!(
        "DELETE FROM changes WHERE worker = $1 AND told_at < now() - $2::interval",
        worker,
        interval(keep),
    )
    .execute(pool)
    .await
    .map(drop)
}

/// See [`super::Store::remember`].
pub(super) async fn remember(
    pool: &PgPool,
    worker: &str,
    subject: &str,
    occurrence: u32,
    snapshot: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO changes AS c (worker, subject, occurrence, snapshot) VALUES ($1, $2, $3, $4)
         ON CONFLICT (worker, subject) DO UPDATE SET
            occurrence = excluded.occurrence, snapshot = excluded.snapshot, told_at = now()
         WHERE c.occurrence < excluded.occurrence",
        worker,
        subject,
        i64::from(occurrence),
        snapshot,
    )
    .execute(pool)
    .await
    .map(drop)
}

/// See [`super::Store::stuck`].
pub(super) async fn stuck(
    pool: &PgPool,
    worker: &str,
    subject: &str,
) -> Result<Vec<Stuck>, sqlx::Error> {
    sqlx::query_as!(
        Stuck,
        "SELECT j.event_id AS id, j.event, j.trace, j.fence AS death, c.snapshot
         FROM jobs j JOIN changes c ON c.worker = j.worker AND c.subject = j.subject
         WHERE j.worker = $1 AND j.subject = $2 AND j.phase = 'dead' AND j.mendable",
        worker,
        subject,
    )
    .fetch_all(pool)
    .await
}

/// See [`super::Store::give_up`].
pub(super) async fn give_up(
    pool: &PgPool,
    worker: &str,
    id: Uuid,
    death: Uuid,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE jobs SET mendable = false
         WHERE worker = $1 AND event_id = $2 AND fence = $3 AND phase = 'dead'",
        worker,
        id,
        death,
    )
    .execute(pool)
    .await
    .map(drop)
}

/// See [`super::Store::nudge`].
pub(super) async fn nudge(
    pool: &PgPool,
    worker: &str,
    alias: &str,
) -> Result<Option<Retold>, sqlx::Error> {
    sqlx::query_as!(
        Retold,
        "UPDATE jobs SET due = now() WHERE worker = $1 AND alias = $2 AND phase = 'open'
         RETURNING event_id AS id, event, trace",
        worker,
        alias,
    )
    .fetch_optional(pool)
    .await
}

/// See [`super::Store::ages`].
pub(super) async fn ages(pool: &PgPool, worker: &str) -> Result<(f64, f64), sqlx::Error> {
    let row = sqlx::query!(
        r#"
        SELECT
            COALESCE(EXTRACT(EPOCH FROM now() - min(updated_at) FILTER (WHERE phase <> 'open'))::float8, 0) AS "outbox!",
            COALESCE(EXTRACT(EPOCH FROM now() - min(due) FILTER (WHERE phase = 'open'))::float8, 0) AS "overdue!"
        FROM jobs WHERE worker = $1
            AND ((phase <> 'open' AND NOT told) OR (phase = 'open' AND due < now() AND lease_until < now()))
        "#,
        worker,
    )
    .fetch_one(pool)
    .await?;
    Ok((row.outbox, row.overdue))
}

/// PostgreSQL keeps no NUL, and one such text would hold up its whole group. (JSON escapes it.)
fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Held | Phase::Waiting(_) => "open",
        Phase::Done => "done",
        Phase::Dead => "dead",
    }
}

fn wait_millis(phase: Phase) -> i64 {
    match phase {
        Phase::Waiting(wait) => i64::try_from(wait.as_millis()).unwrap_or(i64::MAX),
        Phase::Held | Phase::Done | Phase::Dead => 0,
    }
}

fn seconds(seconds: Option<f64>) -> Duration {
    seconds.and_then(|s| Duration::try_from_secs_f64(s.max(0.0)).ok()).unwrap_or_default()
}

fn count(number: Option<i32>) -> u32 {
    u32::try_from(number.unwrap_or(0)).unwrap_or(0)
}
