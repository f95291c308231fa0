//! Receipts of what was paid and handed over, from an order.

use std::collections::BTreeMap;

use events::{MarkCode, Money, Order, Quantity, Vat};
use time::OffsetDateTime;

use super::{
    Amounts, Contact, Kind, MAX_POSITIONS, Measure, MoneyKind, Name, Object, PaymentFault,
    Position, PrepaymentObject, Receipt, Refusal, Rules, Settlement, Source, SumFault, allocate,
    items::{Item, check_marks, discounts, items},
    split,
};

/// What all receipts of sale are made of.
#[derive(Clone, Copy)]
pub(crate) struct Sale<'a> {
    pub(crate) order: &'a Order,
    pub(crate) rules: &'a Rules,
    /// When it happened: the rates of that day hold.
    pub(crate) at: OffsetDateTime,
    /// What the buyer pays for the whole order in money: its price less points.
    pub(crate) due: Money,
}

/// The receipt of the hand-over: the whole order at plain rates, with mark codes.
pub(crate) fn closing(
    sale: Sale<'_>,
    settlement: Settlement,
    amounts: Amounts,
) -> Result<Receipt, Refusal> {
    let items = items(sale.order, sale.rules, sale.at)?;
    check_marks(sale.order, &items)?;
    let mut positions = Vec::with_capacity(items.len());
    for (item, discount) in items.iter().zip(discounts(sale.due, &items)?) {
        positions.extend(sale.handed_over(item, discount, settlement)?);
    }
    sale.receipt(positions, amounts)
}

/// The receipt of money for goods that are handed over later: calculated rates, no mark codes.
/// `before` is what was prepaid for each item already.
pub(crate) fn prepayment(
    sale: Sale<'_>,
    money: MoneyKind,
    sum: Money,
    before: &BTreeMap<Source, Money>,
) -> Result<Receipt, Refusal> {
    let items = items(sale.order, sale.rules, sale.at)?;
    let discounts = discounts(sale.due, &items)?;
    let whole = sum == sale.due && before.is_empty();
    let mut positions = Vec::with_capacity(items.len());
    if whole {
        for (item, discount) in items.iter().zip(discounts) {
            positions.extend(sale.prepaid_whole(item, discount)?);
        }
    } else {
        let left = left(&items, &discounts, before)?;
        let parts = allocate(sum, &left).ok_or(SumFault::TooLarge)?;
        for (item, part) in items.iter().zip(parts).filter(|(_, part)| !part.is_zero()) {
            positions.extend(sale.prepaid_part(item, part)?);
        }
    }
    sale.receipt(positions, Amounts::of(money, sum))
}

/// The receipt of money of which it is open what it is for: one position for each rate that the
/// order has.
pub(crate) fn advance(sale: Sale<'_>, money: MoneyKind, sum: Money) -> Result<Receipt, Refusal> {
    let items = items(sale.order, sale.rules, sale.at)?;
    let mut rates: BTreeMap<Vat, Money> = BTreeMap::new();
    for (item, discount) in items.iter().zip(discounts(sale.due, &items)?) {
        let worth = item.sum.checked_sub(discount).ok_or(SumFault::TooLarge)?;
        let all = rates.entry(before_hand_over(item.vat)).or_default();
        *all = all.checked_add(worth).ok_or(SumFault::TooLarge)?;
    }
    let worths: Vec<Money> = rates.values().copied().collect();
    let parts = allocate(sum, &worths).ok_or(SumFault::TooLarge)?;
    let name = Name::advance(&sale.order.key.number);
    let positions = rates.into_keys().zip(parts).filter(|(_, part)| !part.is_zero());
    let positions = positions
        .map(|(vat, part)| payment(Source::Order, name.clone(), part, vat, Settlement::Advance));
    sale.receipt(positions.collect(), Amounts::of(money, sum))
}

