//! Exact sums: an order's discount over its positions, and a position's sum over its units.

use events::{Money, Quantity};

/// The parts of `discount` for positions of these `sums`, by the largest remainder in kopecks.
///
/// The parts add up to the discount, none is more than its position's sum, and of equal
/// remainders the earlier position gets the kopeck. `None` when the discount is negative or more
/// than the total, when a sum is negative, or when numbers do not fit.
#[must_use]
pub fn allocate(discount: Money, sums: &[Money]) -> Option<Vec<Money>> {
    let total = Money::sum(sums.iter().copied())?;
    if discount.is_negative() || discount > total || sums.iter().any(|sum| sum.is_negative()) {
        return None;
    }
    if discount.is_zero() {
        return Some(vec![Money::ZERO; sums.len()]);
    }
    let whole = i128::from(total.kopecks());
    let shares: Vec<i128> =
        sums.iter().map(|sum| i128::from(sum.kopecks()) * i128::from(discount.kopecks())).collect();
    let mut parts: Vec<i128> = shares.iter().map(|share| share / whole).collect();
    let left = i128::from(discount.kopecks()) - parts.iter().sum::<i128>();
    let mut places: Vec<usize> = (0..shares.len()).collect();
    places.sort_by_key(|place| shares.get(*place).map(|share| -(share % whole)));
    for place in places.into_iter().take(usize::try_from(left).ok()?) {
        *parts.get_mut(place)? += 1;
    }
    parts.into_iter().map(|part| i64::try_from(part).ok().map(Money::from_kopecks)).collect()
}

/// Prices and quantities whose sums (tag 1043: price times quantity, half a kopeck up) make
/// exactly `target` for `quantity` units.
///
/// One price where one does it; else units a kopeck apart: `T mod q` of the `q` units cost
/// `⌊T/q⌋ + 1`, the others `⌊T/q⌋`. Of a quantity that is not whole, the part after the point
/// takes `⌊T/q⌋` and the whole units share the rest. `None` for no quantity, a negative target,
/// or numbers that do not fit.
#[must_use]
pub fn split(target: Money, quantity: Quantity) -> Option<Vec<(Money, Quantity)>> {
    if target.is_negative() || quantity.is_zero() {
        return None;
    }
    if let Some(units) = quantity.as_units() {
        return split_units(target, units);
    }
    let low = floor_price(target, quantity)?;
    let high = low.checked_add(Money::from_kopecks(1))?;
    if let Some(price) = [low, high].into_iter().find(|p| p.times(quantity) == Some(target)) {
        return Some(vec![(price, quantity)]);
    }
    let rest = Quantity::new(quantity.value().fract()).ok()?;
    let whole = quantity.checked_sub(rest)?.as_units()?;
    let mut parts = split_units(target.checked_sub(low.times(rest)?)?, whole)?;
    parts.push((low, rest));
    Some(parts)
}

fn split_units(target: Money, units: u64) -> Option<Vec<(Money, Quantity)>> {
    let divisor = i64::try_from(units).ok()?;
    let price = target.kopecks().checked_div(divisor)?;
    let dearer = u64::try_from(target.kopecks().checked_rem(divisor)?).ok()?;
    let mut parts = vec![(Money::from_kopecks(price), Quantity::from_units(units - dearer))];
    if dearer > 0 {
        let price = Money::from_kopecks(price.checked_add(1)?);
        parts.push((price, Quantity::from_units(dearer)));
    }
    Some(parts)
}

/// `⌊target / quantity⌋` in kopecks.
fn floor_price(target: Money, quantity: Quantity) -> Option<Money> {
    let value = quantity.value();
    let scaled = i128::from(target.kopecks()).checked_mul(10_i128.checked_pow(value.scale())?)?;
    let price = scaled.checked_div(value.mantissa())?;
    i64::try_from(price).ok().map(Money::from_kopecks)
}
