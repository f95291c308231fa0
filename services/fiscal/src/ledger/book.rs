//! How an order stands: its entries, folded in the order in which they were made.

use std::collections::{BTreeMap, BTreeSet};

use events::{Money, Quantity};

use super::{Deed, Entry};
use crate::receipt::{Amounts, MoneyKind, Position, Receipt, Sold, Source, Taken};

/// How an order stands by its entries.
#[derive(Debug, Default)]
pub struct Book<'a> {
    /// Prepayments that were neither given back nor given back with the goods.
    pub prepayments: BTreeMap<u64, &'a Receipt>,
    /// Certificates and the like.
    pub covers: BTreeMap<u64, (MoneyKind, Money)>,
    /// The sale, once the goods are handed over, until all of it is refunded.
    pub sale: Option<SaleBook<'a>>,
    /// Money that came in and did not go back; `Credit` is what is owed.
    pub had: Amounts,
    /// Whether some of the goods are closed by their shipments, and others are still to come.
    pub part_closed: bool,
    /// Whether the buyer has goods that were not closed yet.
    pub handed_over: bool,
    /// Shipments that left.
    pub left: BTreeSet<u64>,
    /// Goods that came back and whose money did not.
    pub returned: BTreeMap<u64, Quantity>,
    /// Payments whose money went back, and how many times it did.
    pub cleared: BTreeMap<u64, u32>,
    /// Payments that were paid again, and which time.
    pub again: BTreeSet<(u64, u32)>,
    /// Receipts that the register has not issued yet are among the entries: prepayments only.
    pub pending_prepayments: bool,
    /// The same: others.
    pub pending_others: bool,
}

/// A sale whose goods are with the buyer.
#[derive(Debug)]
pub struct SaleBook<'a> {
    /// Its receipt.
    pub receipt: &'a Receipt,
    /// What is left of each position.
    pub sold: Vec<Sold<'a>>,
    /// Payments that came when the goods were handed over, or later.
    pub payments: BTreeSet<u64>,
}

impl<'a> Book<'a> {
    /// Reads the entries; `None` where sums do not fit, or an entry takes more than there is.
    #[must_use]
    pub fn read(entries: &'a [Entry]) -> Option<Self> {
        let mut book = Self::default();
        for entry in entries {
            if !entry.settled && entry.deed.receipt().is_some() {
                match entry.deed {
                    Deed::Prepayment { .. } => book.pending_prepayments = true,
                    Deed::Free { .. } => {}
                    _ => book.pending_others = true,
                }
            }
            book.add(&entry.deed)?;
        }
        Some(book)
    }

