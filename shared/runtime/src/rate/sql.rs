//! The statements of the bucket. Their clock is PostgreSQL's.

use std::time::Duration;

use sqlx::PgPool;
use uuid::Uuid;

use crate::database::interval;

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
        INSERT INTO shared_rates AS r (account, full_at) VALUES ($1, clock_timestamp() + $2)
        ON CONFLICT (account) DO UPDATE
            SET full_at = greatest(r.full_at, clock_timestamp()) + $2
            WHERE greatest(r.full_at, clock_timestamp()) + $2 <= clock_timestamp() + $3 + $4
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
        "UPDATE shared_rates SET full_at = greatest(full_at, clock_timestamp() + $2) WHERE account = $1",
        account,
        interval(all + pause),
    )
    .execute(pool)
    .await
    .map(drop)
}
