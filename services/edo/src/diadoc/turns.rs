//! What Diadoc recommends for a box (100 requests a second, four at once), kept by all replicas together.
//!
//! One row in PostgreSQL is the bucket, four rows are the lanes. A share for each replica would need no rows, but
//! replicas come and go, and a share that is mostly unused would slow the one that has the work.

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use sqlx::PgPool;
use tokio::sync::{Semaphore, SemaphorePermit};
use uuid::Uuid;

use super::{error::What, settings::DiadocArgs, store};

/// How long a turn is waited for in the process; a longer wait is the job's.
const PATIENCE: Duration = Duration::from_secs(8);
/// Between two looks for a free lane.
const LOOK: Duration = Duration::from_millis(15);
/// How much longer than a call a lane is held, should its holder die.
const MARGIN: Duration = Duration::from_secs(5);

/// One box's turns.
#[derive(Debug)]
pub(super) struct Turns {
    pool: PgPool,
    account: Uuid,
    own: Semaphore,
    lanes: i16,
    held: Duration,
    /// How long one request's room takes to come back.
    one: Duration,
    /// How long an empty bucket takes to fill.
    all: Duration,
}

/// A lane; give it back with [`Turns::leave`].
pub(super) struct Lane<'a> {
    lane: i16,
    holder: Uuid,
    _own: SemaphorePermit<'a>,
}

impl Turns {
    pub(super) fn new(pool: &PgPool, args: &DiadocArgs) -> Self {
        let rate: NonZeroU32 = args.diadoc_rate;
        // A tenth is burst, eight tenths flow: the rest is for requests that the network brings closer together.
        let burst = (rate.get() / 10).max(1);
        let flow = (rate.get() - 2 * burst.min(rate.get() / 2)).max(1);
        let one = Duration::from_secs(1) / flow;
        Self {
            pool: pool.clone(),
            account: args.diadoc_box_id,
            own: Semaphore::new(usize::from(args.diadoc_at_once)),
            lanes: i16::try_from(args.diadoc_at_once).unwrap_or(i16::MAX),
            // Between taking a lane and the call a turn is waited for.
            held: PATIENCE + args.diadoc_timeout + MARGIN,
            one,
            all: one * burst,
        }
    }

    /// Waits for a lane and a turn.
    pub(super) async fn enter(&self) -> Result<Lane<'_>, What> {
        let busy = || What::Busy { after: PATIENCE };
        let began = Instant::now();
        let own = tokio::time::timeout(PATIENCE, self.own.acquire()).await;
        let own = own.map_err(|_| busy())?.map_err(|_| busy())?;
        let holder = Uuid::new_v4();
        let lane = loop {
            let lane = store::lane(&self.pool, self.account, self.lanes, holder, self.held).await;
            match lane.map_err(|error| away(&error))? {
                Some(lane) => break Lane { lane, holder, _own: own },
                None if began.elapsed() > PATIENCE => return Err(busy()),
                None => sleep(LOOK).await,
            }
        };
        let wait = store::turn(&self.pool, self.account, self.one, self.all, PATIENCE).await;
        match wait {
            Ok(Some(wait)) => {
                sleep(Duration::from_millis(u64::try_from(wait).unwrap_or(0))).await;
                Ok(lane)
            }
            Ok(None) => {
                self.leave(lane).await;
                Err(busy())
            }
            Err(error) => {
                self.leave(lane).await;
                Err(away(&error))
            }
        }
    }

    /// Gives a lane back. Should that fail, it is free when its time is over.
    pub(super) async fn leave(&self, lane: Lane<'_>) {
        let left = store::leave(&self.pool, self.account, lane.lane, lane.holder).await;
        if let Err(error) = left {
            tracing::warn!(%error, "a lane to Diadoc was not given back; it is free in a while");
        }
    }

    /// Diadoc has refused a request for the rate: nobody sends for a while.
    pub(super) async fn drain(&self, pause: Duration) {
        let drained = store::drain(&self.pool, self.account, self.all, pause).await;
        if let Err(error) = drained {
            tracing::warn!(%error, "the other replicas could not be told of Diadoc's limit");
        }
    }
}

pub(super) fn away(error: &sqlx::Error) -> What {
    // A database's error may quote a row.
    What::Store(match error.as_database_error() {
        Some(error) => format!("SQLSTATE {}", error.code().unwrap_or_default()),
        None => error.to_string(),
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a turn is at most seconds away and holds nothing but its caller"
)]
pub(super) async fn sleep(wait: Duration) {
    tokio::time::sleep(wait).await;
}
