//! The register's limit for a participant (50 requests a second, documentation of True API), kept by
//! all replicas together.
//!
//! One row in PostgreSQL is the bucket. A share for each replica would need no row, but replicas come and go, and a
//! share of a limit that is mostly unused would slow the one replica that has the work. A tenth of the
//! rate is burst and eight tenths flow: the tenth that is left is for requests that the network brings closer
//! together than they were sent.

use std::{num::NonZeroU32, time::Duration};

use sqlx::PgPool;

use super::{error::What, store};

/// How long a turn is waited for in the process; a longer wait is the job's.
const PATIENCE: Duration = Duration::from_secs(5);

/// One participant's turns.
#[derive(Debug, Clone)]
pub(super) struct Turns {
    pool: PgPool,
    participant: String,
    /// How long one request's room takes to come back.
    one: Duration,
    /// How long an empty bucket takes to fill.
    all: Duration,
}

impl Turns {
    pub(super) fn new(pool: &PgPool, participant: &str, rate: NonZeroU32) -> Self {
        let burst = (rate.get() / 10).max(1);
        let flow = (rate.get() - 2 * burst.min(rate.get() / 2)).max(1);
        let one = Duration::from_secs(1) / flow;
        Self { pool: pool.clone(), participant: participant.to_owned(), one, all: one * burst }
    }

    /// Waits for a turn.
    pub(super) async fn turn(&self) -> Result<(), What> {
        let wait = store::turn(&self.pool, &self.participant, self.one, self.all, PATIENCE).await;
        let wait = wait.map_err(|error| What::Store(error.to_string()))?;
        let wait = wait.ok_or(What::Busy { after: PATIENCE })?;
        sleep(Duration::from_millis(u64::try_from(wait).unwrap_or(0))).await;
        Ok(())
    }

    /// The register has refused a request for the rate: nobody sends for a while.
    pub(super) async fn drain(&self, pause: Duration) {
        let drained = store::drain(&self.pool, &self.participant, self.all, pause).await;
        if let Err(error) = drained {
            tracing::warn!(%error, "the other replicas could not be told of the register's limit");
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a turn is at most seconds away and holds nothing but its caller"
)]
pub(super) async fn sleep(wait: Duration) {
    tokio::time::sleep(wait).await;
}
