//! A register's limit of requests a second, kept by all replicas together.
//!
//! One row in PostgreSQL is the bucket. A share for each replica would need no row, but replicas come and go, and a
//! share of a limit that is mostly unused would slow the one replica that has the work. Turns are given in the order
//! in which they are asked for, and a process that dies with a turn in hand has only wasted it.

mod sql;

use std::{num::NonZeroU32, time::Duration};

use sqlx::PgPool;
use uuid::Uuid;

use crate::{pause::moment, withheld::Withheld};

/// The rate of one account.
#[derive(Debug, Clone)]
pub struct Rate {
    pool: PgPool,
    account: Uuid,
    /// How long one request's room takes to come back.
    one: Duration,
    /// How long an empty bucket takes to fill.
    all: Duration,
    patience: Duration,
}

impl Rate {
    /// The rate of `account` (see `shared_rates` in the pool's schema), at most `per_second` in any second.
    ///
    /// A tenth of it is burst and eight tenths flow: the tenth that is left is for requests that the network
    /// brings closer together than they were sent. A turn is waited for in the process for `patience` at most.
    #[must_use]
    pub fn new(pool: &PgPool, account: Uuid, per_second: NonZeroU32, patience: Duration) -> Self {
        let rate = per_second.get();
        let burst = (rate / 10).max(1);
        let flow = (rate - 2 * burst.min(rate / 2)).max(1);
        let one = Duration::from_secs(1) / flow;
        Self { pool: pool.clone(), account, one, all: one * burst, patience }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`Withheld::Busy`], at once and with no turn taken, when it would be waited for longer than `patience`;
    /// [`Withheld::Away`] without PostgreSQL.
    pub async fn turn(&self) -> Result<(), Withheld> {
        let wait = sql::turn(&self.pool, self.account, self.one, self.all, self.patience).await?;
        let wait = wait.ok_or(Withheld::Busy { after: self.patience })?;
        moment(Duration::from_millis(u64::try_from(wait).unwrap_or(0))).await;
        Ok(())
    }

    /// The register has refused a request for the rate: no replica sends for `pause`, then one at a time. Without
    /// PostgreSQL that is logged; each of them is refused for itself then.
    pub async fn drain(&self, pause: Duration) {
        let drained = sql::drain(&self.pool, self.account, self.all, pause).await;
        if let Err(error) = drained.map_err(Withheld::from) {
            tracing::warn!(%error, "the other replicas could not be told of the register's limit");
        }
    }
}
