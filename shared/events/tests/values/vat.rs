//! VAT: names, Bitrix's fractions, the tax inside a sum.

use events::{Money, Vat, VatError};
use proptest::prelude::*;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::{rows, vendor_file};

fn vat() -> impl Strategy<Value = Vat> {
    prop::sample::select(Vat::ALL.to_vec())
}

#[test]
fn the_wire_names() {
    let names = [
        "none", "vat0", "vat5", "vat7", "vat10", "vat20", "vat22", "vat105", "vat107", "vat110",
        "vat120", "vat122",
    ];
    for (vat, name) in Vat::ALL.into_iter().zip(names) {
        assert_eq!(serde_json::to_string(&vat).unwrap(), format!("\"{name}\""));
        assert_eq!(serde_json::from_str::<Vat>(&format!("\"{name}\"")).unwrap(), vat);
        assert_eq!(name.parse(), Ok(vat));
        assert_eq!(vat.to_string(), name);
    }
    assert_eq!(Vat::ALL.len(), names.len());
    for json in ["null", "20", "\"vat18\"", "\"vat118\"", "\"VAT20\"", "\"\"", "\"0\""] {
        assert!(serde_json::from_str::<Vat>(json).is_err(), "{json}");
    }
}

#[test]
fn bitrix_fractions() {
    for (text, vat) in [
        ("0", Vat::V0),
        ("0.0000", Vat::V0),
        ("0.05", Vat::V5),
        ("0.07", Vat::V7),
        ("0.1", Vat::V10),
        ("0.10", Vat::V10),
        ("0.2", Vat::V20),
        ("0.20", Vat::V20),
        ("0.2000", Vat::V20),
        ("2E-1", Vat::V20),
        ("0.22", Vat::V22),
    ] {
        assert_eq!(Vat::from_bitrix_fraction(text), Ok(vat), "{text}");
    }
}

#[test]
fn an_unknown_fraction_is_an_error_never_a_default() {
    for text in [
        "",
        "null",
        "20",
        "22",
        "1",
        "0.18",
        "0.2000000001",
        "-0.2",
        "0,2",
        "20%",
        "0.21",
        "0.070000000000000007",
    ] {
        let error = Vat::from_bitrix_fraction(text).unwrap_err();
        assert_eq!(error, VatError::UnknownFraction(text.to_owned()));
    }
}

#[test]
fn an_error_quotes_only_the_beginning_of_a_foreign_text() {
    let error = Vat::from_bitrix_fraction(&"ж".repeat(100_000)).unwrap_err();
    assert!(error.to_string().chars().count() < 80);
    let error = "ж".repeat(100_000).parse::<Vat>().unwrap_err();
    assert!(error.to_string().chars().count() < 80);
}

#[test]
fn rates_pair_with_calculated_rates() {
    for (plain, calculated) in [
        (Vat::V5, Vat::C5),
        (Vat::V7, Vat::C7),
        (Vat::V10, Vat::C10),
        (Vat::V20, Vat::C20),
        (Vat::V22, Vat::C22),
    ] {
        assert_eq!(plain.calculated(), Ok(calculated));
        assert_eq!(calculated.calculated(), Ok(calculated));
        assert_eq!((calculated.plain(), plain.plain()), (plain, plain));
        assert!(calculated.is_calculated() && !plain.is_calculated());
        assert_eq!(calculated.percent(), plain.percent());
    }
    for vat in [Vat::None, Vat::V0] {
        assert_eq!(vat.calculated(), Err(VatError::NoCalculatedRate(vat)));
        assert_eq!(vat.plain(), vat);
        assert!(!vat.is_calculated());
    }
    assert_eq!((Vat::None.percent(), Vat::V0.percent()), (None, Some(0)));
}

#[test]
fn tax_vectors() {
    for [name, sum, tax] in rows(include_str!("../vectors/vat.tsv")) {
        check_tax(name.parse().unwrap(), sum, (!tax.is_empty()).then_some(tax));
    }
}

#[test]
fn tax_as_real_registers_computed_it() {
    let Some(table) = vendor_file("fiscal/vectors/vat.tsv") else { return };
    for [name, sum, tax, _note] in rows(&table) {
        match name {
            // The 18 % era is over: no receipt may be made with it.
            "vat118" => assert!(name.parse::<Vat>().is_err()),
            // The table says 0; there is no tax to state at all.
            "none" => check_tax(Vat::None, sum, None),
            _ => check_tax(name.parse().unwrap(), sum, Some(tax)),
        }
    }
}

fn check_tax(vat: Vat, sum: &str, tax: Option<&str>) {
    let included = vat.included_in(Money::from_kopecks(sum.parse().unwrap()));
    let tax = tax.map(|tax| Money::from_kopecks(tax.parse().unwrap()));
    assert_eq!(included, tax, "{vat} of {sum} kopecks");
}

proptest! {
    #[test]
    fn tax_is_the_nearest_kopeck(vat in vat(), kopecks in -1_000_000_000_i64..1_000_000_000) {
        let tax = vat.included_in(Money::from_kopecks(kopecks));
        let expected = vat.percent().map(|percent| {
            let exact = Decimal::from(kopecks * i64::from(percent)) / Decimal::from(100 + percent);
            exact.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)
        });
        prop_assert_eq!(tax.map(|tax| Decimal::from(tax.kopecks())), expected);
    }

    #[test]
    fn tax_never_overflows_and_lies_within_the_sum(vat in vat(), kopecks: i64) {
        let tax = vat.included_in(Money::from_kopecks(kopecks));
        prop_assert_eq!(tax.is_some(), vat != Vat::None);
        if let Some(tax) = tax {
            prop_assert!(tax.kopecks().unsigned_abs() <= kopecks.unsigned_abs());
            prop_assert_eq!(vat.plain().included_in(Money::from_kopecks(kopecks)), Some(tax));
        }
    }

    #[test]
    fn only_the_six_fractions_of_the_law_are_known(thousandths in 0_i64..10_000) {
        let text = Decimal::new(thousandths, 3).to_string();
        let known = [0, 50, 70, 100, 200, 220].contains(&thousandths);
        prop_assert_eq!(Vat::from_bitrix_fraction(&text).is_ok(), known);
    }

    #[test]
    fn no_text_makes_it_panic(text: String) {
        let digits = text.bytes().any(|byte| byte.is_ascii_digit());
        prop_assert!(Vat::from_bitrix_fraction(&text).is_err() || digits);
        prop_assert!(text.parse::<Vat>().is_err() || text.starts_with("vat") || text == "none");
    }
}
