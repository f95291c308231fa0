//! What Diadoc recommends for a box (100 requests a second, four at once), kept by all replicas together.
//!
//! Four rows in PostgreSQL are the lanes, beside the runtime's bucket. A share for each replica would need no rows, but
//! replicas come and go, and a share that is mostly unused would slow the one that has the work.

use std::time::{Duration, Instant};

use runtime::{Withheld, rate::Rate};
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

/// One box's lanes, and its rate.
#[derive(Debug)]
pub(super) struct Lanes {
    pool: PgPool,
    account: Uuid,
    own: Semaphore,
    lanes: i16,
    held: Duration,
    rate: Rate,
}

/// A lane; give it back with [`Lanes::leave`].
pub(super) struct Lane<'a> {
    lane: i16,
    holder: Uuid,
    _own: SemaphorePermit<'a>,
}

impl Lanes {
    pub(super) fn new(pool: &PgPool, args: &DiadocArgs) -> Self {
        Self {
            pool: pool.clone(),
            account: args.diadoc_box_id,
            own: Semaphore::new(usize::from(args.diadoc_at_once)),
            lanes: i16::try_from(args.diadoc_at_once).unwrap_or(i16::MAX),
            // Between taking a lane and the call a turn is waited for.
            held: PATIENCE + args.diadoc_timeout + MARGIN,
            rate: Rate::new(pool, args.diadoc_box_id, args.diadoc_rate, PATIENCE),
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
            match lane.map_err(Withheld::from)? {
                Some(lane) => break Lane { lane, holder, _own: own },
                None if began.elapsed() > PATIENCE => return Err(busy()),
                None => sleep(LOOK).await,
            }
        };
        match self.rate.turn().await {
            Ok(()) => Ok(lane),
            Err(withheld) => {
                self.leave(lane).await;
                Err(withheld.into())
            }
        }
    }

    /// Gives a lane back. Should that fail, it is free when its time is over.
    pub(super) async fn leave(&self, lane: Lane<'_>) {
        let left = store::leave(&self.pool, self.account, lane.lane, lane.holder).await;
        if let Err(error) = left.map_err(Withheld::from) {
            tracing::warn!(%error, "a lane to Diadoc was not given back; it is free in a while");
        }
    }

    /// Diadoc has refused a request for the rate: nobody sends for a while.
    pub(super) async fn drain(&self, pause: Duration) {
        self.rate.drain(pause).await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a look at the lanes, which holds nothing but its caller"
)]
async fn sleep(wait: Duration) {
    tokio::time::sleep(wait).await;
}
