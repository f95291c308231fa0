//! The statements behind the shared lanes. Their clock is PostgreSQL's.

use std::time::Duration;

use sqlx::{PgPool, postgres::types::PgInterval};
use uuid::Uuid;

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

fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
