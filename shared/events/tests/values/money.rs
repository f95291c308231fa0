//! Money: texts, sums, price times quantity.

use events::{Money, MoneyError, Quantity};
use proptest::prelude::*;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::{rows, vendor_file};

fn money() -> impl Strategy<Value = Money> {
    any::<i64>().prop_map(Money::from_kopecks)
}

fn quantity() -> impl Strategy<Value = Quantity> {
    (0_i64..1_000_000_000_000, 0_u32..=6)
        .prop_map(|(number, scale)| Quantity::new(Decimal::new(number, scale)).unwrap())
}

#[test]
fn roubles_are_read_exactly() {
    for (text, kopecks) in [
        ("1480", 148_000),
        ("1480.00", 148_000),
        ("1480.5", 148_050),
        ("0.01", 1),
        ("-3.5", -350),
        ("-0", 0),
        ("-0.00", 0),
        ("0E400", 0),
        ("007.10", 710),
        ("9.8E2", 98_000),
        ("9.8e+2", 98_000),
        ("148000E-2", 148_000),
        ("1480.0000000000000000000000000000", 148_000),
        ("92233720368547758.07", i64::MAX),
        ("-92233720368547758.08", i64::MIN),
    ] {
        assert_eq!(text.parse(), Ok(Money::from_kopecks(kopecks)), "{text}");
    }
}

#[test]
fn a_part_of_a_kopeck_is_never_rounded() {
    for text in
        ["0.001", "1480.005", "1E-3", "-0.009", "0.1000000000000000055511151231257827", "1e-99"]
    {
        assert_eq!(text.parse::<Money>(), Err(MoneyError::PartOfKopeck), "{text}");
    }
}

#[test]
fn other_texts_are_refused() {
    for text in [
        "",
        "-",
        ".",
        "1.",
        ".5",
        "1,50",
        "1 480",
        " 1",
        "1\n",
        "+1",
        "--1",
        "1_000",
        "0x10",
        "1e",
        "1e+",
        "1e1.5",
        "NaN",
        "inf",
        "١",
        "1480 руб.",
        "1.2.3",
        "1e2e3",
        "1.-5",
        "1e--2",
    ] {
        assert_eq!(text.parse::<Money>(), Err(MoneyError::NotANumber), "{text}");
    }
    for text in [
        "92233720368547758.08",
        "-92233720368547758.09",
        "1e17",
        "1E2000000000",
        "1E99999999999999",
    ] {
        assert_eq!(text.parse::<Money>(), Err(MoneyError::TooLarge), "{text}");
    }
    assert_eq!("9".repeat(100_000).parse::<Money>(), Err(MoneyError::TooLarge));
}

#[test]
fn the_wire_is_whole_kopecks() {
    assert_eq!(serde_json::to_string(&Money::from_kopecks(-350)).unwrap(), "-350");
    for json in ["350.0", "\"350\"", "3.5e2", "null", "9223372036854775808"] {
        assert!(serde_json::from_str::<Money>(json).is_err(), "{json}");
    }
}

#[test]
fn price_times_quantity_vectors() {
    for [price, quantity, sum] in rows(include_str!("../vectors/price_quantity_sum.tsv")) {
        check_product(price, quantity, (!sum.is_empty()).then_some(sum));
    }
}

#[test]
fn price_times_quantity_as_real_registers_did() {
    let Some(table) = vendor_file("fiscal/vectors/real_price_quantity_sum.tsv") else { return };
    for [price, quantity, sum] in rows(&table) {
        check_product(price, quantity, Some(sum));
    }
}

fn check_product(price: &str, quantity: &str, sum: Option<&str>) {
    let product = Money::from_kopecks(price.parse().unwrap()).times(quantity.parse().unwrap());
    let sum = sum.map(|sum| Money::from_kopecks(sum.parse().unwrap()));
    assert_eq!(product, sum, "{price} kopecks times {quantity}");
}

