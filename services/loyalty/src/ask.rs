//! Operations of orders as they are asked for: their names, and what is asked for instead.

use std::{ops::Range, time::Duration};

use events::Order;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    ledger::{Beyond, Key, Kind, Note, Request, What},
    plan::Who,
};

/// Asks for what follows from an order.
pub(crate) struct Asking<'a> {
    pub order: &'a Order,
    pub who: Who,
    pub now: OffsetDateTime,
}

impl Asking<'_> {
    /// The numbers that operations of one kind can have.
    pub(crate) const NUMBERS: Range<u32> = 0..100;

    /// Whose names an order's operations have.
    pub(crate) fn source(&self) -> String {
        source(self.order)
    }

    /// The name of an operation of the order.
    pub(crate) fn key(&self, kind: &str, number: u32) -> Key {
        Key::new(self.source(), format!("{}:{kind}:{number}", name(self.order)))
    }

    /// Whether this is the name of such an operation.
    pub(crate) fn is(&self, kind: &str, key: &Key) -> bool {
        Self::NUMBERS.clone().any(|number| self.key(kind, number) == *key)
    }

    /// Every name that operations of these kinds can have.
    pub(crate) fn names(&self, kinds: &[&str]) -> Vec<String> {
        kinds
            .iter()
            .flat_map(|kind| Self::NUMBERS.map(|number| self.key(kind, number).external_id))
            .collect()
    }

    pub(crate) fn hold(&self, number: u32, points: i64, hold_for: Duration) -> Request {
        let what = What::Hold { amount: points, until: self.now + hold_for };
        self.request("hold", number, what)
    }

    pub(crate) fn request(&self, kind: &str, number: u32, what: What) -> Request {
        let note = Note { order: Some(self.order.key.number.clone()), ..Note::default() };
        Request {
            id: Uuid::now_v7(),
            key: self.key(kind, number),
            what,
            phone: self.who.phone,
            customer: self.who.customer,
            effective_at: self.now,
            note,
        }
    }
}

/// A debit in place of a capture whose hold is gone.
pub(crate) fn spend_instead(capture: &Request) -> Option<Request> {
    let what = What::Debit { amount: capture.what.amount()?, beyond: Beyond::Refuse };
    Some(instead(capture, capture.key.external_id.replace(":capture:", ":spend:"), what))
}

/// A reversal in place of a release whose hold is spent.
pub(crate) fn reverse_instead(release: &Request) -> Option<Request> {
    let what = What::Reversal { of: release.what.of()?.clone(), amount: None };
    Some(instead(release, release.key.external_id.replace(":release:", ":reversal:"), what))
}

/// What takes a hold or a debit back.
pub(crate) fn undo(request: &Request) -> Request {
    let what = What::Release { of: request.key.clone(), amount: None };
    instead(request, format!("undo:{}", request.key.external_id), what)
}

/// What takes back something that an order which is over has no claim to.
pub(crate) fn too_late(request: &Request) -> Option<Request> {
    match request.what.kind() {
        Kind::Hold | Kind::Debit => Some(undo(request)),
        Kind::Capture | Kind::Accrual => Some(undo_spent(request)),
        _ => None,
    }
}

/// Whether this takes back what an order has earned.
pub(crate) fn takes_earned_back(request: &Request) -> bool {
    request.what.of().is_some_and(|of| of.external_id.contains(":accrual:"))
}

/// Whether this is what [`undo`] gives.
pub(crate) fn is_undoing(request: &Request) -> bool {
    request.key.external_id.starts_with("undo:")
}

fn instead(request: &Request, external_id: String, what: What) -> Request {
    let key = Key::new(request.key.source.clone(), external_id);
    Request { id: Uuid::now_v7(), key, what, ..request.clone() }
}

/// A reversal in place of an undoing release whose hold is spent; what takes an accrual back.
pub(crate) fn undo_spent(request: &Request) -> Request {
    let what = What::Reversal { of: request.key.clone(), amount: None };
    instead(request, format!("undo-spent:{}", request.key.external_id), what)
}

/// The order's name.
pub(crate) fn order(order: &Order) -> Key {
    Key::new(source(order), name(order))
}

fn source(order: &Order) -> String {
    format!("shop:{}", order.key.shop)
}

/// The order's name within its source.
fn name(order: &Order) -> String {
    let side = if order.key.site { "site" } else { "portal" };
    format!("{side}-{}", order.key.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_instead_has_a_name_of_its_own() {
        let of = Key::new("shop:acme", "portal-1:hold:0");
        let capture = Request {
            id: Uuid::nil(),
            key: Key::new("shop:acme", "portal-1:capture:0"),
            what: What::Capture { of: of.clone(), amount: Some(5) },
            phone: None,
            customer: Some(1),
            effective_at: OffsetDateTime::UNIX_EPOCH,
            note: Note::default(),
        };
        let debit = spend_instead(&capture).unwrap();
        assert_eq!(debit.key.external_id, "portal-1:spend:0");
        assert_eq!(debit.what.kind(), Kind::Debit);
        let undone = undo(&debit);
        assert_eq!(undone.key.external_id, "undo:portal-1:spend:0");
        assert_eq!(undone.what.of(), Some(&debit.key));
    }
}
