//! The service's tables in a schema of one test.

use marking::store::Store;
use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use uuid::Uuid;

/// A schema with the service's tables that goes when the test ends.
pub(crate) struct Tables {
    name: String,
    pool: PgPool,
}

fn server() -> PgConnectOptions {
    let url = std::env::var("DATABASE_URL")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
    url.parse().unwrap()
}

impl Tables {
    pub(crate) async fn new() -> Self {
        let name = format!("marking_{}", Uuid::new_v4().simple());
        let mut connection = PgConnection::connect_with(&server()).await.unwrap();
        connection.execute(AssertSqlSafe(format!("CREATE SCHEMA {name}"))).await.unwrap();
        connection.close().await.unwrap();
        let pool = PgPoolOptions::new()
            .max_connections(6)
            .connect_with(server().options([("search_path", &name)]))
            .await
            .unwrap();
        for migration in marking::MIGRATOR.iter() {
            sqlx::raw_sql(migration.sql.clone()).execute(&pool).await.unwrap();
        }
        Self { name, pool }
    }

    pub(crate) fn store(&self) -> Store {
        Store::new(self.pool.clone())
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }
}

impl Drop for Tables {
    fn drop(&mut self) {
        let drop = format!("DROP SCHEMA {} CASCADE", self.name);
        let work = async move {
            let mut connection = PgConnection::connect_with(&server()).await.unwrap();
            // Who ended within a transaction may still hold a lock; the database goes with the run in any case.
            connection.execute("SET lock_timeout = '5s'").await.unwrap();
            connection.execute(AssertSqlSafe(drop)).await.ok();
        };
        let runtime =
            || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        std::thread::spawn(move || runtime().block_on(work)).join().unwrap();
    }
}
