//! The tables. SQL stands here and nowhere else.

mod audit;
mod conditions;
mod keep;
mod letters;
mod notices;
mod overview;
mod people;
mod replays;
mod sign_ins;
mod timeline;

use std::time::Duration;

use sqlx::{PgConnection, PgPool, postgres::types::PgInterval};

pub(crate) use audit::AuditRow;
pub(crate) use conditions::{BACK, Condition};
pub(crate) use letters::{COUNTED, GivenUp, GroupRow, Letter, LetterRow, Note, Passed};
pub(crate) use notices::Notice;
pub(crate) use overview::{Hour, Open, Picture, ServiceRow};
pub(crate) use people::{Changed, UserRow};
pub(crate) use replays::{Batch, Due, ItemRow, ReplayRow, Started, Wish};
pub(crate) use sign_ins::{Admitted, Begun};
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

/// Letters of an event and its service's last word come in one after the other: whichever is later
/// sees the other one.
async fn alone(connection: &mut PgConnection, events: &[String]) -> sqlx::Result<()> {
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || e, 1))
         FROM (SELECT DISTINCT e FROM UNNEST($1::text[]) AS e ORDER BY e) AS sorted",
        events,
    )
    .execute(connection)
    .await
    .map(drop)
}

fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