/// The receipt of money for what was handed over on credit, at the rates of that day. `owed` is
/// what is still to be paid for each item.
pub(crate) fn credit_payment(
    sale: Sale<'_>,
    money: MoneyKind,
    sum: Money,
    owed: &[(&Position, Money)],
) -> Result<Receipt, Refusal> {
    let worths: Vec<Money> = owed.iter().map(|(_, worth)| *worth).collect();
    let parts = allocate(sum, &worths).ok_or(SumFault::TooLarge)?;
    let positions = owed.iter().zip(parts).filter(|(_, part)| !part.is_zero());
    let positions = positions.map(|((sold, _), part)| {
        payment(sold.source, sold.name.clone(), part, sold.vat, Settlement::CreditPayment)
    });
    sale.receipt(positions.collect(), Amounts::of(money, sum))
}

/// What is left to prepay for each item.
fn left(
    items: &[Item<'_>],
    discounts: &[Money],
    before: &BTreeMap<Source, Money>,
) -> Result<Vec<Money>, Refusal> {
    // What an advance did not name lies on all items alike.
    let open = before.get(&Source::Order).copied().unwrap_or_default();
    let worth = |(item, discount): (&Item<'_>, &Money)| {
        let paid = before.get(&item.source).copied().unwrap_or_default();
        let left = item.sum.checked_sub(*discount)?.checked_sub(paid)?;
        Some(left.max(Money::ZERO))
    };
    let worths: Option<Vec<Money>> = items.iter().zip(discounts).map(worth).collect();
    let worths = worths.ok_or(SumFault::TooLarge)?;
    let off = allocate(open, &worths).ok_or(SumFault::TooLarge)?;
    let left = worths.iter().zip(off).map(|(worth, off)| worth.checked_sub(off));
    Ok(left.collect::<Option<_>>().ok_or(SumFault::TooLarge)?)
}

/// A prepayment's rate is the calculated one (Tax Code article 164 paragraph 4); goods at 0 % and
/// goods without VAT have none and keep theirs.
fn before_hand_over(vat: Vat) -> Vat {
    vat.calculated().unwrap_or(vat)
}

/// A position that is a payment and no goods (tag 1212: 10).
fn payment(source: Source, name: Name, sum: Money, vat: Vat, settlement: Settlement) -> Position {
    Position {
        source,
        name,
        price: sum,
        quantity: Quantity::ONE,
        sum,
        vat,
        settlement,
        object: Object::Payment,
        measure: Measure::PIECE,
        mark: None,
    }
}

impl Sale<'_> {
    /// The positions of an item as it is handed over: one for each price, or for each mark code.
    pub(super) fn handed_over(
        self,
        item: &Item<'_>,
        discount: Money,
        settlement: Settlement,
    ) -> Result<Vec<Position>, Refusal> {
        let object = match item.object {
            object if !item.marked => object,
            Object::Excise => Object::ExciseMarked,
            _ => Object::Marked,
        };
        let measure = if item.marked { Measure::PIECE } else { self.measure(item)? };
        let position = |price: Money, quantity: Quantity, mark: Option<&MarkCode>| {
            Ok(Position {
                source: item.source,
                name: item.name.clone(),
                price,
                quantity,
                sum: price.times(quantity).ok_or(SumFault::TooLarge)?,
                vat: item.vat,
                settlement,
                object,
                measure,
                mark: mark.cloned(),
            })
        };
        let parts = parts(item, discount)?;
        if !item.marked {
            return parts.into_iter().map(|(price, q)| position(price, q, None)).collect();
        }
        let mut prices = Vec::with_capacity(item.marks.len());
        for (price, quantity) in parts {
            let units = quantity.as_units().and_then(|units| usize::try_from(units).ok());
            let units = units.ok_or(SumFault::TooLarge)?.min(item.marks.len());
            prices.extend(std::iter::repeat_n(price, units));
        }
        let pieces = prices.into_iter().zip(item.marks);
        pieces.map(|(price, mark)| position(price, Quantity::ONE, Some(mark))).collect()
    }

    /// The positions of an item that is paid in whole and handed over later.
    fn prepaid_whole(self, item: &Item<'_>, discount: Money) -> Result<Vec<Position>, Refusal> {
        let measure = self.measure(item)?;
        let position = |(price, quantity): (Money, Quantity)| {
            Ok(Position {
                price,
                quantity,
                sum: price.times(quantity).ok_or(SumFault::TooLarge)?,
                measure,
                ..self.prepaid(item, Money::ZERO, Settlement::FullPrepayment)
            })
        };
        parts(item, discount)?.into_iter().map(position).collect()
    }

    /// The positions of an item of which a part is paid.
    fn prepaid_part(self, item: &Item<'_>, part: Money) -> Result<Vec<Position>, Refusal> {
        let whole = self.prepaid(item, part, Settlement::Prepayment);
        if whole.object == Object::Payment {
            return Ok(vec![whole]);
        }
        let measure = self.measure(item)?;
        let position = |(price, quantity): (Money, Quantity)| {
            let sum = price.times(quantity).ok_or(SumFault::TooLarge)?;
            Ok(Position { price, quantity, sum, measure, ..whole.clone() })
        };
        let parts = split(part, item.quantity).ok_or(SumFault::TooLarge)?;
        parts.into_iter().filter(|(price, _)| !price.is_zero()).map(position).collect()
    }

    fn prepaid(self, item: &Item<'_>, sum: Money, settlement: Settlement) -> Position {
        let object = match (self.rules.prepayment_object, item.object) {
            (PrepaymentObject::Payment, _) => Object::Payment,
            (_, object) if !item.marked => object,
            (_, Object::Excise) => Object::ExciseMarkable,
            _ => Object::Markable,
        };
        let vat = before_hand_over(item.vat);
        Position { object, ..payment(item.source, item.name.clone(), sum, vat, settlement) }
    }

    fn measure(self, item: &Item<'_>) -> Result<Measure, Refusal> {
        item.measure.clone().map_err(|fault| {
            let line = match item.source {
                Source::Line(id) => self.order.line(id).map(|line| line.name.clone()),
                Source::Delivery | Source::Order => None,
            };
            Refusal::Line(line.unwrap_or_default(), fault)
        })
    }

    /// The receipt of these positions, if it adds up.
    pub(super) fn receipt(
        self,
        positions: Vec<Position>,
        amounts: Amounts,
    ) -> Result<Receipt, Refusal> {
        let Self { order, rules, .. } = self;
        if positions.len() > MAX_POSITIONS {
            return Err(SumFault::TooManyPositions(positions.len()).into());
        }
        let total = Money::sum(positions.iter().map(|position| position.sum));
        let total = total.ok_or(SumFault::TooLarge)?;
        if amounts.total() != Some(total) || positions.is_empty() {
            let paid = amounts.total().unwrap_or_default();
            return Err(SumFault::Amounts { paid, total }.into());
        }
        Ok(Receipt {
            kind: Kind::Sale,
            inn: rules.inn,
            taxation: rules.taxation,
            place: rules.place.trim().to_owned(),
            seller_email: rules.seller_email.clone(),
            contact: Contact::of(&order.buyer).ok_or(PaymentFault::NoContact)?,
            positions,
            total,
            amounts,
            correction: None,
        })
    }
}

/// Prices and quantities of an item after its part of the discount.
fn parts(item: &Item<'_>, discount: Money) -> Result<Vec<(Money, Quantity)>, Refusal> {
    if discount.is_zero() {
        return Ok(vec![(item.price, item.quantity)]);
    }
    let worth = item.sum.checked_sub(discount).ok_or(SumFault::TooLarge)?;
    Ok(split(worth, item.quantity).ok_or(SumFault::TooLarge)?)
}
