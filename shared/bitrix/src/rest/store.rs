//! The statements of the limiter. The schema is `bitrix`: no service's own, so that all share it.

use std::time::Duration;

use sqlx::{PgPool, postgres::types::PgInterval};
use time::OffsetDateTime;

/// Moves the bucket's moment by one request and tells how many milliseconds to wait; `None`, and
/// nothing moved, if that is more than `patience`.
pub(super) async fn take(
    pool: &PgPool,
    portal: &str,
    one: Duration,
    all: Duration,
    patience: Duration,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        r#"
        INSERT INTO bitrix.buckets AS b (portal, full_at) VALUES ($1, clock_timestamp() + $2)
        ON CONFLICT (portal) DO UPDATE SET full_at = greatest(b.full_at, clock_timestamp()) + $2
            WHERE greatest(b.full_at, clock_timestamp()) + $2 <= clock_timestamp() + $3 + $4
        RETURNING ceil(1000 * extract(epoch FROM full_at - $3 - clock_timestamp()))::int8 AS "wait!"
        "#,
        portal,
        interval(one),
        interval(all),
        interval(patience),
    )
    .fetch_optional(pool)
    .await
}

/// Empties the bucket: no request for `penalty`, then one at a time.
pub(super) async fn drain(
    pool: &PgPool,
    portal: &str,
    all: Duration,
    penalty: Duration,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE bitrix.buckets SET full_at = greatest(full_at, clock_timestamp() + $2) WHERE portal = $1",
        portal,
        interval(all + penalty),
    )
    .execute(pool)
    .await
    .map(drop)
}

/// The portal's paused methods, and until when.
pub(super) async fn paused(
    pool: &PgPool,
    portal: &str,
) -> sqlx::Result<Vec<(String, OffsetDateTime)>> {
    let rows = sqlx::query!(
        "SELECT method, until FROM bitrix.pauses WHERE portal = $1 AND until > clock_timestamp()",
        portal,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.method, row.until)).collect())
}

/// Pauses a method; an earlier pause that lasts longer stays.
pub(super) async fn pause(
    pool: &PgPool,
    portal: &str,
    method: &str,
    until: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO bitrix.pauses AS p (portal, method, until) VALUES ($1, $2, $3)
         ON CONFLICT (portal, method) DO UPDATE SET until = greatest(p.until, excluded.until)",
        portal,
        method,
        until,
    )
    .execute(pool)
    .await
    .map(drop)
}

fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
