//! What a document says, and of which order that was read: to tell whether a document would be the same again.

use events::Order;
use sha2::{Digest as _, Sha256};
use time::{PrimitiveDateTime, Time};
use uuid::Uuid;

use crate::upd::{FileId, Upd};

/// What a document says, as a digest: without its own name, its time and its place among the corrections.
#[must_use]
pub fn says(upd: &Upd) -> String {
    let file =
        FileId { receiver: String::new(), guid: Uuid::nil(), date: upd.date, ..upd.file.clone() };
    let made_at = PrimitiveDateTime::new(upd.date, Time::MIDNIGHT);
    let plain = Upd { file, made_at, correction: None, ..upd.clone() };
    let mut tree = plain.file.format.write(&plain);
    // Another version of ours says the same.
    tree.attributes.retain(|(name, _)| name != "ВерсПрог");
    let digest: [u8; 32] = Sha256::digest(tree.windows_1251()).into();
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Which save of an order it is.
#[must_use]
pub fn stamp(order: &Order) -> String {
    let version = order.version.map_or_else(|| "-".to_owned(), |version| version.to_string());
    format!("{version} {}", order.updated_at.unix_timestamp_nanos())
}
