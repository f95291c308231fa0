//! The job store: one row for each event that a worker has taken up.
//!
//! Calls are plain and single; inside, concurrent calls share a statement (see [`crate::gather`]).
//! The save is durable. Taking a job up and marking it told are not waited for on disk: losing
//! either in a crash of PostgreSQL costs a repetition that is absorbed, never an effect, because
//! a save from an owner whose row is gone is refused.

mod sql;

use std::time::Duration;

use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::gather::{Gather, Lost};

/// How many jobs share a statement at most.
const GROUP: usize = 256;

/// Why the store did not answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the job store did not answer: {0}")]
pub struct StoreError(String);

impl From<Lost<sqlx::Error>> for StoreError {
    fn from(lost: Lost<sqlx::Error>) -> Self {
        Self(lost.to_string())
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self(error.to_string())
    }
}

/// An event to be taken up.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    pub id: Uuid,
    pub event: String,
    pub trace: Option<String>,
    pub topic: String,
    pub subject: Option<String>,
    /// Whether an admin asks to go on with a dead job.
    pub replay: bool,
    /// The one death that the replay undoes; any death without it.
    pub death: Option<Uuid>,
    /// Whether the job goes on only if a change of its order still may bring it back.
    pub by_change: bool,
}

/// What came of taking an event up.
#[derive(Debug, PartialEq)]
pub(crate) enum Opened {
    /// The job is ours until the lease ends.
    Ours(Job),
    /// Another owner has it, or had it and died: look again after this.
    Busy(Duration),
    /// It waits for its time, this long. `told` says whether the broker already carries a message
    /// that will come back then.
    Early { fence: Uuid, wait: Duration, outbox: String, told: bool },
    /// It is finished or dead; what is in the outbox has perhaps not been said.
    Settled { fence: Uuid, outbox: String, told: bool },
}

/// A job in hand.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Job {
    pub id: Uuid,
    pub fence: Uuid,
    pub state: String,
    pub attempts: u32,
    pub opens: u32,
    pub first_error: Option<String>,
    pub last_error: Option<String>,
    /// Words of the last save that were perhaps not said.
    pub unsaid: Option<String>,
    pub deadline: OffsetDateTime,
    /// A replay has just brought it back from its death.
    pub revived: bool,
}

/// The next state of a job in hand.
#[derive(Debug, Clone)]
pub(crate) struct Save {
    pub id: Uuid,
    pub fence: Uuid,
    pub state: String,
    pub phase: Phase,
    pub outbox: String,
    pub alias: Option<String>,
    pub attempts: u32,
    pub error: Option<String>,
    /// It is dead, and a changed order may bring it back.
    pub mendable: bool,
    /// Nothing is to be said on the bus: no outbox and no coming back.
    pub told: bool,
}

/// Where a saved job stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Phase {
    /// Still ours: the lease begins anew.
    Held,
    /// Waits for so long.
    Waiting(Duration),
    /// Finished.
    Done,
    /// Stopped for a person.
    Dead,
}

/// Whether a save was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saved {
    /// The row has it.
    Yes,
    /// Another owner has taken the job since: stop, it is theirs.
    Lost,
}

/// A job that the sweeper tells again.
#[derive(Debug, Clone)]
pub(crate) struct Retold {
    pub id: Uuid,
    pub event: String,
    pub trace: Option<String>,
}

/// A dead job whose order has changed since.
#[derive(Debug, Clone)]
pub(crate) struct Stuck {
    pub id: Uuid,
    pub event: String,
    pub trace: Option<String>,
    /// The death that a replay undoes.
    pub death: Uuid,
    /// The order as it was last changed, as JSON.
    pub snapshot: String,
}

/// The jobs of one worker.
#[derive(Clone)]
pub(crate) struct Store {
    pool: PgPool,
    worker: &'static str,
    opens: Gather<Opening, Opened, sqlx::Error>,
    saves: Gather<Save, Saved, sqlx::Error>,
    settles: Gather<(Uuid, Uuid), (), sqlx::Error>,
}

