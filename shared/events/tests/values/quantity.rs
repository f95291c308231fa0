//! Quantities: exact, normalised, never negative.

use events::{Quantity, QuantityError};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::hash;

fn quantity() -> impl Strategy<Value = Quantity> {
    (0_i64..=i64::MAX, 0_u32..=6)
        .prop_map(|(number, scale)| Quantity::new(Decimal::new(number, scale)).unwrap())
}

#[test]
fn texts_are_read_exactly_and_printed_shortest() {
    for (text, shortest) in [
        ("1", "1"),
        ("1.0", "1"),
        ("1.0000000000", "1"),
        ("0.7460", "0.746"),
        ("2E1", "20"),
        ("100", "100"),
        ("0.000001", "0.000001"),
        ("-0", "0"),
        ("-0.000", "0"),
        ("99999999999999999999.999999", "99999999999999999999.999999"),
    ] {
        let quantity: Quantity = text.parse().unwrap();
        assert_eq!(quantity.to_string(), shortest, "{text}");
        assert_eq!(serde_json::to_string(&quantity).unwrap(), format!("\"{shortest}\""), "{text}");
    }
}

#[test]
fn other_texts_are_refused() {
    for (text, error) in [
        ("-1", QuantityError::Negative),
        ("-0.000001", QuantityError::Negative),
        ("0.0000001", QuantityError::TooPrecise),
        ("1E-7", QuantityError::TooPrecise),
        ("100000000000000000000", QuantityError::TooLarge),
        ("1E20", QuantityError::TooLarge),
        ("1E40", QuantityError::TooLarge),
        ("", QuantityError::NotANumber),
        ("1,5", QuantityError::NotANumber),
        ("1 шт", QuantityError::NotANumber),
        (" 1", QuantityError::NotANumber),
    ] {
        assert_eq!(text.parse::<Quantity>(), Err(error), "{text}");
    }
    assert_eq!(Quantity::new(Decimal::NEGATIVE_ONE), Err(QuantityError::Negative));
    assert_eq!(Quantity::new(Decimal::new(1, 7)), Err(QuantityError::TooPrecise));
    assert_eq!(Quantity::new(Decimal::MAX), Err(QuantityError::TooLarge));
    assert_eq!(Quantity::new(Decimal::new(10_000_000, 7)), Ok(Quantity::ONE));
}

#[test]
fn the_wire_is_a_string() {
    for json in ["1", "0.5", "\"-1\"", "\"\"", "null"] {
        assert!(serde_json::from_str::<Quantity>(json).is_err(), "{json}");
    }
}

#[test]
fn units_are_whole() {
    let units = |text: &str| text.parse::<Quantity>().unwrap().as_units();
    assert_eq!(units("3"), Some(3));
    assert_eq!(units("3.0"), Some(3));
    assert_eq!(units("0"), Some(0));
    assert_eq!(units("3.5"), None);
    assert_eq!(units("18446744073709551615"), Some(u64::MAX));
    assert_eq!(units("18446744073709551616"), None);
    assert!(Quantity::ZERO.is_zero() && Quantity::ZERO.is_integer());
    assert!(!Quantity::ONE.is_zero() && Quantity::ONE.is_integer());
}

proptest! {
    #[test]
    fn text_and_json_round_trip(quantity in quantity()) {
        prop_assert_eq!(quantity.to_string().parse(), Ok(quantity));
        let json = serde_json::to_string(&quantity).unwrap();
        prop_assert_eq!(serde_json::from_str::<Quantity>(&json).unwrap(), quantity);
    }

    #[test]
    fn trailing_zeros_change_nothing(quantity in quantity(), zeros in 1_usize..8) {
        let point = if quantity.is_integer() { "." } else { "" };
        let longer: Quantity = format!("{quantity}{point}{}", "0".repeat(zeros)).parse().unwrap();
        prop_assert_eq!(longer, quantity);
        prop_assert_eq!(hash(&longer), hash(&quantity));
        prop_assert_eq!(longer.to_string(), quantity.to_string());
    }

    #[test]
    fn units_round_trip(units: u64) {
        prop_assert_eq!(Quantity::from_units(units).as_units(), Some(units));
    }

    #[test]
    fn subtraction_undoes_addition(a in quantity(), b in quantity()) {
        prop_assert_eq!(a.checked_add(b), b.checked_add(a));
        prop_assert_eq!(a.checked_add(b).unwrap().checked_sub(b), Some(a));
        prop_assert_eq!(a.checked_sub(b).is_some(), a >= b, "never below zero");
    }

    #[test]
    fn any_text_is_read_exactly_or_refused(text in "[-+]?[0-9]{0,22}[.]?[0-9]{0,8}|.*") {
        if let Ok(quantity) = text.parse::<Quantity>() {
            prop_assert_eq!(quantity.to_string().parse(), Ok(quantity));
            prop_assert!(!quantity.to_string().starts_with('-'));
        }
    }
}
