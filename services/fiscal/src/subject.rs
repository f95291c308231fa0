//! What a receipt is about: how sentences name it, and where it is entered.

use events::{Event, Fact, OrderRef, ShopId};

use crate::asked::Asked;

/// What a receipt is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Whose receipt it is.
    pub shop: ShopId,
    /// The order, where one is known.
    pub order: Option<OrderRef>,
    /// The ledger into which it is entered.
    pub book: String,
    /// What follows "чек" in a sentence: `по заказу № A-1001`.
    pub ru: String,
    /// What follows "the receipt" in a sentence: `for order A-1001`.
    pub en: String,
}

impl Subject {
    /// An order.
    #[must_use]
    pub fn order(order: &OrderRef) -> Self {
        let OrderRef { shop, id, number, site } = order;
        // A shop's portal and its site number their orders each for themselves.
        let keeper = if *site { "site" } else { "portal" };
        Self {
            shop: shop.clone(),
            order: Some(order.clone()),
            book: format!("{shop} {keeper} {id}"),
            ru: format!("по заказу № {number}"),
            en: format!("for order {number}"),
        }
    }

    /// A paper, where no order is known.
    #[must_use]
    pub fn document(shop: &ShopId, document: &str) -> Self {
        Self {
            shop: shop.clone(),
            order: None,
            book: String::new(),
            ru: format!("по документу № {document}"),
            en: format!("for document {document}"),
        }
    }

    /// A receipt that Bitrix composed.
    #[must_use]
    pub fn check(shop: &ShopId, number: &str) -> Self {
        Self {
            shop: shop.clone(),
            order: None,
            book: String::new(),
            ru: format!("Битрикса № {number}"),
            en: format!("of Bitrix with number {number}"),
        }
    }

    /// What an event asks a receipt for; `None` for an event that is about no shop.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        if let Some(order) = event.order() {
            return Some(Self::order(order));
        }
        let Fact::ReceiptAsked(asked) = &event.fact else { return None };
        let (ru, en) = match Asked::read(&asked.body) {
            Some(Asked::Check { check, .. }) => {
                return Some(Self {
                    book: format!("{} asked {}", asked.shop, asked.name),
                    ..Self::check(&asked.shop, &check.to_string())
                });
            }
            Some(Asked::Correction { receipt }) => {
                let document = receipt.correction.map(|c| c.document).unwrap_or_default();
                (format!("по документу № {document}"), format!("for document {document}"))
            }
            _ => (format!("«{}»", asked.name), format!("\"{}\"", asked.name)),
        };
        let book = format!("{} asked {}", asked.shop, asked.name);
        Some(Self { shop: asked.shop.clone(), order: None, book, ru, en })
    }
}
