//! What an order consists of, checked: its lines and its delivery, before anything is paid.

use std::collections::BTreeSet;

use events::{Delivery, Line, MarkCode, MarksBy, Money, Order, Quantity, Vat};
use time::OffsetDateTime;

use super::{
    LineFault, Measure, Name, Object, Refusal, Rules, Source, SumFault, allocate, in_force,
};

/// A line or the delivery, checked, before discounts.
#[derive(Debug)]
pub(super) struct Item<'a> {
    pub(super) source: Source,
    pub(super) name: Name,
    pub(super) price: Money,
    pub(super) quantity: Quantity,
    pub(super) sum: Money,
    /// The plain rate.
    pub(super) vat: Vat,
    /// What it is when it is handed over, marks aside.
    pub(super) object: Object,
    pub(super) measure: Result<Measure, LineFault>,
    /// Its codes, as far as the receipt carries them.
    pub(super) marks: &'a [MarkCode],
    /// Whether the receipt must carry a code for each piece.
    pub(super) marked: bool,
}

/// The order's items at the rates in force at `at`.
pub(super) fn items<'a>(
    order: &'a Order,
    rules: &Rules,
    at: OffsetDateTime,
) -> Result<Vec<Item<'a>>, Refusal> {
    let mut items = Vec::with_capacity(order.lines.len() + 1);
    for line in &order.lines {
        items.push(goods(line, order, rules, at)?);
    }
    if let Some(delivery) = &order.delivery {
        items.extend(carriage(delivery, order, rules, at)?);
    }
    Ok(items)
}

/// Each item's part of what `due` is below the sum of all items: the discounts on the order.
pub(super) fn discounts(due: Money, items: &[Item<'_>]) -> Result<Vec<Money>, Refusal> {
    let sums: Vec<Money> = items.iter().map(|item| item.sum).collect();
    let lines = Money::sum(sums.iter().copied()).ok_or(SumFault::TooLarge)?;
    let discount = lines.checked_sub(due).ok_or(SumFault::TooLarge)?;
    if discount.is_negative() {
        return Err(SumFault::Mismatch { lines, price: due }.into());
    }
    Ok(allocate(discount, &sums).ok_or(SumFault::TooLarge)?)
}

/// Each code once in the whole order, one for each piece of marked goods.
pub(super) fn check_marks(order: &Order, items: &[Item<'_>]) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    for item in items {
        let Source::Line(id) = item.source else { continue };
        let name = order.line(id).map(|line| line.name.clone()).unwrap_or_default();
        let fault = fault_of_marks(item).or_else(|| {
            (!item.marks.iter().all(|m| seen.insert(m))).then_some(LineFault::MarkTwice)
        });
        if let Some(fault) = fault {
            return Err(Refusal::Line(name, fault));
        }
    }
    Ok(())
}

fn fault_of_marks(item: &Item<'_>) -> Option<LineFault> {
    if !item.marked {
        return None;
    }
    if item.marks.is_empty() {
        return Some(LineFault::NoMarks);
    }
    if u64::try_from(item.marks.len()).ok() != item.quantity.as_units() {
        return Some(LineFault::MarksCount(item.marks.len(), item.quantity));
    }
    let unreadable = |mark: &MarkCode| std::str::from_utf8(mark.as_bytes()).is_err();
    item.marks.iter().any(unreadable).then_some(LineFault::MarkUnreadable)
}

fn goods<'a>(
    line: &'a Line,
    order: &Order,
    rules: &Rules,
    at: OffsetDateTime,
) -> Result<Item<'a>, Refusal> {
    let refuse = |fault| Refusal::Line(line.name.clone(), fault);
    let name = Name::new(&line.name).ok_or_else(|| refuse(LineFault::Name))?;
    if line.price <= Money::ZERO {
        return Err(refuse(LineFault::Price(line.price)));
    }
    if line.quantity.is_zero() {
        return Err(refuse(LineFault::Quantity));
    }
    if line.vat.is_calculated() {
        return Err(refuse(LineFault::Vat(line.vat)));
    }
    let vat = in_force(line.vat, order.created_at, at)
        .map_err(|fault| refuse(LineFault::VatNotInForce(fault.0)))?;
    let measure = || {
        rules.measure(line.unit.as_deref()).ok_or_else(|| match &line.unit {
            Some(okei) => LineFault::Unit(okei.clone()),
            None => LineFault::NoUnit,
        })
    };
    let is_marked = line.marked || !line.marks.is_empty();
    // A code on a receipt withdraws the piece. Where a document does that, the receipt says "marked
    // goods without their code" and nothing else.
    let is_withdrawn_apart = is_marked && order.marks_by == MarksBy::Document;
    Ok(Item {
        source: Source::Line(line.id),
        name,
        price: line.price,
        quantity: line.quantity,
        sum: line.price.times(line.quantity).ok_or(SumFault::TooLarge)?,
        vat,
        object: match rules.object {
            object if !is_withdrawn_apart => object,
            Object::Excise => Object::ExciseMarkable,
            _ => Object::Markable,
        },
        measure: if is_withdrawn_apart { Ok(Measure::PIECE) } else { measure() },
        marks: if is_withdrawn_apart { &[] } else { &line.marks },
        marked: is_marked && !is_withdrawn_apart,
    })
}

/// The delivery that the buyer pays for; `None` for one that is free.
fn carriage<'a>(
    delivery: &Delivery,
    order: &Order,
    rules: &Rules,
    at: OffsetDateTime,
) -> Result<Option<Item<'a>>, Refusal> {
    if delivery.price.is_negative() {
        return Err(SumFault::DeliveryPrice(delivery.price).into());
    }
    if delivery.price.is_zero() {
        return Ok(None);
    }
    let vat = delivery.vat.or(rules.delivery_vat).ok_or(SumFault::DeliveryVatUnknown)?;
    if vat.is_calculated() {
        return Err(SumFault::DeliveryVat(vat).into());
    }
    let vat = in_force(vat, order.created_at, at)
        .map_err(|fault| SumFault::DeliveryVatNotInForce(fault.0))?;
    Ok(Some(Item {
        source: Source::Delivery,
        name: Name::new(&delivery.name).unwrap_or_else(Name::delivery),
        price: delivery.price,
        quantity: Quantity::ONE,
        sum: delivery.price,
        vat,
        object: Object::Service,
        measure: Ok(Measure::PIECE),
        marks: &[],
        marked: false,
    }))
}
