//! The version before, beside this one: tokens and rate are the same rows under its own names.

use std::{num::NonZeroU32, time::Duration};

use runtime::{
    Withheld,
    rate::Rate,
    session::{Grant, Session, Terms},
    testing::Tables,
};
use sqlx::PgPool;
use uuid::Uuid;

/// The migration that moves them.
const MOVES: i64 = 2026112242;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A replica of the version before, with the statements that it sends.
struct Before<'a> {
    pool: &'a PgPool,
    account: Uuid,
    holder: Uuid,
}

impl Before<'_> {
    async fn token(&self) -> Option<(String, i64)> {
        let sql = "SELECT token, number FROM diadoc_tokens
                   WHERE account = $1 AND token IS NOT NULL AND expires_at > clock_timestamp()";
        sqlx::query_as(sql).bind(self.account).fetch_optional(self.pool).await.unwrap()
    }

    async fn refresh(&self) -> Option<String> {
        let sql = "SELECT refresh FROM diadoc_tokens WHERE account = $1";
        sqlx::query_scalar(sql).bind(self.account).fetch_one(self.pool).await.unwrap()
    }

    async fn hold(&self) -> bool {
        let sql = "INSERT INTO diadoc_tokens AS t (account, holder, held_until)
                VALUES ($1, $2, clock_timestamp() + interval '60 s')
            ON CONFLICT (account) DO UPDATE SET holder = $2, held_until = clock_timestamp() + interval '60 s'
                WHERE (t.held_until <= clock_timestamp() OR t.holder = $2)
                    AND (t.token IS NULL OR t.renew_at <= clock_timestamp())";
        let held = sqlx::query(sql).bind(self.account).bind(self.holder).execute(self.pool).await;
        held.unwrap().rows_affected() == 1
    }

    async fn keep(&self, token: &str, refresh: &str) -> Option<i64> {
        let sql = "UPDATE diadoc_tokens SET token = $3, refresh = coalesce($4, refresh), number = number + 1,
                renew_at = clock_timestamp() + interval '1 h', expires_at = clock_timestamp() + interval '2 h',
                holder = NULL, held_until = 'epoch'
            WHERE account = $1 AND holder = $2
            RETURNING number";
        let query = sqlx::query_scalar(sql).bind(self.account).bind(self.holder);
        query.bind(token).bind(refresh).fetch_optional(self.pool).await.unwrap()
    }

    async fn forget(&self, number: i64) {
        let sql = "UPDATE diadoc_tokens SET renew_at = 'epoch', expires_at = 'epoch'
                   WHERE account = $1 AND number = $2";
        sqlx::query(sql).bind(self.account).bind(number).execute(self.pool).await.unwrap();
    }

    async fn turn(&self) -> Option<i64> {
        let sql = "INSERT INTO diadoc_turns AS t (account, full_at) VALUES ($1, clock_timestamp() + interval '20 ms')
            ON CONFLICT (account) DO UPDATE
                SET full_at = greatest(t.full_at, clock_timestamp()) + interval '20 ms'
                WHERE greatest(t.full_at, clock_timestamp()) + interval '20 ms' <= clock_timestamp() + interval '8 s'
            RETURNING ceil(1000 * extract(epoch FROM full_at - clock_timestamp()))::int8";
        sqlx::query_scalar(sql).bind(self.account).fetch_optional(self.pool).await.unwrap()
    }

    async fn drain(&self) {
        let sql = "UPDATE diadoc_turns SET full_at = greatest(full_at, clock_timestamp() + interval '60 s')
                   WHERE account = $1";
        sqlx::query(sql).bind(self.account).execute(self.pool).await.unwrap();
    }
}

#[tokio::test]
async fn both_versions_work_with_one_refresh_token() {
    let older = edo::MIGRATOR.iter().filter(|migration| migration.version < MOVES);
    let tables = Tables::make("edo", older, 1).await;
    let pool = tables.pool();
    let (account, holder) = (Uuid::new_v4(), Uuid::new_v4());
    let before = Before { pool, account, holder };
    assert!(before.hold().await);
    assert_eq!(before.keep("token 1", "refresh 1").await, Some(1));
    assert!(before.turn().await.is_some());

    // The upgrade, while the version before runs on with the connections that it has.
    for migration in edo::MIGRATOR.iter().filter(|migration| migration.version >= MOVES) {
        sqlx::raw_sql(migration.sql.clone()).execute(pool).await.unwrap();
    }
    let terms = Terms { margin: Duration::from_secs(300), lease: Duration::from_secs(60) };
    let session = || Session::new(pool, account, terms);
    let nobody = async |_| Err::<Grant, Withheld>(Withheld::Away("nobody is asked".to_owned()));
    let token = session().token(nobody).await.unwrap();
    assert_eq!(token.value(), "token 1");

    session().forget(&token).await.unwrap();
    assert_eq!(before.token().await, None);
    let one = session();
    let renewed = one.token(async |last| {
        assert_eq!(last.as_deref(), Some("refresh 1"));
        assert!(!before.hold().await, "one of both versions signs in");
        let (token, refresh) = ("token 2".to_owned(), Some("refresh 2".to_owned()));
        Ok::<_, Withheld>(Grant { token, refresh, holds: DAY })
    });
    assert_eq!(renewed.await.unwrap().value(), "token 2");
    assert_eq!(before.token().await, Some(("token 2".to_owned(), 2)));

    // After a rollback the version before goes on with the last one.
    before.forget(2).await;
    assert!(before.hold().await);
    assert_eq!(before.refresh().await.as_deref(), Some("refresh 2"));
    assert_eq!(before.keep("token 3", "refresh 3").await, Some(3));
    assert_eq!(session().token(nobody).await.unwrap().value(), "token 3");

    let rate = Rate::new(pool, account, NonZeroU32::new(100).unwrap(), Duration::from_secs(8));
    rate.turn().await.unwrap();
    before.drain().await;
    assert!(matches!(rate.turn().await, Err(Withheld::Busy { .. })));
    assert_eq!(before.turn().await, None);

    // Where nobody had signed in before.
    let first = Before { account: Uuid::new_v4(), ..before };
    assert!(first.hold().await);
    assert_eq!(first.keep("token", "refresh").await, Some(1));
    assert!(first.turn().await.is_some());
}
