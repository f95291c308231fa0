//! The goods' part of the difference: what left, and what came back.
//!
//! Goods leave with a shipment (`DEDUCTED`, or a status that says so) and come back when the
//! shipment is undone or holds less than before, or when the order's status says that all came
//! back. Undoing a shipment by mistake is a return too: for a register that has let the goods go,
//! it is one.

use std::collections::BTreeMap;

use bitrix::shops::Meaning;
use events::{Fact, Quantity, ReturnFact, ReturnedLine, Shipment, ShipmentFact};

use super::{Diff, ShipmentEntry};

/// Quantities by basket item id.
type Lines = BTreeMap<u64, Quantity>;

impl Diff<'_> {
    pub(super) fn shipments(&mut self) {
        let mut back = self.vanished();
        let order = self.order;
        let left: Vec<&Shipment> =
            order.shipments.iter().filter(|shipment| self.settle(shipment, &mut back)).collect();
        self.give_back(&back, true);
        let mut told = false;
        for shipment in left {
            told |= self.ship(shipment);
        }
        let returned = self.rules.meaning == Meaning::Returned;
        if returned && !self.ledger.returned.now {
            self.return_all(told);
        }
        self.ledger.returned.now = returned;
    }

    /// What was in shipments that are not in the order any more.
    fn vanished(&mut self) -> Lines {
        let mut back = Lines::new();
        for (id, entry) in &mut self.ledger.shipments {
            let there = self.order.shipments.iter().any(|shipment| shipment.id == *id);
            if !there && entry.gone {
                add(&mut back, &std::mem::take(&mut entry.out));
                *entry = ShipmentEntry { times: entry.times, ..ShipmentEntry::default() };
            }
        }
        back
    }

    /// Settles what came back of one shipment; true when it has just left.
    fn settle(&mut self, shipment: &Shipment, back: &mut Lines) -> bool {
        let over = self.order.canceled || self.rules.meaning == Meaning::Cancelled;
        let by_status = self.rules.meaning == Meaning::Shipped;
        let still_returned = self.ledger.returned.now && self.rules.meaning == Meaning::Returned;
        let entry = self.ledger.shipments.entry(shipment.id).or_default();
        let by_status = (by_status || entry.by_status) && !over;
        let before = std::mem::replace(&mut entry.left, shipment.deducted || by_status);
        entry.by_status = by_status && !shipment.deducted;
        if !entry.left {
            entry.gone = false;
            add(back, &std::mem::take(&mut entry.out));
            return false;
        }
        let items = items(shipment);
        if !entry.gone {
            if still_returned && before {
                return false;
            }
            entry.gone = true;
            entry.out = items;
            return true;
        }
        let Some(less) = taken_off(&entry.out, &items) else {
            // More of something: the shipment came back and left anew between two looks.
            add(back, &std::mem::replace(&mut entry.out, items));
            return true;
        };
        add(back, &less);
        entry.out = items;
        false
    }

    fn ship(&mut self, shipment: &Shipment) -> bool {
        let Some(entry) = self.ledger.shipments.get_mut(&shipment.id) else { return false };
        entry.times += 1;
        let occurrence = entry.times;
        let live = self.live(shipment.deducted_at);
        if live {
            let order = self.order.clone();
            let fact = ShipmentFact { order, shipment: shipment.id, occurrence };
            let at = shipment.deducted_at.unwrap_or(self.order.updated_at);
            self.tell(Fact::OrderShipped(Box::new(fact)), at);
        }
        live
    }

    /// The status says that all goods are back: those that left, or, in a shop that does not work
    /// with shipments, all that were sold.
    fn return_all(&mut self, told: bool) {
        let mut back = Lines::new();
        for entry in self.ledger.shipments.values_mut() {
            add(&mut back, &std::mem::take(&mut entry.out));
            entry.gone = false;
            entry.by_status = false;
        }
        if self.ledger.shipments.values().all(|entry| entry.times == 0) {
            back = self.order.lines.iter().map(|line| (line.id, line.quantity)).collect();
        }
        self.give_back(&back, told || self.live(None));
    }

    fn give_back(&mut self, back: &Lines, live: bool) {
        let lines: Vec<ReturnedLine> = back
            .iter()
            .filter(|(_, quantity)| !quantity.is_zero())
            .map(|(line, quantity)| ReturnedLine { line: *line, quantity: *quantity })
            .collect();
        if lines.is_empty() {
            return;
        }
        self.ledger.returned.times += 1;
        let occurrence = self.ledger.returned.times;
        if live {
            let fact = ReturnFact { order: self.order.clone(), lines, occurrence };
            self.tell(Fact::OrderReturned(Box::new(fact)), self.order.updated_at);
        }
    }
}

fn items(shipment: &Shipment) -> Lines {
    shipment.items.iter().copied().collect()
}

/// A sum beyond what a quantity can be is beyond what any shop can sell; it stays at what it was.
fn add(to: &mut Lines, lines: &Lines) {
    for (line, quantity) in lines {
        let whole = to.entry(*line).or_insert(Quantity::ZERO);
        *whole = whole.checked_add(*quantity).unwrap_or(*whole);
    }
}

/// What is in `before` and not in `after`; `None` when `after` has more of anything.
fn taken_off(before: &Lines, after: &Lines) -> Option<Lines> {
    if after.keys().any(|line| !before.contains_key(line)) {
        return None;
    }
    before
        .iter()
        .map(|(line, quantity)| {
            let left = after.get(line).copied().unwrap_or(Quantity::ZERO);
            Some((*line, quantity.checked_sub(left)?))
        })
        .collect()
}
