//! Which of two snapshots of one order is newer, and whether they say the same.

use std::cmp::Ordering;

use events::{MarksBy, Order, PaymentState};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

/// SHA-256 of what an order says.
pub type Hash = [u8; 32];

/// How a snapshot relates to the one that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// It says what is known already.
    Same,
    /// It is of an earlier time.
    Older,
    /// It is of a later time.
    Newer,
    /// It says something else, and nothing in it tells which came first.
    Unclear,
}

/// When a snapshot was true, by the shop's own counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Bitrix's save counter. It stands still when only fields beside the order's own are
    /// written directly, so it does not tell everything.
    pub version: Option<u64>,
    /// When the order was last saved, to the second.
    pub updated_at: OffsetDateTime,
    /// The site module's outbox number.
    pub sequence: Option<u64>,
    /// What it says.
    pub hash: Hash,
}

impl Stamp {
    /// The stamp of a snapshot.
    #[must_use]
    pub fn of(order: &Order, sequence: Option<u64>) -> Self {
        Self { version: order.version, updated_at: order.updated_at, sequence, hash: hash(order) }
    }

    /// How this snapshot relates to the `stored` one. A version alone that went up, with nothing
    /// else changed, is newer as well: later snapshots are measured by it.
    #[must_use]
    pub fn against(&self, stored: &Self) -> Age {
        let by_version = both(self.version, stored.version);
        let by_sequence = both(self.sequence, stored.sequence);
        let order = by_version.then(self.updated_at.cmp(&stored.updated_at)).then(by_sequence);
        match order {
            Ordering::Less => Age::Older,
            Ordering::Greater => Age::Newer,
            Ordering::Equal if self.hash == stored.hash => Age::Same,
            Ordering::Equal => Age::Unclear,
        }
    }
}

/// Says nothing where one of the two does not tell it.
fn both(left: Option<u64>, right: Option<u64>) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => Ordering::Equal,
    }
}

/// Whether somebody changed the order itself: not only what facts tell of it (status, payments that
/// came in, shipments that left), nor what Parom writes.
#[must_use]
pub fn is_changed(last: &Order, now: &Order) -> bool {
    let still = |order: &Order| {
        let mut order = order.clone();
        order.status.clear();
        order.canceled = false;
        for payment in &mut order.payments {
            (payment.state, payment.paid_at) = (PaymentState::Open, None);
        }
        for shipment in &mut order.shipments {
            (shipment.deducted, shipment.deducted_at) = (false, None);
        }
        hash(&order)
    };
    still(last) != still(now)
}

/// The hash of what an order says: without the counters, without the properties that Parom itself
/// writes, and whatever order its parts come in.
#[must_use]
pub fn hash(order: &Order) -> Hash {
    let mut plain = order.clone();
    plain.version = None;
    plain.updated_at = OffsetDateTime::UNIX_EPOCH;
    plain.marks_by = MarksBy::default();
    plain.properties.retain(|code, _| !bitrix::order::is_own_property(code));
    plain.lines.sort_by_key(|line| line.id);
    plain.payments.sort_by_key(|payment| payment.id);
    plain.shipments.sort_by_key(|shipment| shipment.id);
    // An order always has a JSON form; were it otherwise, nothing would ever be taken as the same.
    let text = serde_json::to_vec(&plain).unwrap_or_else(|_| format!("{order:?}").into_bytes());
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests;
