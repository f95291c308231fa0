//! Numbers and dates as the tax service's formats write them.

use events::{Money, Quantity, Vat};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize as _, Deserializer, de::Error as _};
use time::{Date, PrimitiveDateTime, macros::format_description};

/// Decimals of a price (`ЦенаТов`, fractionDigits 11).
const PRICE: u32 = 11;

/// `dd.mm.yyyy`.
#[must_use]
pub fn date(date: Date) -> String {
    date.format(format_description!("[day].[month].[year]")).unwrap_or_default()
}

/// `hh.mm.ss`.
#[must_use]
pub fn time(at: PrimitiveDateTime) -> String {
    at.format(format_description!("[hour].[minute].[second]")).unwrap_or_default()
}

/// Reads `yyyy-mm-dd` of a settings file.
pub(crate) fn day<'de, D: Deserializer<'de>>(text: D) -> Result<Date, D::Error> {
    let text = String::deserialize(text)?;
    Date::parse(&text, format_description!("[year]-[month]-[day]")).map_err(D::Error::custom)
}

/// Roubles with kopecks.
#[must_use]
pub fn money(money: Money) -> String {
    money.to_string()
}

/// A quantity without zeros at its end.
#[must_use]
pub fn quantity(quantity: Quantity) -> String {
    quantity.value().normalize().to_string()
}

/// A price with two decimals or more.
#[must_use]
pub fn price(price: Decimal) -> String {
    let mut price = price.normalize();
    if price.scale() < 2 {
        price.rescale(2);
    }
    price.to_string()
}

/// The price of one unit, of a sum for so many.
#[must_use]
pub fn price_of(net: Money, quantity: Quantity) -> Option<Decimal> {
    let price = Decimal::new(net.kopecks(), 2).checked_div(quantity.value())?;
    Some(price.round_dp_with_strategy(PRICE, RoundingStrategy::MidpointAwayFromZero).normalize())
}

/// `НалСт`: a decimal comma where it has decimals.
#[must_use]
pub const fn rate(vat: Vat) -> &'static str {
    match vat {
        Vat::None => "без НДС",
        Vat::V0 => "0%",
        Vat::V5 => "5%",
        Vat::V7 => "7%",
        Vat::V10 => "10%",
        Vat::V20 => "20%",
        Vat::V22 => "22%",
        Vat::C5 => "5/105",
        Vat::C7 => "7/107",
        Vat::C10 => "10/110",
        Vat::C20 => "20/120",
        Vat::C22 => "22/122",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_have_two_to_eleven_decimals() {
        let of = |kopecks, count: &str| {
            price(price_of(Money::from_kopecks(kopecks), count.parse().unwrap()).unwrap())
        };
        assert_eq!(of(100_000, "10"), "100.00");
        assert_eq!(of(100_000, "3"), "333.33333333333");
        assert_eq!(of(200_000, "3"), "666.66666666667");
        assert_eq!(of(48_402, "4"), "121.005");
        assert_eq!(of(1, "0.746"), "0.01340482574");
        assert_eq!(of(0, "7"), "0.00");
    }

    #[test]
    fn nothing_is_the_price_of_a_part_of_nothing() {
        assert_eq!(price_of(Money::from_kopecks(1), Quantity::ZERO), None);
    }
}
