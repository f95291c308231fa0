//! Receipts of money that goes back: what was sold, at the rates it was sold at, never more of it.

use std::collections::BTreeMap;

use events::{MarkCode, Money, Quantity};

use super::{
    Amounts, BookFault, Kind, MoneyKind, Position, Receipt, Refusal, Source, SumFault, split,
};

/// A position of a sale, and what of it was not given back yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sold<'a> {
    /// As it was sold.
    pub position: &'a Position,
    /// How much of it the buyer still has.
    pub left: Quantity,
    /// What that cost.
    pub worth: Money,
}

/// What is to be given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Whatever is left.
    All,
    /// So much of these; of marked goods these codes, where they are known.
    Some {
        /// Quantities by line, or of the delivery.
        quantities: BTreeMap<Source, Quantity>,
        /// Codes of pieces that came back.
        codes: Vec<MarkCode>,
    },
}

/// What a refund takes of one position of the sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Taken {
    /// The position's place in the sale's receipt.
    pub place: usize,
    /// How much of it.
    pub quantity: Quantity,
    /// What it cost.
    pub sum: Money,
}

/// A refund before it is paid back: positions and what they take of the sale.
#[derive(Debug)]
pub(crate) struct Refund {
    pub(crate) positions: Vec<Position>,
    pub(crate) taken: Vec<Taken>,
    pub(crate) total: Money,
}

/// Takes what is wanted off what was sold.
///
/// What is left keeps the sum of its price times its quantity, so that the parts of a weighed
/// line, each rounded, never make more than the whole.
pub(crate) fn take(sold: &[Sold<'_>], wanted: &Wanted) -> Result<Refund, Refusal> {
    let amounts = match wanted {
        Wanted::All => sold.iter().map(|sold| sold.left).collect(),
        Wanted::Some { quantities, codes } => shares(sold, quantities, codes)?,
    };
    let mut refund = Refund { positions: Vec::new(), taken: Vec::new(), total: Money::ZERO };
    for (place, (sold, quantity)) in sold.iter().zip(amounts).enumerate() {
        if !quantity.is_zero() {
            refund.add(place, sold, quantity).ok_or(SumFault::TooLarge)?;
        }
    }
    Ok(refund)
}

/// By what the buyer gets `total` back: first what is owed is forgiven, then `first`, then money,
/// then what was never money.
pub(crate) fn pay_back(
    had: &Amounts,
    total: Money,
    first: Option<MoneyKind>,
) -> Result<Amounts, Refusal> {
    use MoneyKind::{Cash, Credit, Electronic, Prepaid, Provision};
    let order = [Some(Credit), first, Some(Electronic), Some(Cash), Some(Provision), Some(Prepaid)];
    let (mut back, mut left) = (Amounts::default(), total);
    for kind in order.into_iter().flatten() {
        let there = had.get(kind).checked_sub(back.get(kind)).ok_or(SumFault::TooLarge)?;
        let part = left.min(there);
        back = back.with(kind, part).ok_or(SumFault::TooLarge)?;
        left = left.checked_sub(part).ok_or(SumFault::TooLarge)?;
    }
    if left.is_zero() { Ok(back) } else { Err(BookFault::MoreThanPaid { total }.into()) }
}

impl Refund {
    /// The receipt of this refund; everything that is not said here is as in the sale.
    pub(crate) fn receipt(&self, sale: &Receipt, amounts: Amounts) -> Receipt {
        Receipt {
            kind: Kind::Refund,
            positions: self.positions.clone(),
            total: self.total,
            amounts,
            correction: None,
            ..sale.clone()
        }
    }

    fn add(&mut self, place: usize, sold: &Sold<'_>, quantity: Quantity) -> Option<()> {
        let after = sold.left.checked_sub(quantity)?;
        let kept = sold.position.price.times(after)?.min(sold.worth);
        let sum = sold.worth.checked_sub(kept)?;
        for (price, quantity) in split(sum, quantity)?.into_iter().filter(|part| !part.0.is_zero())
        {
            let sum = price.times(quantity)?;
            self.positions.push(Position { price, quantity, sum, ..sold.position.clone() });
        }
        self.taken.push(Taken { place, quantity, sum });
        self.total = self.total.checked_add(sum)?;
        Some(())
    }
}

/// How much to take of each position.
fn shares(
    sold: &[Sold<'_>],
    quantities: &BTreeMap<Source, Quantity>,
    codes: &[MarkCode],
) -> Result<Vec<Quantity>, Refusal> {
    let mut shares = vec![Quantity::ZERO; sold.len()];
    for (source, wanted) in quantities {
        let name = || {
            let found = sold.iter().find(|sold| sold.position.source == *source);
            found.map(|sold| sold.position.name.as_str().to_owned()).unwrap_or_default()
        };
        let mut open = *wanted;
        let whole = left_of(sold, *source) == Some(*wanted);
        let fewer = left_of(sold, *source).is_some_and(|left| left > *wanted);
        if fewer && !names_as_many(sold, *source, *wanted, codes) {
            return Err(BookFault::CodesUnknown { line: name() }.into());
        }
        for (share, sold) in shares.iter_mut().zip(sold) {
            let fits = sold.position.source == *source
                && (whole || sold.position.mark.as_ref().is_none_or(|mark| codes.contains(mark)));
            if fits {
                *share = open.min(sold.left);
                open = open.checked_sub(*share).ok_or(SumFault::TooLarge)?;
            }
        }
        if !open.is_zero() {
            return Err(BookFault::MoreThanSold { line: name(), wanted: *wanted }.into());
        }
    }
    Ok(shares)
}

/// Whether the codes name exactly the pieces that are wanted; also where nothing is marked. Of more
/// codes than pieces nobody can tell which came back.
fn names_as_many(sold: &[Sold<'_>], source: Source, wanted: Quantity, codes: &[MarkCode]) -> bool {
    let of_it = sold.iter().filter(|sold| sold.position.source == source && !sold.left.is_zero());
    let mut marked = of_it.filter_map(|sold| Some((sold.position.mark.as_ref()?, sold.left)));
    let mut any = false;
    let named = marked.try_fold(Quantity::ZERO, |all, (mark, left)| {
        any = true;
        if codes.contains(mark) { all.checked_add(left) } else { Some(all) }
    });
    !any || named == Some(wanted)
}

/// What is left of all positions of this source.
pub(crate) fn left_of(sold: &[Sold<'_>], source: Source) -> Option<Quantity> {
    let of_it = sold.iter().filter(|sold| sold.position.source == source);
    of_it.map(|sold| sold.left).try_fold(Quantity::ZERO, Quantity::checked_add)
}
