//! The service's tables.

mod documents;
mod feed;
mod history;
mod partners;
mod taken_back;

use events::OrderRef;
use sqlx::PgPool;

pub(crate) use documents::Counts;
pub use documents::{Kept, State, Written};
pub(crate) use feed::Place;
pub use partners::PartnerBox;
pub(crate) use taken_back::{Standing, TakenBack};

/// PostgreSQL, as the service uses it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
}

impl Store {
    pub(crate) const fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

/// How documents name an order. A portal and a site number theirs each for themselves.
fn book(order: &OrderRef) -> String {
    let site = if order.site { " site" } else { "" };
    format!("{} {}{site}", order.shop, order.id)
}
