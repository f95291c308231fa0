//! Goods that left and came back.

use std::collections::BTreeMap;

use events::{MarkCode, Money, Quantity};

use super::{Case, EARLIER, Plan, REFUND};
use crate::{
    ledger::{Deed, SaleBook, less},
    receipt::{
        BookFault, ClosesOn, Flow, MoneyKind, RefundsOn, Refusal, Settlement, Source, SumFault,
        Wanted, closing, part_closing,
    },
};

impl Case<'_> {
    /// A shipment left. The order's last one closes the sale: by then all goods are out.
    pub(super) fn shipped(&self, shipment: u64) -> Result<Plan, Refusal> {
        let shipments = &self.order.shipments;
        let lines = shipments.iter().find(|other| other.id == shipment);
        let lines = lines.map(|shipment| shipment.items.clone()).unwrap_or_default();
        let out = |id: u64| id == shipment || self.book.left.contains(&id);
        let waits = shipments.iter().any(|s| !s.items.is_empty() && !s.deducted && !out(s.id))
            || !less(&self.book.returned, &lines).is_empty();
        let each = self.closes_on() == Some(ClosesOn::EachShipment);
        if each && !lines.is_empty() && (waits || self.book.part_closed) {
            return self.shipped_in_part(shipment, &lines, !waits);
        }
        let closes = each || self.closes_on() == Some(ClosesOn::Shipped);
        if !closes || waits || self.book.sale.is_some() {
            return Ok(Plan::Note(Deed::Left { shipment, lines }));
        }
        self.handed_over()
    }

    /// A shipment that is not the only one left: it closes its own lines, where all is prepaid in
    /// money. Otherwise they are closed with the last one.
    fn shipped_in_part(
        &self,
        shipment: u64,
        lines: &[(u64, Quantity)],
        last: bool,
    ) -> Result<Plan, Refusal> {
        if self.book.left.contains(&shipment)
            || (self.book.sale.is_some() && !self.book.part_closed)
        {
            return Ok(Plan::Note(Deed::Left { shipment, lines: lines.to_vec() }));
        }
        if self.misses_a_payment() {
            return Ok(Plan::Wait("the receipt of a payment that came before"));
        }
        if self.book.is_pending() {
            return Ok(EARLIER);
        }
        if self.misses_a_refund() {
            return Ok(REFUND);
        }
        let sale = self.sale()?;
        let prepaid = self.book.before().and_then(|before| before.total());
        let whole = prepaid == Some(sale.due) && self.book.covers.is_empty();
        if !self.book.returned.is_empty() || (!whole && self.book.part_closed) {
            return Err(BookFault::PartlyClosed.into());
        }
        if !whole {
            return Ok(Plan::Note(Deed::Left { shipment, lines: lines.to_vec() }));
        }
        let closed = self.book.sale.as_ref().map(closed_so_far).unwrap_or_default();
        let now = (!last).then(|| lines.iter().copied().collect());
        let receipt = part_closing(sale, now.as_ref(), &closed)?;
        Ok(Plan::Issue(Deed::PartClosing { shipment, last, receipt }))
    }

    /// The order is completed.
    pub(super) fn completed(&self) -> Result<Plan, Refusal> {
        if self.closes_on() != Some(ClosesOn::Completed) {
            return Ok(Plan::Nothing("the shop closes orders by another fact"));
        }
        if self.book.sale.is_none() {
            self.not_returned()?;
        }
        self.handed_over()
    }

    /// The buyer has all the goods.
    fn handed_over(&self) -> Result<Plan, Refusal> {
        if self.book.sale.is_some() {
            return Ok(Plan::Nothing("the order is closed already"));
        }
        if self.misses_a_payment() {
            return Ok(Plan::Wait("the receipt of a payment that came before"));
        }
        if self.book.is_pending() {
            return Ok(EARLIER);
        }
        if self.misses_a_refund() {
            return Ok(REFUND);
        }
        let sale = self.sale()?;
        let before = self.book.before().ok_or(SumFault::TooLarge)?;
        let received = before.total().ok_or(SumFault::TooLarge)?;
        let owed = sale.due.checked_sub(received).ok_or(SumFault::TooLarge)?;
        if owed.is_negative() {
            return Err(BookFault::Overpaid { paid: received, left: sale.due }.into());
        }
        if sale.due.is_zero() {
            return Ok(Plan::Nothing("the order costs nothing beside points"));
        }
        let settlement = match (owed.is_zero(), received.is_zero()) {
            (true, _) => Settlement::FullPayment,
            (_, true) => Settlement::Credit,
            (_, false) => Settlement::PartialPayment,
        };
        if !owed.is_zero() && self.rules.settlement != Flow::Credit {
            return Ok(Plan::Note(Deed::HandedOver));
        }
        let amounts = before.with(MoneyKind::Credit, owed).ok_or(SumFault::TooLarge)?;
        let receipt = closing(sale, settlement, amounts)?;
        Ok(Plan::Issue(Deed::Closing { payment: None, receipt }))
    }

    /// Goods came back.
    pub(super) fn returned(&self, lines: &BTreeMap<u64, Quantity>) -> Result<Plan, Refusal> {
        if self.book.part_closed {
            return Err(BookFault::PartlyClosed.into());
        }
        let note = || {
            let lines = lines.iter().map(|(line, quantity)| (*line, *quantity)).collect();
            Plan::Note(Deed::Returned { lines })
        };
        if self.book.is_pending() {
            return Ok(EARLIER);
        }
        let Some(sale) = &self.book.sale else {
            if !self.book.cleared.is_empty() && self.held()?.is_zero() {
                return Ok(note());
            }
            let left = self.book.handed_over || !self.book.left.is_empty();
            let by_shipment = [Some(ClosesOn::Shipped), Some(ClosesOn::EachShipment)];
            let early = by_shipment.contains(&self.closes_on()) && !left;
            return Ok(if early || self.misses_a_payment() {
                Plan::Wait("the receipt of the goods that came back")
            } else {
                note()
            });
        };
        if self.rules.refunds_on == RefundsOn::Refunded {
            return Ok(note());
        }
        let quantities: BTreeMap<Source, Quantity> =
            lines.iter().map(|(line, quantity)| (Source::Line(*line), *quantity)).collect();
        self.refund(sale, &Wanted::Some { quantities, codes: self.codes_back(sale) }, None, true)
    }

    /// Codes of the sale that the order does not show any more: these pieces came back.
    fn codes_back(&self, sale: &SaleBook<'_>) -> Vec<MarkCode> {
        let shown: Vec<&MarkCode> = self.order.lines.iter().flat_map(|line| &line.marks).collect();
        let sold = sale.sold.iter().filter(|sold| !sold.left.is_zero());
        let codes = sold.filter_map(|sold| sold.position.mark.as_ref());
        codes.filter(|code| !shown.contains(code)).cloned().collect()
    }

    /// Lines whose goods came back and whose money did not yet.
    pub(super) fn returned_quantities(&self) -> BTreeMap<Source, Quantity> {
        let lines = self.book.returned.iter();
        lines.map(|(line, quantity)| (Source::Line(*line), *quantity)).collect()
    }

    /// Whether all goods of the sale are back.
    pub(super) fn all_returned(&self, sale: &SaleBook<'_>) -> bool {
        let mut back = self.book.returned.clone();
        sale.sold.iter().all(|sold| {
            let Source::Line(line) = sold.position.source else { return true };
            let open = back.entry(line).or_insert(Quantity::ZERO);
            let Some(rest) = open.checked_sub(sold.left) else { return false };
            *open = rest;
            true
        })
    }

    /// What covers and prepayments have paid of each item; covers lie on all alike.
    pub(super) fn cover_by_item(&self) -> Result<BTreeMap<Source, Money>, Refusal> {
        let mut items = self.book.prepaid_by_item().ok_or(SumFault::TooLarge)?;
        let covers = Money::sum(self.book.covers.values().map(|(_, sum)| *sum));
        let covers = covers.ok_or(SumFault::TooLarge)?;
        if !covers.is_zero() {
            let all: &mut Money = items.entry(Source::Order).or_default();
            *all = all.checked_add(covers).ok_or(SumFault::TooLarge)?;
        }
        Ok(items)
    }

    /// Goods that came back before they were handed over for good are for a person.
    pub(super) fn not_returned(&self) -> Result<(), Refusal> {
        if self.book.returned.is_empty() { Ok(()) } else { Err(BookFault::ReturnedBefore.into()) }
    }

    fn closes_on(&self) -> Option<ClosesOn> {
        self.rules.closes_on.filter(|_| self.rules.settlement != Flow::FullPayment)
    }
}

/// What of each item is closed, and for how much.
fn closed_so_far(sale: &SaleBook<'_>) -> BTreeMap<Source, (Quantity, Money)> {
    let mut closed: BTreeMap<Source, (Quantity, Money)> = BTreeMap::new();
    for sold in &sale.sold {
        let (quantity, sum) =
            closed.entry(sold.position.source).or_insert((Quantity::ZERO, Money::ZERO));
        *quantity = quantity.checked_add(sold.position.quantity).unwrap_or(*quantity);
        *sum = sum.checked_add(sold.position.sum).unwrap_or(*sum);
    }
    closed
}
