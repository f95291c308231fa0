//! Who hears what, kept in PostgreSQL. Whoever comes first to an empty broker makes the queues of
//! all workers there are, so that nothing is told while a listener is still on its way.

use sqlx::{PgPool, migrate::Migrator};

use crate::bus::Subscription;

/// The table that all services share.
pub(crate) fn migrator() -> Migrator {
    let mut migrator: Migrator = sqlx::migrate!("./shared-migrations");
    migrator.create_schema("bus");
    migrator.dangerous_set_table_name("bus._sqlx_migrations");
    migrator.set_ignore_missing(true).set_locking(false);
    migrator
}

/// The workers of one system.
#[derive(Clone)]
pub(crate) struct Subscribers {
    pool: PgPool,
    prefix: String,
}

impl Subscribers {
    pub(crate) fn new(pool: &PgPool, prefix: &str) -> Self {
        Self { pool: pool.clone(), prefix: prefix.to_owned() }
    }

    /// Remembers a worker. Its queue is kept from now on.
    pub(crate) async fn enrol(&self, subscription: &Subscription) -> sqlx::Result<()> {
        sqlx::query!(
            "INSERT INTO bus.subscriptions (prefix, worker, topics) VALUES ($1, $2, $3)
             ON CONFLICT (prefix, worker) DO UPDATE SET topics = excluded.topics, told_at = now()",
            self.prefix,
            subscription.worker,
            &subscription.topics,
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// All workers that have ever started here.
    pub(crate) async fn all(&self) -> sqlx::Result<Vec<Subscription>> {
        sqlx::query_as!(
            Subscription,
            "SELECT worker, topics FROM bus.subscriptions WHERE prefix = $1 ORDER BY worker",
            self.prefix,
        )
        .fetch_all(&self.pool)
        .await
    }
}
