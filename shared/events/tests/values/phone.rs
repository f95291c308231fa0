//! Phones: one identity for every way to write a number, and no number out of a wrong one.

use events::{Phone, PhoneError};
use proptest::prelude::*;

use crate::{hash, rows};

const PREFIXES: [&str; 7] = ["+7", "8", "7", "007", "тел. +7", "(+7) ", "Tel: 8 "];
const SEPARATORS: [&str; 7] = ["", " ", "-", "\u{a0}", "\u{2011}", ") ", "."];
const SUFFIXES: [&str; 6] = ["", " ", " доб. 12", " (ext.12)", ";ext=12", "x12"];
/// Texts that are often, but not always, phone numbers.
const NEARLY: &str = "[+]?[78]?[ (]?[3-9][0-9]{2}[) ]{0,2}[0-9-]{6,9}(x[0-9]{0,3})?\
    |[+0-9 ()x.-]{0,24}|.*";

/// Ten digits of an assigned area.
fn national() -> impl Strategy<Value = String> {
    "([3479][0-9]|8[0-7])[0-9]{8}"
}

#[test]
fn vectors() {
    for [input, e164, extension, note] in rows(include_str!("../vectors/phone.tsv")) {
        let parsed = Phone::parse_with_extension(input);
        match e164 {
            "" => assert!(parsed.is_err(), "{input:?} ({note}) gave a number"),
            _ => {
                let (phone, found) =
                    parsed.unwrap_or_else(|error| panic!("{input:?} ({note}): {error}"));
                assert_eq!(
                    (phone.to_string().as_str(), found.unwrap_or_default().as_str()),
                    (e164, extension)
                );
                assert_eq!(input.parse(), Ok(phone));
            }
        }
    }
}

#[test]
fn refusals_say_what_is_wrong() {
    for (text, error) in [
        ("", PhoneError::Empty),
        ("тел.", PhoneError::Empty),
        ("7999", PhoneError::Length(4)),
        ("891612345678", PhoneError::Length(12)),
        ("+7916123456", PhoneError::Length(10)),
        ("7916123456", PhoneError::Ambiguous),
        ("8916123456", PhoneError::Ambiguous),
        ("+7 000 000 00 00", PhoneError::AreaCode),
        ("+78916123456", PhoneError::AreaCode),
        ("+84912345678", PhoneError::Foreign),
        ("+375291234567", PhoneError::Foreign),
        ("0049301234567", PhoneError::Foreign),
        ("11231231231", PhoneError::Foreign),
        ("+7916ABCDEFG", PhoneError::Unexpected),
        ("8+9161234567", PhoneError::Unexpected),
        ("89161234567 доб. +5", PhoneError::Unexpected),
    ] {
        assert_eq!(text.parse::<Phone>(), Err(error), "{text}");
    }
    assert_eq!("1".repeat(100_000).parse::<Phone>(), Err(PhoneError::TooLong));
}

#[test]
fn debug_hides_all_but_two_digits() {
    let phone: Phone = "+79161234567".parse().unwrap();
    assert_eq!(format!("{phone:?}"), "Phone(+7********67)");
    assert_eq!(phone.last4(), "4567");
    assert_eq!("+74950000007".parse::<Phone>().unwrap().last4(), "0007");
}

proptest! {
    #[test]
    fn every_way_to_write_it_is_the_same_phone(
        national in national(),
        prefix in prop::sample::select(PREFIXES.to_vec()),
        separators in prop::collection::vec(prop::sample::select(SEPARATORS.to_vec()), 10),
        suffix in prop::sample::select(SUFFIXES.to_vec()),
    ) {
        let expected: Phone = format!("+7{national}").parse().unwrap();
        let spread = national.chars().zip(separators).map(|(digit, after)| format!("{digit}{after}"));
        let spread: String = spread.collect();
        let written: Phone = format!("{prefix}{spread}{suffix}").parse().unwrap();
        prop_assert_eq!(written, expected);
        prop_assert_eq!(hash(&written), hash(&expected));
        prop_assert_eq!(written.to_string(), format!("+7{national}"));
    }

    #[test]
    fn json_round_trips(national in national()) {
        let phone: Phone = format!("+7{national}").parse().unwrap();
        let json = serde_json::to_string(&phone).unwrap();
        prop_assert_eq!(&json, &format!("\"+7{national}\""));
        prop_assert_eq!(serde_json::from_str::<Phone>(&json).unwrap(), phone);
    }

    #[test]
    fn a_digit_too_few_or_too_many_is_refused(
        national in national(),
        digit in 0_u8..10,
        place in 0_usize..10,
    ) {
        let mut more = national.clone();
        more.insert_str(place, &digit.to_string());
        let mut fewer = national;
        fewer.remove(place);
        let refused =
            |prefix: &str, digits: &str| format!("{prefix}{digits}").parse::<Phone>().is_err();
        for prefix in ["+7", "007"] {
            prop_assert!(refused(prefix, &more));
            prop_assert!(refused(prefix, &fewer));
        }
        prop_assert!(refused("8", &more));
    }

    #[test]
    fn a_mobile_number_that_lost_a_digit_is_refused(rest in "[0-9]{8}", trunk in "[78]") {
        let text = format!("{trunk}9{rest}");
        prop_assert!(text.parse::<Phone>().is_err());
    }

    #[test]
    fn whatever_is_accepted_is_e164_of_its_own_digits(text in NEARLY) {
        if let Ok((phone, extension)) = Phone::parse_with_extension(&text) {
            let e164 = phone.to_string();
            prop_assert!(e164.starts_with("+7") && e164.len() == 12);
            prop_assert_eq!(e164.parse(), Ok(phone));
            if text.is_ascii() {
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                let national = e164.trim_start_matches("+7");
                let expected = format!("{national}{}", extension.unwrap_or_default());
                prop_assert!(digits.ends_with(&expected), "no digit is added, dropped or moved");
            }
        }
    }
}
