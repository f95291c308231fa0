//! The tables. SQL stands here and nowhere else.

mod audit;
mod keep;
mod letters;
mod notices;
mod overview;
mod people;
mod replays;
mod timeline;

use std::time::Duration;

use sqlx::{PgPool, postgres::types::PgInterval};

pub(crate) use audit::AuditRow;
pub(crate) use letters::{GroupRow, Letter, LetterRow, Note};
pub(crate) use notices::Notice;
pub(crate) use overview::{Hour, ServiceRow};
pub(crate) use replays::{Batch, Due, ReplayRow, Started, Wish};
pub(crate) use timeline::{EntryRow, OrderFound, Search};

/// The service's tables. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pool: PgPool,
}

impl Store {
    pub(crate) fn new(pool: &PgPool) -> Self {
        Self { pool: pool.clone() }
    }
}

fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
