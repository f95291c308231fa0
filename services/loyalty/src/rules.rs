//! How many points an order earns: rates by category, only on money paid, largest remainder for
//! what was taken off the order as a whole.

use std::collections::BTreeMap;

use events::{Line, Money, Order, Quantity};
use serde::{Deserialize, Deserializer, de::Error as _};

/// A rate in hundredths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(i64);

/// What becomes of a part of the unit that is rounded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// It is dropped.
    Down,
    /// A half and more is one more.
    HalfUp,
    /// It is one more.
    Up,
}

/// How points are earned in a shop.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// The rate of goods whose category is not named below, in percent, such as `"5"`.
    pub rate: Rate,
    /// The product property that names a line's category, such as `CATEGORY`.
    #[serde(default)]
    pub category_property: Option<String>,
    /// Rates by category; `"0"` is an exclusion.
    #[serde(default)]
    pub categories: BTreeMap<String, Rate>,
    /// How the order's points are rounded.
    pub rounding: Rounding,
    /// To what they are rounded, such as `"1.00"` for whole points.
    #[serde(deserialize_with = "unit")]
    pub round_to: Money,
}

/// Points do not follow from an order whose sums cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// The lines and the delivery make less than the price, or do not fit into numbers.
    #[error("the order's price is above the sum of its lines, or its sums do not fit")]
    Sums,
}

impl Rules {
    /// The kopecks of points that an order earns. Delivery earns nothing.
    ///
    /// # Errors
    /// [`RulesError`] when the order's sums cannot be.
    pub fn earned(&self, order: &Order) -> Result<i64, RulesError> {
        let paid = paid_by_line(order)?;
        let earned = order.lines.iter().zip(&paid).try_fold(0_i128, |sum, (line, paid)| {
            sum.checked_add(i128::from(*paid) * i128::from(self.rate_of(line).0))
        });
        self.round(earned.ok_or(RulesError::Sums)?)
    }

    fn rate_of(&self, line: &Line) -> Rate {
        let property = self.category_property.as_deref();
        let category = property.and_then(|property| line.properties.get(property));
        category.and_then(|category| self.categories.get(category)).copied().unwrap_or(self.rate)
    }

    /// From ten-thousandths of a kopeck to whole units.
    fn round(&self, exact: i128) -> Result<i64, RulesError> {
        let unit = i128::from(self.round_to.kopecks().max(1)) * 10_000;
        let (whole, part) = (exact.div_euclid(unit), exact.rem_euclid(unit));
        let up = match self.rounding {
            Rounding::Down => false,
            Rounding::HalfUp => part * 2 >= unit,
            Rounding::Up => part > 0,
        };
        let units = whole + i128::from(up);
        i64::try_from(units * (unit / 10_000)).map_err(|_| RulesError::Sums)
    }
}

/// What was paid in money for each line, in kopecks: what was taken off the whole order is taken
/// off lines and delivery by the largest remainder.
fn paid_by_line(order: &Order) -> Result<Vec<i64>, RulesError> {
    let sums = order.lines.iter().map(|line| line.price.times(line.quantity));
    let delivery = order.delivery.as_ref().map(|delivery| delivery.price);
    let parts: Option<Vec<Money>> = sums.chain(delivery.map(Some)).collect();
    let parts = parts.ok_or(RulesError::Sums)?;
    let total = Money::sum(parts.iter().copied()).ok_or(RulesError::Sums)?;
    let parts: Vec<i64> = parts.into_iter().map(Money::kopecks).collect();
    let (total, price) = (total.kopecks(), order.price.kopecks());
    if price > total || price < 0 || parts.iter().any(|part| *part < 0) {
        return Err(RulesError::Sums);
    }
    Ok(share(price, &parts, total))
}

/// `whole` in proportion to `parts`, whose sum is `total`, exactly.
fn share(whole: i64, parts: &[i64], total: i64) -> Vec<i64> {
    if total == 0 {
        return vec![0; parts.len()];
    }
    let exact = |part: i64| i128::from(whole) * i128::from(part);
    let mut shares: Vec<i64> = parts
        .iter()
        .map(|part| i64::try_from(exact(*part) / i128::from(total)).unwrap_or(0))
        .collect();
    let mut order: Vec<(i128, usize)> = parts
        .iter()
        .enumerate()
        .map(|(place, part)| (-(exact(*part) % i128::from(total)), place))
        .collect();
    order.sort_unstable();
    let rest = whole - shares.iter().sum::<i64>();
    for (_, place) in order.into_iter().take(usize::try_from(rest).unwrap_or(0)) {
        if let Some(share) = shares.get_mut(place) {
            *share += 1;
        }
    }
    shares
}

/// The part of an operation's points that belongs to goods that came back: `amount` times their
/// price over the price of all goods, rounded down, except that the last goods take the rest.
#[must_use]
pub fn proportion(amount: i64, back: i64, all: i64) -> i64 {
    if all <= 0 || back >= all {
        return amount;
    }
    i64::try_from(i128::from(amount) * i128::from(back.max(0)) / i128::from(all)).unwrap_or(amount)
}

/// The price of `quantity` of a line at full price, in kopecks.
#[must_use]
pub fn value(line: &Line, quantity: Quantity) -> Option<i64> {
    line.price.times(quantity).map(Money::kopecks)
}

fn unit<'de, D: Deserializer<'de>>(input: D) -> Result<Money, D::Error> {
    match String::deserialize(input)?.parse::<Money>() {
        Ok(unit) if unit > Money::ZERO => Ok(unit),
        _ => Err(D::Error::custom("round_to is an amount above zero such as \"1.00\"")),
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        // A percentage has two decimals at most, as an amount of money has.
        let percent: Money = String::deserialize(input)?
            .parse()
            .map_err(|_| D::Error::custom("a rate is a percentage such as \"5\" or \"2.5\""))?;
        match percent.kopecks() {
            hundredths @ 0..=10_000 => Ok(Self(hundredths)),
            _ => Err(D::Error::custom("a rate is between 0 and 100 percent")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(rounding: Rounding, round_to: i64) -> Rules {
        Rules {
            rate: Rate(500),
            category_property: None,
            categories: BTreeMap::new(),
            rounding,
            round_to: Money::from_kopecks(round_to),
        }
    }

    #[test]
    fn points_are_rounded_to_the_unit() {
        // 5 % of 1234.56 is 61.728.
        let exact = 123_456 * 500;
        for (rounding, unit, points) in [
            (Rounding::Down, 100, 6100),
            (Rounding::HalfUp, 100, 6200),
            (Rounding::Up, 100, 6200),
            (Rounding::Down, 1, 6172),
            (Rounding::HalfUp, 1, 6173),
            (Rounding::Down, 1000, 6000),
        ] {
            assert_eq!(rules(rounding, unit).round(exact), Ok(points), "{rounding:?} {unit}");
        }
    }

    #[test]
    fn shares_are_exact() {
        assert_eq!(share(100, &[1, 1, 1], 3), [34, 33, 33]);
        assert_eq!(share(0, &[5, 5], 10), [0, 0]);
        assert_eq!(share(7, &[0, 10], 10), [0, 7]);
        assert_eq!(share(0, &[0, 0], 0), [0, 0]);
    }

    #[test]
    fn what_comes_back_takes_its_proportion_and_the_last_takes_the_rest() {
        assert_eq!(proportion(100, 1, 3), 33);
        assert_eq!(proportion(100, 3, 3), 100);
        assert_eq!(proportion(100, 0, 3), 0);
        assert_eq!(proportion(0, 1, 3), 0);
    }
}
