//! PostgreSQL: pools, schemas, migrations.

use std::{str::FromStr, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    AssertSqlSafe, PgPool,
    migrate::{Migrate, MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions, types::PgInterval},
};
use tokio_util::sync::CancellationToken;

use crate::{pause::pause, settings::StartError, subscribers};

/// The tables that every service has in its schema, before its own.
pub(crate) static OURS: Migrator = sqlx::migrate!();

/// A service's database: its own schema and nobody else's.
#[derive(Clone)]
pub(crate) struct Database {
    /// Commits are on disk when they return.
    pub pool: PgPool,
    /// Commits are on disk soon after they return: for notes whose loss is harmless.
    pub relaxed: PgPool,
    schema: &'static str,
}

impl Database {
    /// Pools that connect when they are first used.
    pub(crate) fn new(url: &SecretString, schema: &'static str) -> Result<Self, StartError> {
        let options = PgConnectOptions::from_str(url.expose_secret())
            .map_err(|_| StartError::new("DATABASE_URL is no postgres:// address"))?
            .application_name(schema)
            .options([("search_path", schema)]);
        let relaxed = options.clone().options([("synchronous_commit", "off")]);
        Ok(Self { pool: pool(options, 8), relaxed: pool(relaxed, 4), schema })
    }

    /// Sets the tables up, waiting for PostgreSQL as long as it takes; `false` when the process
    /// is to stop before that.
    pub(crate) async fn migrate(
        &self,
        own: Option<&Migrator>,
        shutdown: &CancellationToken,
    ) -> Result<bool, StartError> {
        loop {
            match self.try_migrate(own).await {
                Ok(()) => return Ok(true),
                Err(error) if may_pass(&error) => tracing::warn!(%error, "PostgreSQL is away"),
                Err(error) => {
                    return Err(StartError(format!("the tables are not set up: {error}")));
                }
            }
            if !pause(Duration::from_secs(1), shutdown).await {
                return Ok(false);
            }
        }
    }

    /// The runtime's tables, then the service's. Replicas that start together take turns; a
    /// version that is newer than this program (it was rolled back) is left alone.
    async fn try_migrate(&self, own: Option<&Migrator>) -> Result<(), MigrateError> {
        let mut connection = self.pool.acquire().await?;
        connection.lock().await?;
        let schema = AssertSqlSafe(format!("CREATE SCHEMA IF NOT EXISTS {}", self.schema));
        let set_up = async {
            sqlx::query(schema).execute(&mut *connection).await?;
            subscribers::migrator().run(&mut *connection).await?;
            let all = OURS.iter().chain(own.into_iter().flat_map(Migrator::iter)).cloned();
            let mut migrator = Migrator::with_migrations(all.collect());
            migrator.set_ignore_missing(true).set_locking(false);
            migrator.run(&mut *connection).await
        }
        .await;
        connection.unlock().await.and(set_up)
    }
}

/// Whether PostgreSQL may answer otherwise in a moment: the connection broke (08), two set the tables up
/// at once (40, 55), it is full (53), it stops or starts (57).
fn may_pass(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else {
        return false;
    };
    match error.as_database_error() {
        Some(error) => error.code().is_some_and(|code| {
            ["08", "40", "53", "55", "57"].iter().any(|class| code.starts_with(class))
        }),
        None => true,
    }
}

fn pool(options: PgConnectOptions, connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(3))
        .connect_lazy_with(options)
}

/// A duration as a statement takes it; to the microsecond.
pub(crate) fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
