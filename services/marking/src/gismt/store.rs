//! The statements behind the shared token and the shared rate. Their clock is PostgreSQL's.

use std::time::Duration;

use sqlx::{PgPool, postgres::types::PgInterval};
use uuid::Uuid;

/// A token as it is stored; never shown.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) token: String,
    pub(super) number: i64,
    /// Milliseconds for which it need not be renewed.
    pub(super) fresh_ms: i64,
    /// Milliseconds for which it still holds.
    pub(super) left_ms: i64,
}

/// The participant's token, if it still holds.
pub(super) async fn token(pool: &PgPool, participant: &str) -> sqlx::Result<Option<Stored>> {
    sqlx::query_as!(
        Stored,
        r#"
        SELECT token AS "token!", number,
            floor(1000 * extract(epoch FROM renew_at - clock_timestamp()))::int8 AS "fresh_ms!",
            floor(1000 * extract(epoch FROM expires_at - clock_timestamp()))::int8 AS "left_ms!"
        FROM gismt_tokens
        WHERE participant = $1 AND token IS NOT NULL AND expires_at > clock_timestamp()
        "#,
        participant,
    )
    .fetch_optional(pool)
    .await
}

/// Whether `holder` may sign in now: nobody else does, and the token is due. Who holds it already may as
/// well: a sign-in that was broken off keeps no one waiting for the lease's end.
pub(super) async fn hold(
    pool: &PgPool,
    participant: &str,
    holder: Uuid,
    lease: Duration,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"
        INSERT INTO gismt_tokens AS t (participant, holder, held_until)
            VALUES ($1, $2, clock_timestamp() + $3)
        ON CONFLICT (participant) DO UPDATE SET holder = $2, held_until = clock_timestamp() + $3
            WHERE (t.held_until <= clock_timestamp() OR t.holder = $2)
                AND (t.token IS NULL OR t.renew_at <= clock_timestamp())
        "#,
        participant,
        holder,
        interval(lease),
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Keeps a new token; its number, or `None` if the lease was lost meanwhile.
pub(super) async fn keep(
    pool: &PgPool,
    participant: &str,
    holder: Uuid,
    token: &str,
    fresh: Duration,
    holds: Duration,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        r#"
        UPDATE gismt_tokens SET token = $3, number = number + 1,
            renew_at = clock_timestamp() + $4, expires_at = clock_timestamp() + $5, holder = NULL, held_until = 'epoch'
        WHERE participant = $1 AND holder = $2
        RETURNING number
        "#,
        participant,
        holder,
        token,
        interval(fresh),
        interval(holds),
    )
    .fetch_optional(pool)
    .await
}

/// A sign-in failed: nobody tries again within `pause`.
pub(super) async fn release(
    pool: &PgPool,
    participant: &str,
    holder: Uuid,
    pause: Duration,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE gismt_tokens SET holder = NULL, held_until = clock_timestamp() + $3
         WHERE participant = $1 AND holder = $2",
        participant,
        holder,
        interval(pause),
    )
    .execute(pool)
    .await
    .map(drop)
}

/// The register refused the token of this number: it is dropped, unless a newer one is there.
pub(super) async fn forget(pool: &PgPool, participant: &str, number: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE gismt_tokens SET renew_at = 'epoch', expires_at = 'epoch' WHERE participant = $1 AND number = $2",
        participant,
        number,
    )
    .execute(pool)
    .await
    .map(drop)
}

/// Moves the bucket's moment by one request and tells how many milliseconds to wait; `None`, and
/// nothing moved, if that is more than `patience`.
pub(super) async fn turn(
    pool: &PgPool,
    participant: &str,
    one: Duration,
    all: Duration,
    patience: Duration,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        r#"
        INSERT INTO gismt_turns AS t (participant, full_at) VALUES ($1, clock_timestamp() + $2)
        ON CONFLICT (participant) DO UPDATE
            SET full_at = greatest(t.full_at, clock_timestamp()) + $2
            WHERE greatest(t.full_at, clock_timestamp()) + $2 <= clock_timestamp() + $3 + $4
        RETURNING ceil(1000 * extract(epoch FROM full_at - $3 - clock_timestamp()))::int8 AS "wait!"
        "#,
        participant,
        interval(one),
        interval(all),
        interval(patience),
    )
    .fetch_optional(pool)
    .await
}

/// Empties the bucket: no request of any replica for `pause`, then one at a time.
pub(super) async fn drain(
    pool: &PgPool,
    participant: &str,
    all: Duration,
    pause: Duration,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE gismt_turns SET full_at = greatest(full_at, clock_timestamp() + $2) WHERE participant = $1",
        participant,
        interval(all + pause),
    )
    .execute(pool)
    .await
    .map(drop)
}

fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