proptest! {
    #[test]
    fn text_round_trips(money in money()) {
        prop_assert_eq!(money.to_string().parse(), Ok(money));
    }

    #[test]
    fn json_round_trips(money in money()) {
        let json = serde_json::to_string(&money).unwrap();
        prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
    }

    #[test]
    fn a_shifted_exponent_is_the_same_amount(kopecks: i64, shift in 0_usize..12) {
        let padded = format!("{kopecks}{}E-{}", "0".repeat(shift), shift + 2);
        prop_assert_eq!(padded.parse(), Ok(Money::from_kopecks(kopecks)));
    }

    #[test]
    fn plain_decimals_agree_with_rust_decimal(text in "-?[0-9]{1,18}([.][0-9]{1,4})?") {
        let kopecks = Decimal::from_str_exact(&text).unwrap() * Decimal::ONE_HUNDRED;
        let expected = match (kopecks.is_integer(), kopecks.to_i64()) {
            (false, _) => Err(MoneyError::PartOfKopeck),
            (true, None) => Err(MoneyError::TooLarge),
            (true, Some(kopecks)) => Ok(Money::from_kopecks(kopecks)),
        };
        prop_assert_eq!(text.parse(), expected);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[-+]?[0-9]{0,20}[.]?[0-9]{0,5}([eE][-+]?[0-9]{0,12})?|.*") {
        if let Ok(money) = text.parse::<Money>() {
            prop_assert_eq!(money.to_string().parse(), Ok(money));
        }
    }

    #[test]
    fn subtraction_undoes_addition(a in money(), b in money()) {
        prop_assert_eq!(a.checked_add(b), b.checked_add(a));
        if let Some(sum) = a.checked_add(b) {
            prop_assert_eq!(sum.checked_sub(b), Some(a));
        }
    }

    #[test]
    fn a_sum_does_not_depend_on_the_order(
        (amounts, shuffled) in prop::collection::vec(money(), 0..8)
            .prop_flat_map(|amounts| (Just(amounts.clone()), Just(amounts).prop_shuffle()))
    ) {
        let exact: i128 = amounts.iter().map(|money| i128::from(money.kopecks())).sum();
        let expected = i64::try_from(exact).ok().map(Money::from_kopecks);
        prop_assert_eq!(Money::sum(amounts), expected);
        prop_assert_eq!(Money::sum(shuffled), expected);
    }

    #[test]
    fn a_product_is_the_nearest_kopeck(
        price in -1_000_000_000_i64..1_000_000_000,
        number in 0_i64..1_000_000_000,
        scale in 0_u32..=6,
    ) {
        let quantity = Quantity::new(Decimal::new(number, scale)).unwrap();
        let product = Money::from_kopecks(price).times(quantity).unwrap();
        let one = 10_i128.pow(scale);
        let exact = i128::from(price) * i128::from(number);
        let rounded = i128::from(product.kopecks()) * one;
        prop_assert!((rounded - exact).abs() * 2 <= one, "off by more than half a kopeck");
        if (rounded - exact).abs() * 2 == one {
            prop_assert!(rounded.abs() > exact.abs(), "a half goes away from zero");
        }
    }

    #[test]
    fn a_product_of_units_is_a_repeated_sum(
        kopecks in -1_000_000_i64..1_000_000,
        units in 0_u16..200,
    ) {
        let price = Money::from_kopecks(kopecks);
        let sum = Money::sum(std::iter::repeat_n(price, units.into()));
        prop_assert_eq!(price.times(Quantity::from_units(units.into())), sum);
    }

    #[test]
    fn a_product_mirrors_its_sign(kopecks in 0_i64..1_000_000, quantity in quantity()) {
        let (plus, minus) = (Money::from_kopecks(kopecks), Money::from_kopecks(-kopecks));
        let mirrored = plus.times(quantity).map(|product| Money::from_kopecks(-product.kopecks()));
        prop_assert_eq!(minus.times(quantity), mirrored);
    }
}
