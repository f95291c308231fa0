//! The statements of the shared sign-in. Their clock is PostgreSQL's.

use std::time::Duration;

use sqlx::PgPool;
use uuid::Uuid;

use super::Grant;
use crate::database::interval;

/// A token as it is stored; never shown.
pub(super) struct Stored {
    pub(super) token: String,
    pub(super) number: i64,
    /// Milliseconds for which it need not be renewed.
    pub(super) fresh_ms: i64,
}

/// The right to sign in, for a while.
pub(super) struct Lease {
    /// The token's that is to be replaced.
    pub(super) number: i64,
    pub(super) refresh: Option<String>,
}

/// The account's token, if it still holds.
pub(super) async fn token(pool: &PgPool, account: Uuid) -> sqlx::Result<Option<Stored>> {
    sqlx::query_as!(
        Stored,
        r#"
        SELECT token AS "token!", number,
            floor(1000 * extract(epoch FROM renew_at - clock_timestamp()))::int8 AS "fresh_ms!"
        FROM shared_sessions
        WHERE account = $1 AND token IS NOT NULL AND expires_at > clock_timestamp()
        "#,
        account,
    )
    .fetch_optional(pool)
    .await
}

/// Lets `holder` sign in if nobody else does and the token is due. Who holds it already may as well: a sign-in
/// that was broken off keeps no one waiting for the lease's end.
pub(super) async fn hold(
    pool: &PgPool,
    account: Uuid,
    holder: Uuid,
    lease: Duration,
) -> sqlx::Result<Option<Lease>> {
    sqlx::query_as!(
        Lease,
        r#"
        INSERT INTO shared_sessions AS s (account, holder, held_until)
            VALUES ($1, $2, clock_timestamp() + $3)
        ON CONFLICT (account) DO UPDATE SET holder = $2, held_until = clock_timestamp() + $3
            WHERE (s.held_until <= clock_timestamp() OR s.holder = $2)
                AND (s.token IS NULL OR s.renew_at <= clock_timestamp())
        RETURNING number, refresh
        "#,
        account,
        holder,
        interval(lease),
    )
    .fetch_optional(pool)
    .await
}

/// Keeps a new token and its refresh token in one statement, and ends the lease. Tells its number, or `None`, and
/// nothing kept, when another was kept after number `after`.
///
/// It is the number that decides and not the lease: a late holder's refresh token may be the only one that is
/// worth anything.
pub(super) async fn keep(
    pool: &PgPool,
    account: Uuid,
    after: i64,
    grant: &Grant,
    fresh: Duration,
    holds: Duration,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        r#"
        UPDATE shared_sessions SET token = $3, refresh = coalesce($4, refresh), number = number + 1,
            renew_at = clock_timestamp() + $5, expires_at = clock_timestamp() + $6, holder = NULL, held_until = 'epoch'
        WHERE account = $1 AND number = $2
        RETURNING number
        "#,
        account,
        after,
        grant.token,
        grant.refresh,
        interval(fresh),
        interval(holds),
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
        "UPDATE shared_sessions SET holder = NULL, held_until = clock_timestamp() + $3
         WHERE account = $1 AND holder = $2",
        account,
        holder,
        interval(pause),
    )
    .execute(pool)
    .await
    .map(drop)
}

/// The token of this number was refused: it is dropped, unless a newer one is there.
pub(super) async fn forget(pool: &PgPool, account: Uuid, number: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE shared_sessions SET renew_at = 'epoch', expires_at = 'epoch' WHERE account = $1 AND number = $2",
        account,
        number,
    )
    .execute(pool)
    .await
    .map(drop)
}