    /// Whether any receipt that others depend on is under way.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        self.pending_prepayments || self.pending_others
    }

    /// Whether this payment has been counted and not given back.
    #[must_use]
    pub fn counts(&self, payment: u64) -> bool {
        self.prepayments.contains_key(&payment)
            || self.covers.contains_key(&payment)
            || self.sale.as_ref().is_some_and(|sale| sale.payments.contains(&payment))
    }

    /// The payments that have been counted and not given back.
    pub fn counted(&self) -> impl Iterator<Item = u64> {
        let later = self.sale.iter().flat_map(|sale| sale.payments.iter());
        self.prepayments.keys().chain(self.covers.keys()).chain(later).copied()
    }

    /// What came before the goods: prepayments and covers by kinds.
    #[must_use]
    pub fn before(&self) -> Option<Amounts> {
        let prepaid = Money::sum(self.prepayments.values().map(|receipt| receipt.total))?;
        let all = Amounts::of(MoneyKind::Prepaid, prepaid);
        self.covers.values().try_fold(all, |all, (kind, sum)| all.with(*kind, *sum))
    }

    /// What was prepaid for each item.
    #[must_use]
    pub fn prepaid_by_item(&self) -> Option<BTreeMap<Source, Money>> {
        let mut items = BTreeMap::new();
        let positions = self.prepayments.values().flat_map(|receipt| &receipt.positions);
        for Position { source, sum, .. } in positions {
            let all: &mut Money = items.entry(*source).or_default();
            *all = all.checked_add(*sum)?;
        }
        Some(items)
    }

    fn add(&mut self, deed: &'a Deed) -> Option<()> {
        match deed {
            Deed::Prepayment { payment, receipt } => {
                self.prepayments.insert(*payment, receipt);
                self.earn(&receipt.amounts)?;
            }
            Deed::Closing { payment, receipt } => self.close(*payment, receipt)?,
            Deed::PartClosing { shipment, last, receipt } => {
                self.left.insert(*shipment);
                self.close_part(*last, receipt);
            }
            Deed::CreditPayment { payment, receipt } => {
                self.sale.as_mut()?.payments.insert(*payment);
                self.spend(&Amounts::of(MoneyKind::Credit, receipt.total))?;
                self.earn(&receipt.amounts)?;
            }
            Deed::PrepaymentRefund { payment, receipt } => {
                self.prepayments.remove(payment)?;
                self.clear(*payment);
                self.spend(&receipt.amounts)?;
            }
            Deed::Refund { receipt, taken, goods, payment } => {
                self.refund(receipt, taken, *goods, *payment)?;
            }
            Deed::Free { .. } => {}
            note => self.note(note),
        }
        Some(())
    }

    fn note(&mut self, note: &Deed) {
        match note {
            Deed::Cover { payment, kind, sum } => {
                self.covers.insert(*payment, (*kind, *sum));
            }
            Deed::Uncover { payment } => {
                self.covers.remove(payment);
                self.clear(*payment);
            }
            Deed::Left { shipment, lines } => {
                self.left.insert(*shipment);
                if self.sale.is_none() {
                    self.returned = less(&self.returned, lines);
                }
            }
            Deed::HandedOver => {
                self.handed_over = true;
                self.returned.clear();
            }
            Deed::Returned { lines } => {
                for (line, quantity) in lines {
                    let all = self.returned.entry(*line).or_insert(Quantity::ZERO);
                    *all = all.checked_add(*quantity).unwrap_or(*all);
                }
                if self.sale.is_none() {
                    self.handed_over = false;
                    self.left.clear();
                }
            }
            Deed::PaidAgain { payment, occurrence } => {
                self.again.insert((*payment, *occurrence));
            }
            _ => {}
        }
    }

    fn close(&mut self, payment: Option<u64>, receipt: &'a Receipt) -> Option<()> {
        let prepaid = Money::sum(self.prepayments.values().map(|receipt| receipt.total))?;
        // What was prepaid is there already, as the money that it was.
        let new = receipt.amounts.clone().minus(&Amounts::of(MoneyKind::Prepaid, prepaid))?;
        self.earn(&new)?;
        let sold = receipt.positions.iter();
        let sold =
            sold.map(|position| Sold { position, left: position.quantity, worth: position.sum });
        let payments = payment.into_iter().chain(self.prepayments.keys().copied());
        let payments: BTreeSet<u64> = payments.chain(self.covers.keys().copied()).collect();
        self.prepayments.clear();
        self.covers.clear();
        self.sale = Some(SaleBook { receipt, sold: sold.collect(), payments });
        self.returned.clear();
        Some(())
    }

    /// Only what is prepaid in whole is closed in parts: no money comes with it.
    fn close_part(&mut self, last: bool, receipt: &'a Receipt) {
        let empty = || SaleBook { receipt, sold: Vec::new(), payments: BTreeSet::new() };
        let sale = self.sale.get_or_insert_with(empty);
        let sold = receipt.positions.iter();
        sale.sold.extend(sold.map(|position| Sold {
            position,
            left: position.quantity,
            worth: position.sum,
        }));
        self.part_closed = !last;
        if last {
            sale.payments.extend(self.prepayments.keys());
            self.prepayments.clear();
            self.returned.clear();
        }
    }

    fn refund(
        &mut self,
        receipt: &Receipt,
        taken: &[Taken],
        goods: bool,
        payment: Option<u64>,
    ) -> Option<()> {
        let sale = self.sale.as_mut()?;
        for Taken { place, quantity, sum } in taken {
            let sold = sale.sold.get_mut(*place)?;
            sold.left = sold.left.checked_sub(*quantity)?;
            sold.worth = sold.worth.checked_sub(*sum).filter(|worth| !worth.is_negative())?;
            if let Source::Line(line) = sold.position.source
                && let Some(open) = self.returned.get_mut(&line)
            {
                *open = open.checked_sub(*quantity).unwrap_or(Quantity::ZERO);
            }
        }
        self.returned.retain(|_, quantity| !quantity.is_zero());
        let over = sale.sold.iter().all(|sold| sold.left.is_zero());
        self.spend(&receipt.amounts)?;
        if over {
            let sale = self.sale.take()?;
            sale.payments.into_iter().for_each(|payment| self.clear(payment));
            self.handed_over = !goods;
        } else if let Some(payment) = payment {
            self.sale.as_mut()?.payments.remove(&payment);
            self.clear(payment);
        }
        Some(())
    }

    fn clear(&mut self, payment: u64) {
        let times = self.cleared.entry(payment).or_default();
        *times = times.saturating_add(1);
    }

    fn earn(&mut self, amounts: &Amounts) -> Option<()> {
        self.had = std::mem::take(&mut self.had).plus(amounts)?;
        Some(())
    }

    fn spend(&mut self, amounts: &Amounts) -> Option<()> {
        self.had = std::mem::take(&mut self.had).minus(amounts)?;
        Some(())
    }
}

/// What is still back once `lines` have left again.
#[must_use]
pub fn less(
    returned: &BTreeMap<u64, Quantity>,
    lines: &[(u64, Quantity)],
) -> BTreeMap<u64, Quantity> {
    let mut still = returned.clone();
    for (line, quantity) in lines {
        if let Some(open) = still.get_mut(line) {
            *open = open.checked_sub(*quantity).unwrap_or(Quantity::ZERO);
        }
    }
    still.retain(|_, quantity| !quantity.is_zero());
    still
}
