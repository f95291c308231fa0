//! The ledger in PostgreSQL: a desk is loaded under the customers' row locks, works, and is
//! written back in the same transaction.
//!
//! Many operations go in one transaction. Customers are locked in the order of their numbers, so
//! replicas do not deadlock; `UNIQUE (source, external_id)` is the last word on what was counted.

mod account;
mod balance;
mod compare;
mod due;
mod ended;
mod exceptions;
mod history;
mod keep;
mod load;
mod load_books;
mod log;
mod notes;
mod orders;
mod parked;
mod people;
mod save;
mod save_books;
mod silence;
mod typed;
mod untold;
mod waiting;

use std::{sync::Arc, time::Duration};

use sqlx::{PgPool, Postgres, Transaction};
use time::OffsetDateTime;
use tokio::sync::Semaphore;

use crate::ledger::{Answer, CustomerId, Desk, Lapse, Request};

pub use account::{Account, LotLeft};
pub use balance::{Balance, Moment};
pub use compare::Difference;
pub use ended::Saved;
pub use exceptions::{Exception, kinds};
pub use history::Entry;
pub use keep::Keep;
pub use log::LogLine;
pub use orders::Done;
pub use people::Person;
pub use silence::Silent;
pub use untold::{Fate, Untold};
pub use waiting::{Counts, Waiting};

/// How often a group that met another replica's is tried again.
const ATTEMPTS: usize = 5;

/// For how long a phone that came or changed hands is news: longer than any transaction takes.
const NEWS: Duration = Duration::from_secs(600);
/// Longer than there have been phones here.
const EVER: Duration = Duration::from_secs(1000 * 366 * 24 * 3600);

/// The clock.
pub type Clock = Arc<dyn Fn() -> OffsetDateTime + Send + Sync>;

/// The ledger's tables. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pool: PgPool,
    clock: Clock,
    lapse: Lapse,
    /// Whether 1C is the master and is told what orders do.
    tells_onec: bool,
    /// One group at a time: the groups grow by themselves, and readers keep their share of the
    /// processor.
    turn: Arc<Semaphore>,
}

/// What a group is to do.
#[derive(Debug, Default, Clone)]
struct Work {
    ask: Vec<Request>,
    retry: Vec<Request>,
    settle: Vec<CustomerId>,
}

/// An answer, and what the customer has afterwards.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The answer.
    pub answer: Answer,
    /// Kopecks that the customer can spend, where one is known.
    pub available: Option<i64>,
    /// When it was recorded.
    pub at: OffsetDateTime,
}

impl Store {
    /// The tables in this database; the pool's search path names the schema.
    #[must_use]
    pub fn new(pool: PgPool, clock: Clock, lapse: Lapse) -> Self {
        Self { pool, clock, lapse, tells_onec: false, turn: Arc::new(Semaphore::new(1)) }
    }

    /// The same with 1C as the master: what orders do is noted until 1C has been told.
    #[must_use]
    pub fn telling_onec(self) -> Self {
        Self { tells_onec: true, ..self }
    }

