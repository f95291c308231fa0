//! The names of a receipt: made of what happened, never of the clock, so that a repeated
//! attempt bears the same ones.

use events::Fact;
use uuid::Uuid;

/// The longest `InvoiceId` that we make.
pub const MAX_CHARS: usize = 128;

/// What the names of our receipts say they are for.
const WORDS: [&str; 7] = ["sell", "close", "refund", "return", "hand", "correct", "check"];

/// Our name for the receipt that follows from a fact, `InvoiceId` at the register:
/// `{shop}:{order}:{part}:{word}:{occurrence}:{revision}`. `None` for facts without receipts.
///
/// The part is the payment's id, `s` and the shipment's id, or 0 for the whole order. Orders
/// kept by the site module say `site-` before the order's id: a shop's portal and its site count
/// their orders each for themselves. What is asked for by name says so itself: `correct`, `hand` or
/// `check`, and a digest of its paper as the part. The revision counts the receipts that the register refused
/// for good, from 1.
#[must_use]
pub fn invoice_id(fact: &Fact, revision: u32) -> Option<String> {
    if let Fact::ReceiptAsked(asked) = fact {
        return Some(format!("{}:{}:{revision}", asked.shop, asked.name));
    }
    let order = fact.order()?;
    let (part, word, occurrence) = match fact {
        Fact::OrderPaid(fact) => (fact.payment.to_string(), "sell", fact.occurrence),
        Fact::OrderShipped(fact) => (format!("s{}", fact.shipment), "close", fact.occurrence),
        Fact::OrderCompleted(fact) => ("0".to_owned(), "close", fact.occurrence),
        Fact::PaymentRefunded(fact) => (fact.payment.to_string(), "refund", fact.occurrence),
        Fact::OrderReturned(fact) => ("0".to_owned(), "return", fact.occurrence),
        _ => return None,
    };
    let keeper = if order.site { "site-" } else { "" };
    Some(format!("{}:{keeper}{}:{part}:{word}:{occurrence}:{revision}", order.shop, order.id))
}

/// The idempotency key of the request that registers this receipt, `X-Request-ID`: a UUIDv5 of
/// its `InvoiceId`.
#[must_use]
pub fn request_id(invoice_id: &str) -> Uuid {
    let namespace = Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"fiscal.parom.ru");
    Uuid::new_v5(&namespace, invoice_id.as_bytes())
}

/// The shop in an `InvoiceId` of ours; `None` for one that is not of ours.
#[must_use]
pub fn shop_of(invoice_id: &str) -> Option<&str> {
    let mut words = invoice_id.split(':');
    let shop = words.next()?;
    let ours = WORDS.contains(&words.nth(2)?) && words.count() == 2;
    ours.then_some(shop)
}
