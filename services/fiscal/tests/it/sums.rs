//! Discounts and split lines: our vectors, real receipts, and laws for every number.

use events::{Money, Quantity};
use fiscal::receipt::{allocate, split};
use proptest::prelude::*;
use serde_json::Value;

fn kop(kopecks: i64) -> Money {
    Money::from_kopecks(kopecks)
}

fn amounts(value: &Value) -> Vec<Money> {
    value.as_array().unwrap().iter().map(|kopecks| kop(kopecks.as_i64().unwrap())).collect()
}

#[test]
fn discounts_are_allocated_as_in_the_vectors() {
    let vectors: Value =
        serde_json::from_str(include_str!("../vectors/discount_allocation.json")).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 8);
    for case in cases {
        let sums = amounts(&case["position_sums"]);
        let discount = kop(case["discount"].as_i64().unwrap());
        let parts = allocate(discount, &sums).unwrap();
        assert_eq!(parts, amounts(&case["allocated"]), "{case}");
        let after: Vec<Money> =
            sums.iter().zip(&parts).map(|(sum, part)| sum.checked_sub(*part).unwrap()).collect();
        assert_eq!(after, amounts(&case["after"]), "{case}");
    }
}

#[test]
fn lines_are_split_as_in_the_vectors() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/split_lines.json")).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 7);
    for case in cases {
        let target = kop(case["target_sum"].as_i64().unwrap());
        let quantity = Quantity::from_units(case["quantity"].as_u64().unwrap());
        let lines = case["lines"].as_array().unwrap().iter();
        let expected: Vec<(Money, Quantity)> = lines
            .map(|line| {
                let units = Quantity::from_units(line["quantity"].as_u64().unwrap());
                (kop(line["price"].as_i64().unwrap()), units)
            })
            .collect();
        assert_eq!(split(target, quantity).unwrap(), expected, "{case}");
    }
}

#[test]
fn what_cannot_be_allocated_or_split_is_none() {
    assert_eq!(allocate(kop(-1), &[kop(5)]), None);
    assert_eq!(allocate(kop(6), &[kop(5)]), None);
    assert_eq!(allocate(kop(1), &[]), None);
    assert_eq!(allocate(kop(1), &[kop(5), kop(-1)]), None);
    assert_eq!(split(kop(1), Quantity::ZERO), None);
    assert_eq!(split(kop(-1), Quantity::ONE), None);
}

#[test]
fn a_fraction_takes_the_lower_price_and_whole_units_the_rest() {
    // 4.5 x 2.22 = 9.99 and 4.5 x 2.23 = 10.04 (half up): 10.00 needs two prices.
    let parts = split(kop(1_000), "4.5".parse().unwrap()).unwrap();
    assert_eq!(
        parts,
        [
            (kop(222), Quantity::from_units(3)),
            (kop(223), Quantity::from_units(1)),
            (kop(222), "0.5".parse().unwrap()),
        ]
    );
}

fn quantity() -> impl Strategy<Value = Quantity> {
    prop_oneof![
        (1_u64..2_000).prop_map(Quantity::from_units),
        (1_u64..2_000_000, 1_u32..=6).prop_map(|(mantissa, scale)| {
            let digits = usize::try_from(scale).unwrap() + 1;
            let text = format!("{mantissa:0digits$}");
            let (whole, part) = text.split_at(text.len() + 1 - digits);
            format!("{whole}.{part}").parse().unwrap()
        }),
    ]
}

proptest! {
    #[test]
    fn allocated_parts_make_the_discount_and_stay_within_their_sums(
        sums in prop::collection::vec(0_i64..10_000_000_000, 1..40),
        seed in any::<u64>(),
    ) {
        let total: i64 = sums.iter().sum();
        let discount = u64::try_from(total).unwrap().checked_add(1).map(|all| seed % all);
        let discount = kop(i64::try_from(discount.unwrap()).unwrap());
        let sums: Vec<Money> = sums.into_iter().map(kop).collect();
        let parts = allocate(discount, &sums).unwrap();
        prop_assert_eq!(Money::sum(parts.iter().copied()), Some(discount));
        for (part, sum) in parts.iter().zip(&sums) {
            prop_assert!(*part >= Money::ZERO && part <= sum);
            // Within a kopeck of the exact share.
            let exact = i128::from(sum.kopecks()) * i128::from(discount.kopecks());
            let given = i128::from(part.kopecks()) * i128::from(total);
            prop_assert!((exact - given).abs() < i128::from(total.max(1)));
        }
    }

    #[test]
    fn split_lines_make_exactly_the_target(
        target in prop_oneof![0_i64..100, 0_i64..10_000_000_000],
        quantity in quantity(),
    ) {
        prop_assume!(!quantity.is_zero());
        let parts = split(kop(target), quantity).unwrap();
        prop_assert!((1..=3).contains(&parts.len()));
        let sums = parts.iter().map(|(price, quantity)| price.times(*quantity).unwrap());
        prop_assert_eq!(Money::sum(sums), Some(kop(target)));
        let all = parts.iter().map(|(_, quantity)| *quantity);
        prop_assert_eq!(all.reduce(|a, b| a.checked_add(b).unwrap()), Some(quantity));
        prop_assert!(parts.iter().all(|(price, _)| !price.is_negative()));
        prop_assert!(parts.iter().all(|(_, quantity)| !quantity.is_zero()));
        let prices = parts.iter().map(|(price, _)| price.kopecks());
        prop_assert!(prices.clone().max().unwrap() - prices.min().unwrap() <= 1);
    }
}
