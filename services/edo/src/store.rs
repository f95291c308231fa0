//! The service's tables.

mod documents;
mod feed;
mod history;
mod partners;
mod taken_back;

use events::OrderRef;
use sqlx::PgPool;

pub(crate) use documents::Counts;
pub(crate) use documents::Settled;
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

/// The order that is named so.
fn order_of(book: &str, number: String) -> Option<OrderRef> {
    let mut words = book.split(' ');
    let (shop, id) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some(OrderRef { shop, id, number, site: words.next() == Some("site") })
}

/// How documents name an order. A portal and a site number theirs each for themselves.
fn book(order: &OrderRef) -> String {
    let site = if order.site { " site" } else { "" };
    format!("{} {}{site}", order.shop, order.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_found_by_its_name() {
        for site in [false, true] {
            let number = "A-7".to_owned();
            let order = OrderRef { shop: "acme".parse().unwrap(), id: 7, number, site };
            assert_eq!(order_of(&book(&order), "A-7".to_owned()), Some(order));
        }
        assert_eq!(order_of("acme", String::new()), None);
    }
}