impl Store {
    /// Starts the groups. `relaxed` is a pool whose commits are not waited for on disk.
    pub(crate) fn new(
        pool: &PgPool,
        relaxed: &PgPool,
        worker: &'static str,
        lease: Duration,
        give_up: Duration,
    ) -> Self {
        let (open_pool, settle_pool, save_pool) = (relaxed.clone(), relaxed.clone(), pool.clone());
        Self {
            pool: pool.clone(),
            worker,
            opens: Gather::spawn(GROUP, move |group| {
                let pool = open_pool.clone();
                async move { sql::open(&pool, worker, lease, give_up, group).await }
            }),
            saves: Gather::spawn(GROUP, move |group| {
                let pool = save_pool.clone();
                async move { sql::save(&pool, worker, lease, group).await }
            }),
            settles: Gather::spawn(GROUP, move |group| {
                let pool = settle_pool.clone();
                async move { sql::settle(&pool, worker, group).await }
            }),
        }
    }

    /// Takes an event up, or tells why not.
    pub(crate) async fn open(&self, opening: Opening) -> Result<Opened, StoreError> {
        Ok(self.opens.call(opening).await?)
    }

    /// Saves the next state, if the job is still ours.
    pub(crate) async fn save(&self, save: Save) -> Result<Saved, StoreError> {
        Ok(self.saves.call(save).await?)
    }

    /// Notes that everything this save had to say has been confirmed by the broker.
    pub(crate) async fn settle(&self, id: Uuid, fence: Uuid) -> Result<(), StoreError> {
        Ok(self.settles.call((id, fence)).await?)
    }

    /// The same for a job that this owner will not save again, without waiting: a note on its way
    /// must never meet the words of a later save.
    pub(crate) async fn settle_soon(&self, id: Uuid, fence: Uuid) -> Result<(), StoreError> {
        Ok(self.settles.post((id, fence)).await?)
    }

    /// Waits until everything that was to be settled soon is settled.
    pub(crate) async fn settled(&self) -> Result<(), StoreError> {
        // No job has this id; the call leaves behind all that went in before it.
        self.settle(Uuid::nil(), Uuid::nil()).await
    }

    /// Jobs whose time passed longer than `grace` ago and that nobody works on, and jobs whose
    /// last words were perhaps not said: at most 500, each marked so that it is not told again
    /// within `grace`.
    pub(crate) async fn sweep(&self, grace: Duration) -> Result<Vec<Retold>, StoreError> {
        Ok(sql::sweep(&self.pool, self.worker, grace).await?)
    }

    /// Makes the open job with this alias due now.
    pub(crate) async fn nudge(&self, alias: &str) -> Result<Option<Retold>, StoreError> {
        Ok(sql::nudge(&self.pool, self.worker, alias).await?)
    }

    /// Remembers an order as somebody has changed it, unless a later change is known.
    pub(crate) async fn remember(
        &self,
        subject: &str,
        occurrence: u32,
        snapshot: &str,
    ) -> Result<(), StoreError> {
        Ok(sql::remember(&self.pool, self.worker, subject, occurrence, snapshot).await?)
    }

    /// The dead jobs of an order that was changed, as far as that may bring them back.
    pub(crate) async fn stuck(&self, subject: &str) -> Result<Vec<Stuck>, StoreError> {
        Ok(sql::stuck(&self.pool, self.worker, subject).await?)
    }

    /// A person has given this death of a job up: a change of its order does not bring it back any more. A replay
    /// does.
    pub(crate) async fn give_up(&self, id: Uuid, death: Uuid) -> Result<(), StoreError> {
        Ok(sql::give_up(&self.pool, self.worker, id, death).await?)
    }

    /// Blanks the data of jobs that were finished and told, and begun longer than `keep` ago: at
    /// most 500 at a time. The row stays, so that the fact told once more is still a duplicate.
    /// Changed orders are kept as long.
    pub(crate) async fn forget(&self, keep: Duration) -> Result<(), StoreError> {
        Ok(sql::forget(&self.pool, self.worker, keep).await?)
    }

    /// Seconds since the oldest unsaid word was saved, and since the oldest overdue job was due.
    pub(crate) async fn ages(&self) -> Result<(f64, f64), StoreError> {
        Ok(sql::ages(&self.pool, self.worker).await?)
    }
}