    /// The time by this store's clock.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        (self.clock)()
    }

    /// Carries operations out, in this order, each for itself: one that fails keeps no other back.
    ///
    /// When this answers, what it says is on disk.
    pub async fn apply(&self, ask: Vec<Request>) -> Vec<sqlx::Result<Answered>> {
        let whole = Work { ask: ask.clone(), ..Work::default() };
        match self.work(whole).await {
            Ok(answers) => answers.into_iter().map(Ok).collect(),
            // Asking for each alone would only take that much longer.
            Err(error) if ask.len() == 1 || is_away(&error) => {
                let others = ask.iter().skip(1).map(|_| Err(sqlx::Error::PoolTimedOut));
                std::iter::once(Err(error)).chain(others).collect()
            }
            Err(error) => {
                tracing::info!(%error, operations = ask.len(), "a group goes one by one");
                let mut answers = Vec::with_capacity(ask.len());
                for request in ask {
                    let one = Work { ask: vec![request], ..Work::default() };
                    let answer = self.work(one).await;
                    answers
                        .push(answer.and_then(|mut one| one.pop().ok_or(sqlx::Error::RowNotFound)));
                }
                answers
            }
        }
    }

    /// Does what time has done to customers with something due, and carries out what waits for
    /// nothing any more. Answers how many were found; there may be more.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn tend(&self, limit: i64) -> sqlx::Result<usize> {
        // Each in its own group: one that fails does not keep the other back.
        let settled = self.settle(limit).await;
        let woken = self.wake(self.wakeable(NEWS, limit).await?).await?;
        Ok(settled? + woken)
    }

    /// Carries out what waits for nothing any more however long ago that began: after a time in
    /// which nobody tended. Answers how many were found; there may be more.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn catch_up(&self, limit: i64) -> sqlx::Result<usize> {
        self.wake(self.wakeable(EVER, limit).await?).await
    }

    /// Carries out what waited for one of these phones; answers how many did.
    async fn wake_phones(&self, phones: &[String], limit: i64) -> sqlx::Result<usize> {
        self.wake(self.wakeable_of(phones, limit).await?).await
    }

    async fn settle(&self, limit: i64) -> sqlx::Result<usize> {
        let settle = self.due(limit).await?;
        let found = settle.len();
        if found > 0 {
            self.work(Work { settle, ..Work::default() }).await?;
        }
        Ok(found)
    }

    async fn wake(&self, retry: Vec<Request>) -> sqlx::Result<usize> {
        let found = retry.len();
        if found > 0 {
            self.work(Work { retry, ..Work::default() }).await?;
        }
        Ok(found)
    }

    async fn work(&self, work: Work) -> sqlx::Result<Vec<Answered>> {
        let Ok(_turn) = self.turn.acquire().await else { return Err(sqlx::Error::PoolClosed) };
        let mut attempt = 1;
        loop {
            match self.try_work(&work).await {
                Err(error) if attempt < ATTEMPTS && is_race(&error) => attempt += 1,
                outcome => return outcome,
            }
        }
    }

    async fn try_work(&self, work: &Work) -> sqlx::Result<Vec<Answered>> {
        let mut transaction = self.pool.begin().await?;
        let (mut desk, now) = load::desk(&mut transaction, work, self.now()).await?;
        let before = desk.books.clone();
        let answers: Vec<Answer> =
            work.ask.iter().map(|request| desk.handle(request, now, self.lapse)).collect();
        for request in &work.retry {
            desk.retry(request, now, self.lapse);
        }
        if !work.settle.is_empty() {
            desk.settle(now, self.lapse);
        }
        save::desk(&mut transaction, &desk, &before).await?;
        if self.tells_onec {
            untold::note(&mut transaction, &desk, now).await?;
        }
        notes::answers(&mut transaction, work.ask.iter().zip(&answers)).await?;
        notes::woken(&mut transaction, &desk.woken).await?;
        transaction.commit().await?;
        Ok(answers.into_iter().map(|answer| answered(&desk, answer, now)).collect())
    }
}

fn answered(desk: &Desk, answer: Answer, at: OffsetDateTime) -> Answered {
    let available = match &answer {
        Answer::Decided(known) | Answer::Repeated(known) => {
            desk.books.get(&known.customer).map(crate::ledger::Book::available)
        }
        Answer::Conflict { .. } | Answer::Parked(_) => None,
    };
    Answered { answer, available, at }
}

/// PostgreSQL cannot be reached.
fn is_away(error: &sqlx::Error) -> bool {
    use sqlx::Error as E;
    matches!(error, E::Io(_) | E::Tls(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed)
}

/// Another replica was first, or both met: looking again helps.
fn is_race(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    matches!(code.as_deref(), Some("23505" | "40001" | "40P01"))
}

/// A row that this version cannot read.
fn unreadable(what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(what.into())
}

/// Rows for `json_to_recordset`.
fn rows<T: serde::Serialize>(rows: &[T]) -> sqlx::Result<String> {
    serde_json::to_string(rows).map_err(|error| sqlx::Error::Encode(error.into()))
}

/// A group's transaction.
type Group = Transaction<'static, Postgres>;

/// As PostgreSQL takes it.
fn interval(duration: Duration) -> sqlx::postgres::types::PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    sqlx::postgres::types::PgInterval { months: 0, days: 0, microseconds }
}
