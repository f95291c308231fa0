//! Labels: vectors of our own, the vendor material's where it is there, and laws.

use events::{Gtin, Ki, Label, LabelKind};
use proptest::prelude::*;
use serde_json::Value;

use crate::{rows, vendor_file};

const GS: &str = "\u{1d}";

/// Our table writes the separator as `{GS}`, a tab as `{TAB}`, and so on.
fn raw(cell: &str) -> String {
    [("{GS}", GS), ("{TAB}", "\t"), ("{CR}", "\r"), ("{LF}", "\n"), ("{NBSP}", "\u{a0}")]
        .iter()
        .fold(cell.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// What reading came to, in one line: `ok KI | tail | repairs` or `error code`.
fn outcome(text: &str) -> String {
    match Label::parse(text) {
        Err(error) => format!("error {}", error.code()),
        Ok(label) => {
            let repairs: Vec<_> = label.repairs().iter().map(|repair| repair.code()).collect();
            let tail = label.tail().replace(GS, "{GS}");
            format!("{:?} {} | {tail} | {}", label.kind(), label.ki().as_str(), repairs.join(","))
        }
    }
}

#[test]
fn our_vectors_hold() {
    for [name, text, expected] in rows(include_str!("../vectors/label.tsv")) {
        assert_eq!(outcome(&raw(text)), expected, "{name}");
    }
}

#[test]
fn the_vendor_materials_vectors_hold() {
    let Some(text) = vendor_file("marking/codes_vectors.json") else { return };
    let file: Value = serde_json::from_str(&text).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert!(vectors.len() > 20, "{} vectors", vectors.len());
    for vector in vectors {
        let name = vector["id"].as_str().unwrap();
        let expect = &vector["expect"];
        let read = Label::parse(vector["raw"].as_str().unwrap());
        if !expect["ok"].as_bool().unwrap() {
            assert_eq!(read.unwrap_err().code(), expect["error"].as_str().unwrap(), "{name}");
            continue;
        }
        let label = read.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(label.ki().as_str(), expect["ki"].as_str().unwrap(), "{name}");
        let notes: Vec<Value> =
            label.repairs().iter().map(|repair| Value::from(repair.code())).collect();
        assert_eq!(Value::from(notes), expect["notes"], "{name}");
        if expect["kind"] == "sscc" {
            assert_eq!(label.kind(), LabelKind::Sscc, "{name}");
            continue;
        }
        let gtin = label.gtin().unwrap();
        assert_eq!(gtin.as_str(), expect["gtin"].as_str().unwrap(), "{name}");
        assert_eq!(gtin.has_check_digit(), expect["gtin_check"].as_bool().unwrap(), "{name}");
        assert_eq!(label.serial(), expect["serial"].as_str(), "{name}");
        let parts: serde_json::Map<String, Value> =
            label.elements().iter().map(|(ai, value)| (ai.clone(), value.clone().into())).collect();
        assert_eq!(Value::from(parts), expect["ai"], "{name}");
        let strange: Vec<Value> =
            label.strange_characters().iter().map(|c| c.to_string().into()).collect();
        let expected =
            expect.get("chars_outside_set82").cloned().unwrap_or(Value::from(Vec::<Value>::new()));
        assert_eq!(Value::from(strange), expected, "{name}");
    }
}

#[test]
fn the_vendor_materials_keyboard_is_ours() {
    let Some(text) = vendor_file("marking/ru_en_layout.json") else { return };
    let file: Value = serde_json::from_str(&text).unwrap();
    for (russian, english) in file["map"].as_object().unwrap() {
        let english = english.as_str().unwrap();
        // A key that a serial can have is tried inside one, with a letter that tells the layout.
        let typed = format!("0104669000322220215ф{russian}");
        match Label::parse(&typed) {
            Ok(label) => assert_eq!(label.serial(), Some(format!("5a{english}").as_str())),
            Err(error) => panic!("{russian}: {error}"),
        }
    }
}

#[test]
fn a_label_shows_neither_serial_nor_tail() {
    let text = format!("0104653820923088215GoNfWgdcBeVZ{GS}93dGVz");
    let label = Label::parse(&text).unwrap();
    let shown = format!("{label:?} {} {:?}", label.ki(), label.ki());
    assert!(!shown.contains("5GoNfWgdcB") && !shown.contains("dGVz"), "{shown}");
    assert!(shown.contains("04653820923088"), "{shown}");
    assert_eq!(label.full().unwrap().as_bytes(), text.as_bytes());
}

#[test]
fn a_gtin_of_a_shorter_kind_has_zeros_in_front() {
    let gtin: Gtin = "4653820923088".parse().unwrap();
    assert_eq!(gtin.as_str(), "04653820923088");
    assert!(gtin.has_check_digit());
    assert!("4653820923089".parse::<Gtin>().unwrap().as_str().ends_with('9'));
    assert!(!"4653820923089".parse::<Gtin>().unwrap().has_check_digit());
    assert!("465382092308".parse::<Gtin>().is_ok() && "46538209230".parse::<Gtin>().is_err());
    assert!("46538209230a8".parse::<Gtin>().is_err());
}

#[test]
fn codes_that_differ_in_case_are_different_codes() {
    let (one, other) = ("0104653820923088215GoNfWgdcBeVZ", "0104653820923088215GONFWGDCBEVZ");
    assert_ne!(Label::parse(one).unwrap().ki(), Label::parse(other).unwrap().ki());
    assert!(Ki::try_from("too short".to_owned()).is_err());
}

/// A serial of set 82 of this length.
fn serial(length: usize) -> impl Strategy<Value = String> {
    proptest::string::string_regex(&format!("[A-Za-z0-9!\"%&'()*+,./:;<=>?_-]{{{length}}}"))
        .unwrap()
}

fn crypto() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[A-Za-z0-9+/]{43}=").unwrap()
}

proptest! {
    /// Whatever bytes come, reading ends, and what was read is part of the text.
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        if let Ok(label) = Label::parse(&text) {
            let again = Label::parse(&format!("{}{}", label.ki().as_str(), label.tail())).unwrap();
            prop_assert_eq!(again.ki(), label.ki());
            prop_assert_eq!(again.tail(), label.tail());
        }
    }

    /// Near-codes: pieces of labels in any order.
    #[test]
    fn pieces_of_labels_are_read_or_refused(pieces in prop::collection::vec(prop::sample::select(vec![
        "01", "04653820923088", "21", "5GoNfWgdcBeVZ", "\u{1d}", "91", "92", "93", "FFD0", "240", "6401", " ", "\t",
        "_x001D_", "<GS>", "]d2", "(01)", "(21)", "ф", "\\u001d", "3103", "8005", "'", "\u{feff}",
    ]), 0..12)) {
        let text = pieces.concat();
        if let Ok(label) = Label::parse(&text) {
            prop_assert!(label.ki().as_str().len() >= 18);
            prop_assert!(!label.tail().contains([' ', '\t']));
        }
    }

    /// What is not damaged is not touched; and each damage that can be undone is.
    #[test]
    fn what_is_mended_is_the_code_itself(serial in serial(13), crypto in crypto()) {
        let whole = format!("010465382092308821{serial}{GS}91EE12{GS}92{crypto}");
        let label = Label::parse(&whole).unwrap();
        prop_assert_eq!(label.repairs(), []);
        prop_assert_eq!(label.serial(), Some(serial.as_str()));
        for damaged in [
            whole.replace(GS, ""), whole.replace(GS, " "), whole.replace(GS, "\\u001d"), whole.replace(GS, "_x001D_"),
            format!("]d2{whole}\r\n"), format!("{GS}{whole}"), format!("'{whole}"), format!("\u{a0}{whole}\u{a0}"),
        ] {
            let mended = Label::parse(&damaged);
            // A serial that itself has the stand-in's letters cannot be told; it is never misread.
            if let Ok(mended) = mended {
                prop_assert_eq!(mended.ki(), label.ki());
                prop_assert_eq!(mended.tail(), label.tail());
                prop_assert!(!mended.repairs().is_empty());
            } else {
                prop_assert!(serial.contains("_x001D_") || serial.contains("91"), "{:?}", mended);
            }
        }
    }
}
