//! Letters and their groups, as people see them and close them.

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Store, audit::note_in};
use crate::filter::Filter;

/// So many letters of a choice are counted one by one.
pub(crate) const COUNTED: i64 = 10_000;

/// A letter in a list.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LetterRow {
    pub id: Uuid,
    pub worker: Option<String>,
    pub class: String,
    pub code: String,
    pub reason_ru: String,
    pub reason_en: String,
    pub order_key: Option<String>,
    pub order_number: Option<String>,
    pub attempts: i64,
    pub state: String,
    #[serde(with = "time::serde::rfc3339")]
    pub arrived_at: OffsetDateTime,
    /// What the service said last about this event.
    pub last_phase: Option<String>,
}

/// A letter with all that is kept of it.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub row: LetterRow,
    pub event_id: Uuid,
    pub death: Option<Uuid>,
    pub service: Option<String>,
    pub topic: Option<String>,
    pub exchange: String,
    pub routing_key: String,
    pub headers: serde_json::Value,
    pub body: Vec<u8>,
    pub edited: Option<String>,
    pub evidence: Option<String>,
    pub first_error: Option<String>,
    /// The same in Russian, where the service has told it as a status.
    pub first_error_ru: Option<String>,
    pub group_id: Uuid,
    pub state_at: OffsetDateTime,
    pub state_note: Option<String>,
}

/// A group in a list.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct GroupRow {
    pub id: Uuid,
    pub worker: Option<String>,
    pub class: String,
    pub code: String,
    pub pattern_ru: String,
    pub pattern_en: String,
    pub open: i64,
    #[serde(with = "time::serde::rfc3339")]
    pub oldest: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub newest: OffsetDateTime,
}

/// Something on a letter's way.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Passed {
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// `died`, `changed` (the order, in the shop), `replay`, `said` (the service).
    pub kind: String,
    /// Of what the service said.
    pub phase: Option<String>,
    pub text_ru: String,
    pub text_en: String,
    /// The other letter, or the replay.
    pub id: Option<Uuid>,
}

/// A death that a person has given up.
pub(crate) struct GivenUp {
    pub id: Uuid,
    pub worker: String,
    pub event_id: Uuid,
    pub death: Uuid,
    pub body: Vec<u8>,
}

/// An open letter that is being closed by hand.
pub(crate) struct Settling {
    id: Uuid,
    transaction: sqlx::Transaction<'static, sqlx::Postgres>,
}

impl Settling {
    /// Lets it be as it was.
    pub(crate) async fn let_go(self) -> sqlx::Result<()> {
        self.transaction.rollback().await
    }

    /// Closes it, with what was found.
    pub(crate) async fn finish(mut self, found: &str) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE letters SET state = 'settled', state_at = now(), state_note = $2 WHERE id = $1",
            self.id,
            found,
        )
        .execute(&mut *self.transaction)
        .await?;
        self.transaction.commit().await
    }
}

/// What somebody wrote beside a letter.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Note {
    pub who: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub text: String,
}

impl Store {
    /// Letters of this choice, newest first.
    pub(crate) async fn letters(
        &self,
        filter: &Filter,
        limit: i64,
        offset: i64,
    ) -> sqlx::Result<Vec<LetterRow>> {
        sqlx::query_as!(
            LetterRow,
            r#"
            SELECT l.id, l.worker, l.class, l.code, l.reason_ru, l.reason_en, l.order_key, l.order_number, l.attempts,
                l.state, l.arrived_at, (
                    SELECT e.phase FROM entries e WHERE e.cause = l.event_id AND e.service = l.service
                    ORDER BY (e.phase = 'done') DESC, e.at DESC LIMIT 1) AS last_phase
            FROM letters l
            WHERE ($1::text IS NULL OR l.worker = $1 OR $1 = 'unrouted' AND l.worker IS NULL)
                AND ($2::text IS NULL OR l.class = $2) AND ($3::text IS NULL OR l.state = $3)
                AND ($4::uuid IS NULL OR l.group_id = $4) AND ($5::text IS NULL OR l.order_number = $5)
                AND ($6::text IS NULL OR l.search LIKE lower($6))
            ORDER BY l.arrived_at DESC, l.id LIMIT $7 OFFSET $8
            "#,
            filter.worker, filter.class, filter.state, filter.group, filter.order, filter.like(), limit, offset,
        )
        .fetch_all(&self.pool)
        .await
    }

