//! Letters and their groups, as they come in.

use sqlx::types::Json;

use super::Store;
use crate::{letter::Kept, services::service_of};

impl Store {
    /// Keeps letters: all of them or none, each once however often it comes. An earlier death of
    /// the same job is then no longer the last one.
    pub(crate) async fn keep(&self, letters: &[Kept]) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin().await?;
        for letter in letters {
            group(&mut transaction, letter).await?;
            insert(&mut transaction, letter).await?;
        }
        transaction.commit().await
    }
}

type Transaction<'a> = sqlx::Transaction<'a, sqlx::Postgres>;

async fn group(transaction: &mut Transaction<'_>, letter: &Kept) -> sqlx::Result<()> {
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

/// A letter without a death of its own that comes once more, and not from a broken channel, is
/// open again: the same message failed anew.
async fn insert(transaction: &mut Transaction<'_>, letter: &Kept) -> sqlx::Result<()> {
    let why = &letter.reason;
    sqlx::query!(
        r#"
        WITH earlier AS (
            UPDATE letters SET state = 'again', state_at = now()
            WHERE event_id = $3 AND worker = $2 AND death IS DISTINCT FROM $4 AND $4::uuid IS NOT NULL
                AND state IN ('open', 'queued', 'sent')
                AND NOT EXISTS (SELECT FROM letters WHERE id = $1)
        )
        INSERT INTO letters AS l (id, worker, event_id, death, exchange, routing_key, headers, body, class, code,
            reason_ru, reason_en, evidence, first_error, attempts, topic, order_key, order_number, group_id, service)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
        ON CONFLICT (id) DO UPDATE SET state = 'open', state_at = now(), arrived_at = now()
            WHERE l.death IS NULL AND NOT $21 AND l.state NOT IN ('open', 'queued')
        "#,
        letter.id,
        letter.worker,
        letter.event_id,
        letter.death,
        letter.exchange.replace('\0', ""),
        letter.key.replace('\0', ""),
        Json(crate::mask::headers(&letter.headers)) as _,
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
        letter.worker.as_deref().map(service_of),
        letter.redelivered,
    )
    .execute(&mut **transaction)
    .await
    .map(drop)
}
