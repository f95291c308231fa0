//! Mark codes: every byte arrives, nothing secret is printed.

use events::{MarkCode, MarkError};
use proptest::prelude::*;

/// A made-up code: GTIN, serial, separator, key and tail.
const CODE: &str = "010460000000000021abcDEF\"'<&,;1\u{1d}91EE11\u{1d}92c2VjcmV0IHRhaWw=";

#[test]
fn separators_survive_the_wire() {
    let code = MarkCode::from_text(CODE).unwrap();
    assert_eq!(code.as_bytes(), CODE.as_bytes());
    assert_eq!(code.as_bytes().iter().filter(|byte| **byte == 0x1D).count(), 2);
    let json = serde_json::to_string(&code).unwrap();
    assert!(!json.contains('\\'), "nothing on the wire needs an escape");
    assert_eq!(serde_json::from_str::<MarkCode>(&json).unwrap(), code);
}

#[test]
fn debug_shows_gtin_and_length_only() {
    let shown = |text: &str| format!("{:?}", MarkCode::from_text(text).unwrap());
    assert_eq!(shown(CODE), "MarkCode(gtin 04600000000000, 57 bytes)");
    assert_eq!(shown(&format!("\u{1d}{CODE}")), "MarkCode(gtin 04600000000000, 58 bytes)");
    assert_eq!(shown("22NABCDEFGHIJKLMNOPQRSTUVWXYZ01234"), "MarkCode(gtin unknown, 34 bytes)");
    assert_eq!(shown("01046000000000"), "MarkCode(gtin unknown, 14 bytes)");
    assert_eq!(shown("01O4600000000000"), "MarkCode(gtin unknown, 16 bytes)");
}

#[test]
fn lengths_have_bounds() {
    assert_eq!(MarkCode::from_text(""), Err(MarkError::Empty));
    assert_eq!(MarkCode::from_base64(""), Err(MarkError::Empty));
    assert!(MarkCode::from_bytes(vec![0; 512]).is_ok());
    assert_eq!(MarkCode::from_bytes(vec![0; 513]), Err(MarkError::TooLong));
    assert_eq!(MarkCode::from_text(&"A".repeat(513)), Err(MarkError::TooLong));
    assert_eq!(MarkCode::from_base64(&"A".repeat(684)), Err(MarkError::TooLong));
    assert_eq!(MarkCode::from_base64(&"A".repeat(10_000_000)), Err(MarkError::TooLong));
}

#[test]
fn only_standard_base64_is_read() {
    for text in ["QQ", "QQ=", "QR==", "Q Q=", "Q-_=", "\u{1d}", "QQ==\n"] {
        assert_eq!(MarkCode::from_base64(text), Err(MarkError::Base64), "{text:?}");
    }
    assert_eq!(MarkCode::from_base64("QQ==").unwrap().as_bytes(), b"A");
}

proptest! {
    #[test]
    fn bytes_round_trip(bytes in prop::collection::vec(any::<u8>(), 1..=512)) {
        let code = MarkCode::from_bytes(bytes.clone()).unwrap();
        prop_assert_eq!(code.as_bytes(), bytes.as_slice());
        prop_assert_eq!(&MarkCode::from_base64(&code.to_base64()).unwrap(), &code);
        let json = serde_json::to_string(&code).unwrap();
        prop_assert_eq!(serde_json::from_str::<MarkCode>(&json).unwrap(), code);
    }

    #[test]
    fn one_code_has_one_text(text in "[A-Za-z0-9+/]{0,8}[=]{0,2}|.*") {
        if let Ok(code) = MarkCode::from_base64(&text) {
            prop_assert_eq!(code.to_base64(), text);
        }
    }

    #[test]
    fn debug_never_shows_what_follows_the_gtin(tail in "[!-~]{6,40}") {
        let code = MarkCode::from_text(&format!("0104600000000000{tail}")).unwrap();
        let shown = format!("{code:?}");
        prop_assert!(!shown.contains(&tail));
    }
}
