//! INN and KPP: check digits and forms.

use events::{Inn, InnError, InnKind, Kpp};
use proptest::prelude::*;

#[test]
fn real_numbers_are_accepted() {
    for (text, kind) in [
        ("7707083893", InnKind::Organisation),
        ("7736050003", InnKind::Organisation),
        ("0274062111", InnKind::Organisation),
        (" 7736207543\n", InnKind::Organisation),
        ("500100732259", InnKind::Person),
    ] {
        let inn: Inn = text.parse().unwrap();
        assert_eq!((inn.kind(), inn.to_string().as_str()), (kind, text.trim()));
    }
}

#[test]
fn wrong_numbers_are_refused() {
    for (text, error) in [
        ("", InnError::Length(0)),
        ("770708389", InnError::Length(9)),
        ("77070838930", InnError::Length(11)),
        ("5001007322590", InnError::Length(13)),
        ("7707083894", InnError::CheckDigit),
        ("7707083983", InnError::CheckDigit),
        ("500100732258", InnError::CheckDigit),
        ("500100732249", InnError::CheckDigit),
        ("0000000000", InnError::Region),
        ("000000000000", InnError::Region),
        ("77O7083893", InnError::NotDigits),
        ("7707 083893", InnError::NotDigits),
        ("٧٧٠٧٠٨٣٨٩٣", InnError::NotDigits),
    ] {
        assert_eq!(text.parse::<Inn>(), Err(error), "{text}");
    }
}

#[test]
fn debug_hides_a_person() {
    assert_eq!(format!("{:?}", "500100732259".parse::<Inn>().unwrap()), "Inn(**********59)");
    assert_eq!(format!("{:?}", "7707083893".parse::<Inn>().unwrap()), "Inn(7707083893)");
}

#[test]
fn kpp_forms() {
    for text in ["773601001", "7736AZ001", "77360Z001", " 773643001 "] {
        assert_eq!(text.parse::<Kpp>().unwrap().to_string(), text.trim());
    }
    for text in [
        "",
        "77360100",
        "7736010011",
        "7736az001",
        "A73601001",
        "773601A01",
        "7736ЯЯ001",
        "7736Я01",
    ] {
        assert_eq!(text.parse::<Kpp>(), Err(InnError::KppForm), "{text}");
    }
}

/// An organisation's number without its check digit.
const BODY: &str = "(0[1-9]|[1-9][0-9])[0-9]{7}";

/// How many of `texts` are numbers.
fn valid(texts: impl Iterator<Item = String>) -> usize {
    texts.filter(|text| text.parse::<Inn>().is_ok()).count()
}

proptest! {
    #[test]
    fn one_organisation_in_ten_and_one_person_in_a_hundred(body in BODY, next in 0..10) {
        prop_assert_eq!(valid((0..10).map(|check| format!("{body}{check}"))), 1);
        prop_assert_eq!(valid((0..100).map(|check| format!("{body}{next}{check:02}"))), 1);
    }

    #[test]
    fn json_round_trips(body in BODY) {
        let mut candidates = (0..10).map(|check| format!("{body}{check}"));
        let inn: Inn = candidates.find_map(|text| text.parse().ok()).unwrap();
        let text = inn.to_string();
        prop_assert!(text.starts_with(&body));
        let json = serde_json::to_string(&inn).unwrap();
        prop_assert_eq!(&json, &format!("\"{text}\""));
        prop_assert_eq!(serde_json::from_str::<Inn>(&json).unwrap(), inn);
    }

    #[test]
    fn kpp_round_trips(text in "[0-9]{4}[0-9A-Z]{2}[0-9]{3}") {
        let kpp: Kpp = text.parse().unwrap();
        let json = serde_json::to_string(&kpp).unwrap();
        prop_assert_eq!(&json, &format!("\"{text}\""));
        prop_assert_eq!(serde_json::from_str::<Kpp>(&json).unwrap(), kpp);
    }

    #[test]
    fn no_text_makes_it_panic(text: String) {
        let len = text.trim().len();
        prop_assert!(text.parse::<Inn>().is_err() || matches!(len, 10 | 12));
        prop_assert!(text.parse::<Kpp>().is_err() || len == 9);
    }
}
