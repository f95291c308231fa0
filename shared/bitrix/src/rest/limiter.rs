//! A portal's rate limit, kept by all services and replicas together.
//!
//! Bitrix counts requests by portal *and* source address, so services behind one address share a
//! limit whether they know of each other or not. The bucket is one row in PostgreSQL, and its
//! clock is PostgreSQL's. Taking a turn moves one moment (when the bucket would be full again)
//! and tells how long to wait: turns are given in the order in which they are asked for, and a
//! process that dies with a turn in hand has only wasted it. [`runtime::rate`] does the same for the replicas of one
//! service; its row is in that service's schema, where no other one may look.

use std::{collections::HashMap, sync::Arc, time::Duration};

use sqlx::{PgPool, migrate::Migrator};
use time::OffsetDateTime;
use tokio::sync::OnceCell;

use super::{error::RestErrorKind, store};
use crate::shops::PortalSettings;

/// How long a turn is waited for in the process; a longer wait is the caller's.
const PATIENCE: Duration = Duration::from_secs(5);

/// The limits of all portals. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Limiter {
    tables: Tables,
}

/// The limiter's tables, in a schema of their own; they are set up when they are first used,
/// because a service starts whether PostgreSQL is there or not.
#[derive(Debug, Clone)]
struct Tables {
    pool: PgPool,
    set_up: Arc<OnceCell<()>>,
}

/// One portal's bucket.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    tables: Tables,
    portal: String,
    /// How long one request's room takes to come back.
    one: Duration,
    /// How long it takes an empty bucket to fill.
    all: Duration,
}

/// A turn: the request may be sent now, unless it calls one of these methods.
#[derive(Debug)]
pub(super) struct Turn {
    /// Paused methods, and until when.
    pub(super) paused: HashMap<String, OffsetDateTime>,
}

impl Limiter {
    /// The limits in this database, whatever the service's own schema is.
    #[must_use]
    pub fn new(pool: &PgPool) -> Self {
        Self { tables: Tables { pool: pool.clone(), set_up: Arc::default() } }
    }

    pub(super) fn bucket(&self, portal: &PortalSettings) -> Bucket {
        let one = Duration::from_secs(1) / portal.rate.get();
        // A tenth is left for other programs behind our address, and for requests that the
        // network brings closer together than we sent them.
        let burst = (portal.burst.get() - portal.burst.get() / 10).max(1);
        Bucket {
            tables: self.tables.clone(),
            portal: portal.member_id.clone(),
            one,
            all: one * burst,
        }
    }
}

impl Bucket {
    /// Waits for a turn.
    pub(super) async fn turn(&self) -> Result<Turn, RestErrorKind> {
        let pool = self.tables.pool().await?;
        let wait = store::take(pool, &self.portal, self.one, self.all, PATIENCE).await;
        match wait.map_err(|error| lost(&error))? {
            Some(wait) => sleep(Duration::from_millis(u64::try_from(wait).unwrap_or(0))).await,
            None => return Err(RestErrorKind::Busy { after: PATIENCE }),
        }
        let paused = store::paused(pool, &self.portal).await.map_err(|error| lost(&error))?;
        Ok(Turn { paused: paused.into_iter().collect() })
    }

    /// Bitrix has refused a request for the `nth` time in a row (from 1): nobody sends for a while
    /// that grows by half each time.
    pub(super) async fn drain(&self, nth: u32) -> Result<(), RestErrorKind> {
        tracing::debug!(nth, "the portal refuses for its rate; the bucket is emptied");
        let penalty = self.one * 3_u32.saturating_pow(nth) / 2_u32.saturating_pow(nth);
        store::drain(self.tables.pool().await?, &self.portal, self.all, penalty)
            .await
            .map_err(|error| lost(&error))
    }

    /// Nobody calls this method until then.
    pub(super) async fn pause(
        &self,
        method: &str,
        until: OffsetDateTime,
    ) -> Result<(), RestErrorKind> {
        store::pause(self.tables.pool().await?, &self.portal, method, until)
            .await
            .map_err(|error| lost(&error))
    }
}

impl Tables {
    async fn pool(&self) -> Result<&PgPool, RestErrorKind> {
        self.set_up.get_or_try_init(|| self.set_up()).await?;
        Ok(&self.pool)
    }

    /// Under sqlx's advisory lock: replicas that start together take turns.
    async fn set_up(&self) -> Result<(), RestErrorKind> {
        let mut migrator: Migrator = sqlx::migrate!();
        migrator.create_schema("bitrix");
        migrator.dangerous_set_table_name("bitrix._sqlx_migrations");
        migrator.set_ignore_missing(true);
        migrator.run(&self.pool).await.map_err(|error| RestErrorKind::Limiter(error.to_string()))
    }
}

fn lost(error: &sqlx::Error) -> RestErrorKind {
    RestErrorKind::Limiter(error.to_string())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a turn is seconds away and holds nothing but its caller"
)]
async fn sleep(wait: Duration) {
    tokio::time::sleep(wait).await;
}
