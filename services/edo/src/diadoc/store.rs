//! The statements behind the shared token, rate and lanes. Their clock is PostgreSQL's.

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
}

/// A new token and the refresh token that replaces the last.
pub(super) struct Kept<'a> {
    pub(super) token: &'a str,
    pub(super) refresh: Option<&'a str>,
    pub(super) fresh: Duration,
    pub(super) holds: Duration,
}

/// The box's token, if it still holds.
pub(super) async fn token(pool: &PgPool, account: Uuid) -> sqlx::Result<Option<Stored>> {
    sqlx::query_as!(
        Stored,
        r#"
        SELECT token AS "token!", number,
            floor(1000 * extract(epoch FROM renew_at - clock_timestamp()))::int8 AS "fresh_ms!"
        FROM diadoc_tokens
        WHERE account = $1 AND token IS NOT NULL AND expires_at > clock_timestamp()
        "#,
        account,
    )
    .fetch_optional(pool)
    .await
}

/// The last refresh token.
pub(super) async fn refresh(pool: &PgPool, account: Uuid) -> sqlx::Result<Option<String>> {
    let found =
        sqlx::query_scalar!("SELECT refresh FROM diadoc_tokens WHERE account = $1", account);
    Ok(found.fetch_optional(pool).await?.flatten())
}

/// Whether `holder` may sign in now: nobody else does, and the token is due.
pub(super) async fn hold(
    pool: &PgPool,
    account: Uuid,
    holder: Uuid,
    lease: Duration,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"
        INSERT INTO diadoc_tokens AS t (account, holder, held_until)
            VALUES ($1, $2, clock_timestamp() + $3)
        ON CONFLICT (account) DO UPDATE SET holder = $2, held_until = clock_timestamp() + $3
            WHERE (t.held_until <= clock_timestamp() OR t.holder = $2)
                AND (t.token IS NULL OR t.renew_at <= clock_timestamp())
        "#,
        account,
        holder,
        interval(lease),
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Keeps a new token and the rotated refresh token in one statement; its number, or `None` if the lease was lost
/// meanwhile.
pub(super) async fn keep(
    pool: &PgPool,
    account: Uuid,
    holder: Uuid,
    kept: &Kept<'_>,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        r#"
        UPDATE diadoc_tokens SET token = $3, refresh = coalesce($4, refresh), number = number + 1,
            renew_at = clock_timestamp() + $5, expires_at = clock_timestamp() + $6, holder = NULL, held_until = 'epoch'
        WHERE account = $1 AND holder = $2
        RETURNING number
        "#,
        account,
        holder,
        kept.token,
        kept.refresh,
        interval(kept.fresh),
        interval(kept.holds),
    )
    .fetch_optional(pool)
    .await
}

/// A sign-in failed: nobody tries again within `pause`.
pub(super) async fn release(
    pool: &PgPool,
    account: Uuid,
    holder: Uuid,
    pause: Duration,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE diadoc_tokens SET holder = NULL, held_until = clock_timestamp() + $3
         WHERE account = $1 AND holder = $2",
        account,
        holder,
        interval(pause),
    )
    .execute(pool)
    .await
    .map(drop)
}

/// Diadoc refused the token of this number: it is dropped, unless a newer one is there.
pub(super) async fn forget(pool: &PgPool, account: Uuid, number: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE diadoc_tokens SET renew_at = 'epoch', expires_at = 'epoch' WHERE account = $1 AND number = $2",
        account,
        number,
    )
    .execute(pool)
    .await
    .map(drop)
}

/// Takes a free lane.
pub(super) async fn lane(
    pool: &PgPool,
    account: Uuid,
    lanes: i16,
    holder: Uuid,
    held: Duration,
) -> sqlx::Result<Option<i16>> {
    let taken = || async {
        sqlx::query_scalar!(
            r#"
            UPDATE diadoc_lanes SET holder = $3, held_until = clock_timestamp() + $4
            WHERE account = $1 AND lane = (
                SELECT lane FROM diadoc_lanes
                WHERE account = $1 AND lane <= $2 AND held_until <= clock_timestamp()
                ORDER BY lane LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING lane
            "#,
            account,
            lanes,
            holder,
            interval(held),
        )
        .fetch_optional(pool)
        .await
    };
    if let Some(lane) = taken().await? {
        return Ok(Some(lane));
    }
    // The first time there are no lanes at all.
    let laid = sqlx::query!(
        "INSERT INTO diadoc_lanes (account, lane) SELECT $1, n::int2 FROM generate_series(1, $2) AS n
         ON CONFLICT DO NOTHING",
        account,
        i32::from(lanes),
    )
    .execute(pool)
    .await?;
    if laid.rows_affected() == 0 { Ok(None) } else { taken().await }
}

/// Gives a lane back.
pub(super) async fn leave(
    pool: &PgPool,
    account: Uuid,
    lane: i16,
    holder: Uuid,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE diadoc_lanes SET holder = NULL, held_until = 'epoch'
         WHERE account = $1 AND lane = $2 AND holder = $3",
        account,
        lane,
        holder,
    )
    .execute(pool)
    .await
    .map(drop)
}

/// Moves the bucket's moment by one request and tells how many milliseconds to wait; `None`, and
/// nothing moved, if that is more than `patience`.
pub(super) async fn turn(
    pool: &PgPool,
    account: Uuid,
    one: Duration,
    all: Duration,
    patience: Duration,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        r#"
        INSERT INTO diadoc_turns AS t (account, full_at) VALUES ($1, clock_timestamp() + $2)
        ON CONFLICT (account) DO UPDATE
            SET full_at = greatest(t.full_at, clock_timestamp()) + $2
            WHERE greatest(t.full_at, clock_timestamp()) + $2 <= clock_timestamp() + $3 + $4
        RETURNING ceil(1000 * extract(epoch FROM full_at - $3 - clock_timestamp()))::int8 AS "wait!"
        "#,
        account,
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
    account: Uuid,
    all: Duration,
    pause: Duration,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE diadoc_turns SET full_at = greatest(full_at, clock_timestamp() + $2) WHERE account = $1",
        account,
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
