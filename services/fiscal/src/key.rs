//! The names of a receipt: made of what happened, never of the clock, so that a repeated
//! attempt bears the same ones.

use events::PaymentFact;
use uuid::Uuid;

/// The longest `InvoiceId` that we make.
pub const MAX_CHARS: usize = 128;

/// Our name for one receipt of a sale, `InvoiceId` at the register:
/// `{shop}:{order}:{payment}:sell:{occurrence}:{revision}`.
///
/// Orders kept by the site module say `site-` before the order's id: a shop's portal and its
/// site count their orders each for themselves. The revision counts the receipts that the
/// register refused for good, from 1.
#[must_use]
pub fn invoice_id(paid: &PaymentFact, revision: u32) -> String {
    let order = &paid.order.key;
    let keeper = if order.site { "site-" } else { "" };
    format!(
        "{}:{keeper}{}:{}:sell:{}:{revision}",
        order.shop, order.id, paid.payment, paid.occurrence
    )
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
    let ours = words.nth(2)? == "sell" && words.count() == 2;
    ours.then_some(shop)
}
