//! The tables of this service: documents with their history, tickets, bottles, stock, turns.

mod bottles;
mod compared;
mod documents;
mod rests;
mod tickets;
mod turns;
mod waybills;

use events::OrderRef;
use sqlx::{PgPool, PgTransaction};

pub use bottles::{Bottle, BottleStatus, Taken, Used};
pub use compared::{Lasting, Stock};
pub use documents::{DocumentView, Move, Note};
pub use rests::{CatalogueRow, Difference, Run};
pub use tickets::Outcome;
pub use turns::{Round, Rounds, Task, Turn};
pub use waybills::{FormAsked, Known};

/// The tables. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
}

impl Store {
    /// The tables in this database; the pool's search path names the schema.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The database.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// A transaction in which nobody else changes the bottles of this order.
    async fn begin(&self, book: &str) -> sqlx::Result<PgTransaction<'static>> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' ' || $1, 0))",
            book
        )
        .execute(&mut *transaction)
        .await?;
        Ok(transaction)
    }
}

/// A shop's portal and its site number their orders each for themselves.
#[must_use]
pub fn book(order: &OrderRef) -> String {
    let keeper = if order.site { "site" } else { "portal" };
    format!("{} {keeper} {}", order.shop, order.id)
}
