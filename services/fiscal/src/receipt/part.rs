//! The receipt of one shipment of several: its own lines, and with the last one all that is left.

use std::collections::BTreeMap;

use events::{Money, Quantity};

use super::{
    Amounts, BookFault, MoneyKind, Receipt, Refusal, Sale, Settlement, Source, SumFault,
    items::{Item, check_marks, discounts, items},
};

/// The receipt of lines and quantities that are handed over `now`, or of all that is left; `closed`
/// is what earlier shipments have closed of each item. Everything is prepaid.
///
/// The parts of an item make its price to the kopeck: the last one takes what is left.
pub(crate) fn part_closing(
    sale: Sale<'_>,
    now: Option<&BTreeMap<u64, Quantity>>,
    closed: &BTreeMap<Source, (Quantity, Money)>,
) -> Result<Receipt, Refusal> {
    let items = items(sale.order, sale.rules, sale.at)?;
    check_marks(sale.order, &items)?;
    let known = |source: &Source| items.iter().any(|item| item.source == *source);
    if !closed.keys().all(known) {
        return Err(BookFault::PartlyClosed.into());
    }
    let mut positions = Vec::new();
    for (item, discount) in items.iter().zip(discounts(sale.due, &items)?) {
        let worth = item.sum.checked_sub(discount).ok_or(SumFault::TooLarge)?;
        let (quantity, sum) =
            closed.get(&item.source).copied().unwrap_or((Quantity::ZERO, Money::ZERO));
        let open = (item.quantity.checked_sub(quantity), worth.checked_sub(sum));
        let (Some(open), Some(left)) = open else { return Err(BookFault::PartlyClosed.into()) };
        let wanted = match (now, item.source) {
            (None, _) => open,
            (Some(now), Source::Line(line)) => now.get(&line).copied().unwrap_or(Quantity::ZERO),
            (Some(_), Source::Delivery | Source::Order) => Quantity::ZERO,
        };
        if wanted.is_zero() {
            continue;
        }
        let (part, discount) = part(item, wanted, (open, left), discount.is_zero())?;
        positions.extend(sale.handed_over(&part, discount, Settlement::FullPayment)?);
    }
    let total = Money::sum(positions.iter().map(|position| position.sum));
    sale.receipt(positions, Amounts::of(MoneyKind::Prepaid, total.ok_or(SumFault::TooLarge)?))
}

/// So much of an item, and what to take off its price.
fn part<'a>(
    item: &Item<'a>,
    wanted: Quantity,
    (open, left): (Quantity, Money),
    is_plain: bool,
) -> Result<(Item<'a>, Money), Refusal> {
    let line = || item.name.as_str().to_owned();
    if wanted > open || left.is_negative() {
        return Err(BookFault::PartlyClosed.into());
    }
    if item.marked && wanted != item.quantity {
        return Err(BookFault::CodesUnknown { line: line() }.into());
    }
    let sum = item.price.times(wanted).ok_or(SumFault::TooLarge)?;
    let worth = if wanted == open {
        left
    } else if is_plain && sum <= left {
        sum
    } else {
        share(left, wanted, open).ok_or(SumFault::TooLarge)?
    };
    let discount = sum.checked_sub(worth).ok_or(SumFault::TooLarge)?;
    let measure = item.measure.clone();
    let part = Item { quantity: wanted, sum, measure, name: item.name.clone(), ..*item };
    Ok((part, discount))
}

/// `⌊sum × part / whole⌋` in kopecks.
fn share(sum: Money, part: Quantity, whole: Quantity) -> Option<Money> {
    let millionths = |quantity: Quantity| {
        let value = quantity.value();
        value.mantissa().checked_mul(10_i128.checked_pow(6_u32.checked_sub(value.scale())?)?)
    };
    let product = i128::from(sum.kopecks()).checked_mul(millionths(part)?)?;
    let share = product.checked_div(millionths(whole)?)?;
    i64::try_from(share).ok().map(Money::from_kopecks)
}
