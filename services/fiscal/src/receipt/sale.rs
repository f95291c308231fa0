//! The receipt of a sale, from a paid order.

use std::collections::BTreeSet;

use events::{Delivery, Line, MarkCode, Money, Order, Payment, Quantity, Vat};

use super::{
    Contact, LineFault, MAX_POSITIONS, Measure, MoneyKind, Name, Object, PaymentFault, Position,
    PrepaymentObject, Receipt, Refusal, Rules, Settlement, SumFault, allocate, split,
};

/// The receipt for the payment `payment` of `order`, by the shop's rules.
///
/// A discount on the whole order (the price is less than lines and delivery make) is taken off
/// all of them, see [`allocate`] and [`split`].
///
/// # Errors
/// [`Refusal`] where the order does not add up or leaves anything open that a receipt must say.
pub fn sale(order: &Order, payment: u64, rules: &Rules) -> Result<Receipt, Refusal> {
    let payment = order.payment(payment).ok_or(PaymentFault::Missing(payment))?;
    let paid = money(payment, rules)?;
    if order.price <= Money::ZERO {
        return Err(SumFault::Price(order.price).into());
    }
    if payment.sum != order.price {
        return Err(PaymentFault::Partial { paid: payment.sum, price: order.price }.into());
    }
    let contact = Contact::of(&order.buyer).ok_or(PaymentFault::NoContact)?;
    let items = items(order, rules)?;
    let parts = discounts(order.price, &items)?;
    let mut positions = Vec::with_capacity(items.len());
    for (item, discount) in items.iter().zip(parts) {
        positions.extend(item.positions(discount, rules.settlement).ok_or(SumFault::TooLarge)?);
    }
    if positions.len() > MAX_POSITIONS {
        return Err(SumFault::TooManyPositions(positions.len()).into());
    }
    let total = Money::sum(positions.iter().map(|position| position.sum));
    Ok(Receipt {
        inn: rules.inn,
        taxation: rules.taxation,
        place: rules.place.trim().to_owned(),
        contact,
        positions,
        total: total.ok_or(SumFault::TooLarge)?,
        paid,
    })
}

/// A line or the delivery, checked, before discounts.
struct Item<'a> {
    name: Name,
    price: Money,
    quantity: Quantity,
    sum: Money,
    vat: Vat,
    object: Object,
    measure: Measure,
    marks: &'a [MarkCode],
}

impl Item<'_> {
    /// The positions of this item after its part of the discount: one for each price, or for each
    /// mark code.
    fn positions(&self, discount: Money, settlement: Settlement) -> Option<Vec<Position>> {
        let parts = if discount.is_zero() {
            vec![(self.price, self.quantity)]
        } else {
            split(self.sum.checked_sub(discount)?, self.quantity)?
        };
        let position = |price: Money, quantity: Quantity, mark: Option<&MarkCode>| {
            Some(Position {
                name: self.name.clone(),
                price,
                quantity,
                sum: price.times(quantity)?,
                vat: self.vat,
                settlement,
                object: self.object,
                measure: self.measure,
                mark: mark.cloned(),
            })
        };
        if self.marks.is_empty() {
            return parts
                .into_iter()
                .map(|(price, quantity)| position(price, quantity, None))
                .collect();
        }
        let mut prices = Vec::with_capacity(self.marks.len());
        for (price, quantity) in parts {
            let units = usize::try_from(quantity.as_units()?).ok()?;
            prices.extend(std::iter::repeat_n(price, units.min(self.marks.len())));
        }
        let pieces = prices.into_iter().zip(self.marks);
        pieces.map(|(price, mark)| position(price, Quantity::ONE, Some(mark))).collect()
    }
}

fn money(payment: &Payment, rules: &Rules) -> Result<MoneyKind, Refusal> {
    let system = payment.system.ok_or(PaymentFault::NoSystem)?;
    Ok(rules.payments.kind(system).ok_or(PaymentFault::SystemUnknown(system))?)
}

fn items<'a>(order: &'a Order, rules: &Rules) -> Result<Vec<Item<'a>>, Refusal> {
    let mut seen = BTreeSet::new();
    let mut items = Vec::with_capacity(order.lines.len() + 1);
    for line in &order.lines {
        let item = goods(line, rules)?;
        if !item.marks.iter().all(|mark| seen.insert(mark)) {
            return Err(Refusal::Line(line.name.clone(), LineFault::MarkTwice));
        }
        items.push(item);
    }
    let delivery = order.delivery.as_ref().map(|delivery| carriage(delivery, rules)).transpose()?;
    items.extend(delivery.flatten());
    Ok(items)
}

