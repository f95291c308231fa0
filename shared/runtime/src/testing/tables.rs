//! The runtime's tables and a service's in a schema of one test.

use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgConnection, PgPool,
    migrate::Migration,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use uuid::Uuid;

/// A schema with the runtime's and a service's tables, at `DATABASE_URL`, that goes when the test ends.
pub struct Tables {
    name: String,
    pool: PgPool,
}

#[expect(clippy::expect_used, reason = "a test fails by panicking")]
impl Tables {
    /// Makes the runtime's tables and those of `service`, for up to `connections` at once.
    ///
    /// # Panics
    /// When PostgreSQL is away or refuses a migration.
    pub async fn make(
        service: &str,
        migrations: impl IntoIterator<Item = &Migration>,
        connections: u32,
    ) -> Self {
        let name = format!("{service}_{}", Uuid::new_v4().simple());
        let mut connection = PgConnection::connect_with(&server()).await.expect("PostgreSQL");
        let create = AssertSqlSafe(format!("CREATE SCHEMA {name}"));
        connection.execute(create).await.expect("a schema");
        connection.close().await.expect("PostgreSQL");
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .connect_with(server().options([("search_path", &name)]))
            .await
            .expect("PostgreSQL");
        for migration in crate::database::OURS.iter().chain(migrations) {
            sqlx::raw_sql(migration.sql.clone()).execute(&pool).await.expect("a migration");
        }
        Self { name, pool }
    }

    /// Connections that see these tables.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The one number that a query gives.
    ///
    /// # Panics
    /// When it gives none.
    pub async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.expect("a number")
    }
}

#[expect(clippy::expect_used, reason = "a test fails by panicking")]
impl Drop for Tables {
    fn drop(&mut self) {
        let drop = format!("DROP SCHEMA {} CASCADE", self.name);
        let work = async move {
            let mut connection = PgConnection::connect_with(&server()).await.expect("PostgreSQL");
            // Who ended within a transaction may still hold a lock; the database goes with the run in any case.
            connection.execute("SET lock_timeout = '5s'").await.expect("PostgreSQL");
            connection.execute(AssertSqlSafe(drop)).await.ok();
        };
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
        // A test's own runtime may have ended, or have this thread alone.
        let dropping = std::thread::spawn(move || runtime().expect("a runtime").block_on(work));
        dropping.join().expect("the schema is dropped");
    }
}

#[expect(clippy::expect_used, reason = "a test fails by panicking")]
fn server() -> PgConnectOptions {
    let url = std::env::var("DATABASE_URL")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
    url.parse().expect("DATABASE_URL is a PostgreSQL URL")
}