    /// How many letters this choice has; to count more than [`COUNTED`] would take too long.
    pub(crate) async fn count_letters(&self, filter: &Filter) -> sqlx::Result<i64> {
        sqlx::query_scalar!(
            r#"
            SELECT count(*) AS "count!" FROM (
                SELECT FROM letters l
                WHERE ($1::text IS NULL OR l.worker = $1 OR $1 = 'unrouted' AND l.worker IS NULL)
                    AND ($2::text IS NULL OR l.class = $2) AND ($3::text IS NULL OR l.state = $3)
                    AND ($4::uuid IS NULL OR l.group_id = $4) AND ($5::text IS NULL OR l.order_number = $5)
                    AND ($6::text IS NULL OR l.search LIKE lower($6))
                LIMIT $7) chosen
            "#,
            filter.worker, filter.class, filter.state, filter.group, filter.order, filter.like(), COUNTED + 1,
        )
        .fetch_one(&self.pool)
        .await
    }

    /// These letters, as far as there are any.
    pub(crate) async fn letters_named(
        &self,
        ids: &[Uuid],
        limit: i64,
    ) -> sqlx::Result<Vec<LetterRow>> {
        sqlx::query_as!(
            LetterRow,
            r#"
            SELECT l.id, l.worker, l.class, l.code, l.reason_ru, l.reason_en, l.order_key, l.order_number, l.attempts,
                l.state, l.arrived_at, (
                    SELECT e.phase FROM entries e WHERE e.cause = l.event_id AND e.service = l.service
                    ORDER BY (e.phase = 'done') DESC, e.at DESC LIMIT 1) AS last_phase
            FROM letters l WHERE l.id = ANY($1) ORDER BY l.arrived_at DESC, l.id LIMIT $2
            "#,
            ids,
            limit,
        )
        .fetch_all(&self.pool)
        .await
    }

    /// The last letters of an order, oldest first.
    pub(crate) async fn letters_of(&self, order_key: &str) -> sqlx::Result<Vec<LetterRow>> {
        let mut letters = sqlx::query_as!(
            LetterRow,
            r#"
            SELECT l.id, l.worker, l.class, l.code, l.reason_ru, l.reason_en, l.order_key, l.order_number, l.attempts,
                l.state, l.arrived_at, (
                    SELECT e.phase FROM entries e WHERE e.cause = l.event_id AND e.service = l.service
                    ORDER BY (e.phase = 'done') DESC, e.at DESC LIMIT 1) AS last_phase
            FROM letters l WHERE l.order_key = $1 ORDER BY l.arrived_at DESC LIMIT 200
            "#,
            order_key,
        )
        .fetch_all(&self.pool)
        .await?;
        letters.reverse();
        Ok(letters)
    }