fn goods<'a>(line: &'a Line, rules: &Rules) -> Result<Item<'a>, Refusal> {
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
    let marks = marks(line, rules.settlement).map_err(refuse)?;
    let measure = match marks {
        [] => measure(line, rules).map_err(refuse)?,
        [..] => Measure::PIECE,
    };
    Ok(Item {
        name,
        price: line.price,
        quantity: line.quantity,
        sum: line.price.times(line.quantity).ok_or(SumFault::TooLarge)?,
        vat: rate(line.vat, rules.settlement),
        object: object(line, rules),
        measure,
        marks,
    })
}

fn object(line: &Line, rules: &Rules) -> Object {
    let marked = line.marked || !line.marks.is_empty();
    match (rules.settlement, rules.prepayment_object, rules.object) {
        (Settlement::FullPrepayment, PrepaymentObject::Payment, _) => Object::Payment,
        (_, _, object) if !marked => object,
        (Settlement::FullPrepayment, _, Object::Excise) => Object::ExciseMarkable,
        (Settlement::FullPrepayment, _, _) => Object::Markable,
        (Settlement::FullPayment, _, Object::Excise) => Object::ExciseMarked,
        (Settlement::FullPayment, _, _) => Object::Marked,
    }
}

fn measure(line: &Line, rules: &Rules) -> Result<Measure, LineFault> {
    rules.measure(line.unit.as_deref()).ok_or_else(|| match &line.unit {
        Some(okei) => LineFault::Unit(okei.clone()),
        None => LineFault::NoUnit,
    })
}

/// The codes that the receipt of this line must have: none for a prepayment, else one for each
/// piece of marked goods.
fn marks(line: &Line, settlement: Settlement) -> Result<&[MarkCode], LineFault> {
    if settlement == Settlement::FullPrepayment || (line.marks.is_empty() && !line.marked) {
        return Ok(&[]);
    }
    if line.marks.is_empty() {
        return Err(LineFault::NoMarks);
    }
    if u64::try_from(line.marks.len()).ok() != line.quantity.as_units() {
        return Err(LineFault::MarksCount(line.marks.len(), line.quantity));
    }
    if line.marks.iter().any(|mark| std::str::from_utf8(mark.as_bytes()).is_err()) {
        return Err(LineFault::MarkUnreadable);
    }
    Ok(&line.marks)
}

/// The delivery that the buyer pays for; `None` for one that is free.
fn carriage<'a>(delivery: &Delivery, rules: &Rules) -> Result<Option<Item<'a>>, Refusal> {
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
    let object = match (rules.settlement, rules.prepayment_object) {
        (Settlement::FullPrepayment, PrepaymentObject::Payment) => Object::Payment,
        _ => Object::Service,
    };
    Ok(Some(Item {
        name: Name::new(&delivery.name).unwrap_or_else(Name::delivery),
        price: delivery.price,
        quantity: Quantity::ONE,
        sum: delivery.price,
        vat: rate(vat, rules.settlement),
        object,
        measure: Measure::PIECE,
        marks: &[],
    }))
}

/// A prepayment's rate is the calculated one (Tax Code article 164 paragraph 4); goods at 0 % and
/// goods without VAT have none and keep theirs.
fn rate(vat: Vat, settlement: Settlement) -> Vat {
    match settlement {
        Settlement::FullPrepayment => vat.calculated().unwrap_or(vat),
        Settlement::FullPayment => vat,
    }
}

/// Each item's part of what the order's price is below the sum of its items.
fn discounts(price: Money, items: &[Item<'_>]) -> Result<Vec<Money>, Refusal> {
    let sums: Vec<Money> = items.iter().map(|item| item.sum).collect();
    let lines = Money::sum(sums.iter().copied()).ok_or(SumFault::TooLarge)?;
    let discount = lines.checked_sub(price).ok_or(SumFault::TooLarge)?;
    if discount.is_negative() {
        return Err(SumFault::Mismatch { lines, price }.into());
    }
    Ok(allocate(discount, &sums).ok_or(SumFault::TooLarge)?)
}
