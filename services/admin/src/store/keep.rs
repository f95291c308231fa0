//! Letters and their groups, as they come in.

use sqlx::types::Json;

use super::{Store, alone};
use crate::{letter::Kept, services::service_of};

impl Store {
    /// Keeps letters: all of them or none, each once however often it comes. An earlier death of
    /// the same job is then no longer the last one.
    pub(crate) async fn keep(&self, letters: &[Kept<'_>]) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin().await?;
        let events: Vec<String> = letters.iter().map(|kept| kept.event_id.to_string()).collect();
        alone(&mut transaction, &events).await?;
        for letter in letters {
            group(&mut transaction, letter).await?;
            insert(&mut transaction, letter).await?;
        }
        transaction.commit().await
    }
}

type Transaction<'a> = sqlx::Transaction<'a, sqlx::Postgres>;

async fn group(transaction: &mut Transaction<'_>, letter: &Kept<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO groups (id, worker, class, code, pattern_ru, pattern_en) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO UPDATE SET last_at = now()",
        letter.group.id,
        letter.worker,
        letter.reason.class,
        letter.reason.code,
        letter.group.pattern_ru,
        letter.group.pattern_en,
    )
    .execute(&mut **transaction)
    .await
    .map(drop)
}

/// Which of two deaths came later is in the marks themselves (`UUIDv7`); between others the one that comes in later is.
///
/// A letter of a job that its service has finished by now waits for nobody. One without a death of
/// its own that comes once more is open again, however far its replay was noted: the same message
/// failed anew, or the broker handed it out twice, and an open letter too many harms nobody.
async fn insert(transaction: &mut Transaction<'_>, letter: &Kept<'_>) -> sqlx::Result<()> {
    let why = &letter.reason;
    sqlx::query!(
        r#"
        WITH earlier AS (
            UPDATE letters SET state = 'again', state_at = now()
            WHERE event_id = $3 AND worker = $2 AND death IS DISTINCT FROM $4 AND $4::uuid IS NOT NULL
                AND state IN ('open', 'queued', 'sent')
                AND NOT (death > $4 AND substr(death::text, 15, 1) = '7' AND substr($4::text, 15, 1) = '7')
                AND NOT EXISTS (SELECT FROM letters WHERE id = $1)
        )
        INSERT INTO letters AS l (id, worker, event_id, death, exchange, routing_key, headers, body, class, code,
            reason_ru, reason_en, evidence, first_error, attempts, topic, order_key, order_number, group_id, service, state)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
            CASE WHEN $4::uuid IS NOT NULL AND EXISTS (
                SELECT FROM entries e WHERE e.cause = $3 AND e.service = $20 AND e.phase = 'done')
            THEN 'resolved' WHEN EXISTS (
                SELECT FROM letters later WHERE later.event_id = $3 AND later.worker = $2 AND later.death > $4
                    AND substr(later.death::text, 15, 1) = '7' AND substr($4::text, 15, 1) = '7')
            THEN 'again' ELSE 'open' END)
        ON CONFLICT (id) DO UPDATE SET state = 'open', state_at = now(), arrived_at = now(),
            body = CASE WHEN l.body = '' THEN excluded.body ELSE l.body END,
            headers = CASE WHEN l.headers = '{}' THEN excluded.headers ELSE l.headers END
            WHERE l.death IS NULL AND l.state <> 'open'
        "#,
        letter.id,
        letter.worker,
        letter.event_id,
        letter.death,
        letter.exchange.replace('\0', ""),
        letter.key.replace('\0', ""),
        Json(crate::mask::headers(letter.headers)) as _,
        letter.body,
        why.class,
        why.code,
        why.ru,
        why.en,
        why.evidence,
        why.first_error,
        why.attempts,
        letter.topic,
        letter.order_key,
        letter.order_number,
        letter.group.id,
        letter.worker.map(service_of),
    )
    .execute(&mut **transaction)
    .await
    .map(drop)
}