    /// One letter.
    pub(crate) async fn letter(&self, id: Uuid) -> sqlx::Result<Option<Letter>> {
        let found = sqlx::query!(
            r#"
            SELECT l.id, l.worker, l.service, l.event_id, l.death, l.exchange, l.routing_key, l.headers, l.body, l.class,
                l.code, l.reason_ru, l.reason_en, l.evidence, l.first_error, l.attempts, l.topic, l.order_key, l.order_number,
                l.group_id, l.state, l.state_at, l.state_note, l.edited, l.arrived_at, (
                SELECT f.text_ru FROM entries f WHERE f.cause = l.event_id AND f.service = l.service
                    AND f.text_en = l.first_error LIMIT 1) AS first_error_ru, (
                SELECT e.phase FROM entries e WHERE e.cause = l.event_id AND e.service = l.service
                ORDER BY (e.phase = 'done') DESC, e.at DESC LIMIT 1) AS last_phase
            FROM letters l WHERE l.id = $1
            "#,
            id,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(found.map(|l| Letter {
            row: LetterRow {
                id: l.id,
                worker: l.worker,
                class: l.class,
                code: l.code,
                reason_ru: l.reason_ru,
                reason_en: l.reason_en,
                order_key: l.order_key,
                order_number: l.order_number,
                attempts: l.attempts,
                state: l.state,
                arrived_at: l.arrived_at,
                last_phase: l.last_phase,
            },
            event_id: l.event_id,
            death: l.death,
            service: l.service,
            topic: l.topic,
            exchange: l.exchange,
            routing_key: l.routing_key,
            headers: l.headers,
            body: l.body,
            edited: l.edited,
            evidence: l.evidence,
            first_error: l.first_error,
            first_error_ru: l.first_error_ru,
            group_id: l.group_id,
            state_at: l.state_at,
            state_note: l.state_note,
        }))
    }

    /// What happened to a letter's job: its deaths, what its service said of it, replays, and
    /// changes of the order since, after which the job goes on by itself. The last of it, oldest first.
    pub(crate) async fn way(&self, letter: &Letter) -> sqlx::Result<Vec<Passed>> {
        let mut way = sqlx::query_as!(
            Passed,
            r#"
            SELECT at AS "at!", kind AS "kind!", phase, text_ru AS "text_ru!", text_en AS "text_en!", id FROM (
                SELECT arrived_at AS at, 'died' AS kind, NULL AS phase, reason_ru AS text_ru, reason_en AS text_en, id
                FROM letters WHERE event_id = $1 AND worker IS NOT DISTINCT FROM $2
                UNION ALL
                SELECT at, 'said', phase, text_ru, text_en, NULL FROM entries WHERE cause = $1 AND service = $3
                UNION ALL
                SELECT at, 'changed', NULL, text_ru, text_en, NULL FROM entries
                WHERE order_key = $4 AND topic = 'order.changed' AND at >= (
                    SELECT min(arrived_at) FROM letters WHERE event_id = $1 AND worker IS NOT DISTINCT FROM $2)
                UNION ALL
                SELECT i.sent_at, 'replay', NULL, r.who || ': ' || r.why, r.who || ': ' || r.why, r.id
                FROM replay_items i JOIN replays r ON r.id = i.replay JOIN letters l ON l.id = i.letter
                WHERE l.event_id = $1 AND l.worker IS NOT DISTINCT FROM $2 AND i.sent_at IS NOT NULL
            ) passed ORDER BY at DESC, kind DESC LIMIT 200
            "#,
            letter.event_id,
            letter.row.worker,
            letter.service,
            letter.row.order_key,
        )
        .fetch_all(&self.pool)
        .await?;
        way.reverse();
        Ok(way)
    }

    /// Groups with open letters, the largest first.
    pub(crate) async fn groups(&self) -> sqlx::Result<Vec<GroupRow>> {
        sqlx::query_as!(
            GroupRow,
            r#"
            SELECT g.id, g.worker, g.class, g.code, g.pattern_ru, g.pattern_en,
                o.open AS "open!", o.oldest AS "oldest!", o.newest AS "newest!"
            FROM groups g JOIN (
                SELECT group_id, count(*) AS open, min(arrived_at) AS oldest, max(arrived_at) AS newest
                FROM letters WHERE state = 'open' GROUP BY group_id) o ON o.group_id = g.id
            ORDER BY o.open DESC, g.id LIMIT 200
            "#,
        )
        .fetch_all(&self.pool)
        .await
    }

    /// Gives open letters up for good, with the reason; answers which ones.
    pub(crate) async fn discard(
        &self,
        who: &str,
        filter: &Filter,
        ids: Option<&[Uuid]>,
        why: &str,
    ) -> sqlx::Result<Vec<Uuid>> {
        let mut transaction = self.pool.begin().await?;
        let gone = sqlx::query_scalar!(
            r#"
            UPDATE letters l SET state = 'discarded', state_at = now(), state_note = $8,
                to_give_up = l.worker IS NOT NULL AND l.death IS NOT NULL
            WHERE l.state = 'open' AND ($7::uuid[] IS NULL OR l.id = ANY($7))
                AND ($1::text IS NULL OR l.worker = $1 OR $1 = 'unrouted' AND l.worker IS NULL)
                AND ($2::text IS NULL OR l.class = $2) AND ($3::text IS NULL OR l.state = $3)
                AND ($4::uuid IS NULL OR l.group_id = $4) AND ($5::text IS NULL OR l.order_number = $5)
                AND ($6::text IS NULL OR l.search LIKE lower($6))
            RETURNING l.id
            "#,
            filter.worker, filter.class, filter.state, filter.group, filter.order, filter.like(), ids, why,
        )
        .fetch_all(&mut *transaction)
        .await?;
        let subjects: Vec<String> = gone.iter().map(Uuid::to_string).collect();
        note_in(&mut transaction, who, "discard", &subjects, why).await?;
        transaction.commit().await?;
        Ok(gone)
    }

    /// Discarded letters of which their workers are to be told; any of them, so that a worker that cannot be told
    /// keeps no other waiting.
    pub(crate) async fn to_give_up(&self) -> sqlx::Result<Vec<GivenUp>> {
        sqlx::query_as!(
            GivenUp,
            r#"SELECT id, worker AS "worker!", event_id, death AS "death!", body FROM letters
               WHERE to_give_up AND body <> '' ORDER BY random() LIMIT 50"#
        )
        .fetch_all(&self.pool)
        .await
    }

    /// Their workers know.
    pub(crate) async fn gave_up(&self, letters: &[Uuid]) -> sqlx::Result<()> {
        if letters.is_empty() {
            return Ok(());
        }
        sqlx::query!("UPDATE letters SET to_give_up = false WHERE id = ANY($1)", letters)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// Takes a letter back that was discarded, or handed back and not heard of since; `false` when it
    /// is neither, or forgotten. A job that goes on all the same takes no second replay.
    pub(crate) async fn restore(&self, who: &str, id: Uuid) -> sqlx::Result<bool> {
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query!(
            "UPDATE letters SET state = 'open', state_at = now(), state_note = NULL, to_give_up = false
             WHERE id = $1 AND state IN ('discarded', 'sent') AND (body <> '' OR headers <> '{}')",
            id,
        )
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 1 {
            note_in(&mut transaction, who, "restore", &[id.to_string()], "").await?;
        }
        transaction.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Holds an open letter whose effect a person has seen; `None` when it is not open. Nobody
    /// else closes it or hands it back until this is finished or let go.
    pub(crate) async fn begin_settling(&self, id: Uuid) -> sqlx::Result<Option<Settling>> {
        let mut transaction = self.pool.begin().await?;
        let held = sqlx::query_scalar!(
            "SELECT id FROM letters WHERE id = $1 AND state = 'open' FOR UPDATE",
            id,
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(id) = held else {
            transaction.rollback().await?;
            return Ok(None);
        };
        Ok(Some(Settling { id, transaction }))
    }

    /// Has replays send `edited` instead of the body; `false` when the letter is not open.
    pub(crate) async fn edit(
        &self,
        who: &str,
        id: Uuid,
        edited: Option<&str>,
        why: &str,
    ) -> sqlx::Result<bool> {
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query!(
            "UPDATE letters SET edited = $2 WHERE id = $1 AND state = 'open'",
            id,
            edited,
        )
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 1 {
            let action = if edited.is_some() { "edit" } else { "undo edit" };
            note_in(&mut transaction, who, action, &[id.to_string()], why).await?;
        }
        transaction.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Writes a note beside a letter.
    pub(crate) async fn note(&self, letter: Uuid, who: &str, text: &str) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "INSERT INTO notes (id, letter, who, text) VALUES ($1, $2, $3, $4)",
            Uuid::new_v4(),
            letter,
            who,
            text,
        )
        .execute(&mut *transaction)
        .await?;
        note_in(&mut transaction, who, "note", &[letter.to_string()], "").await?;
        transaction.commit().await
    }

    /// The notes beside a letter.
    pub(crate) async fn notes(&self, letter: Uuid) -> sqlx::Result<Vec<Note>> {
        sqlx::query_as!(
            Note,
            "SELECT who, at, text FROM notes WHERE letter = $1 ORDER BY at",
            letter
        )
        .fetch_all(&self.pool)
        .await
    }
}
