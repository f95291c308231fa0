//! What people are shown of messages: no secrets, no mark codes.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

/// What stands for a masked value.
const MASK: &str = "•••";

/// Words in a name whose value nobody is shown; `_` and `-` in the name do not count.
const SECRET: [&str; 10] = [
    "token",
    "secret",
    "password",
    "auth",
    "signature",
    "signkey",
    "apikey",
    "marks",
    "markcode",
    "markingcode",
];

/// JSON with the values of telling names masked; what is no JSON as far as it is text. Neither
/// shows a mark code.
pub(crate) fn body(bytes: &[u8]) -> String {
    match serde_json::from_slice::<Value>(bytes) {
        Ok(mut value) => {
            hide(&mut value);
            serde_json::to_string_pretty(&value).unwrap_or_else(|_| MASK.to_owned())
        }
        Err(_) => codes(&String::from_utf8_lossy(bytes).chars().take(4_000).collect::<String>()),
    }
}

/// Headers as they are kept: bounded, without NUL, secrets masked.
pub(crate) fn headers(headers: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let shown = headers.iter().take(64).map(|(name, value)| {
        let value = if is_secret(name) { MASK.to_owned() } else { codes(&value.replace('\0', "")) };
        (name.replace('\0', ""), value.chars().take(2_000).collect())
    });
    shown.collect()
}

/// The text without its mark codes, be they plain or base64: of each the GTIN stays, as its serial
/// is nobody's business who does not have the goods.
pub(crate) fn codes(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let found = if shown.ends_with(|c: char| c.is_ascii_digit()) && !shown.ends_with("]d2") {
            None
        } else {
            code(rest)
        };
        let length = match &found {
            Some((gtin, length)) => {
                shown.push_str(&format!("{MASK} (GTIN {gtin})"));
                *length
            }
            None => {
                shown.push(first);
                first.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    shown
}

/// The GTIN of the mark code that this text begins with, and how long the code is.
fn code(text: &str) -> Option<(String, usize)> {
    let blank = |c: char| c.is_whitespace();
    if let Some(gtin) = gtin(text.as_bytes()) {
        return Some((gtin, text.find(blank).unwrap_or(text.len())));
    }
    // What "01", "(01)" and the separator before "01" begin with in base64.
    if !["MDE", "KDAx", "HTAx"].iter().any(|begin| text.starts_with(begin)) {
        return None;
    }
    let other = |c: char| !(c.is_ascii_alphanumeric() || "+/=".contains(c));
    let run = text.get(..text.find(other).unwrap_or(text.len()))?;
    // The code's beginning is enough, and what follows need not be whole.
    let begin = run.get(..run.trim_end_matches('=').len().min(32) / 4 * 4)?;
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let lenient = GeneralPurpose::new(&STANDARD, config.with_decode_allow_trailing_bits(true));
    Some((gtin(&lenient.decode(begin).ok()?)?, run.len()))
}

/// The GTIN of what begins as a mark code does.
///
/// Source: GS1 General Specifications, AIs 01 and 21.
fn gtin(code: &[u8]) -> Option<String> {
    let code = code.strip_prefix(&[0x1D]).unwrap_or(code);
    let after = |brackets: bool| if brackets { ("(01)", "(21)") } else { ("01", "21") };
    [false, true].into_iter().map(after).find_map(|(before, between)| {
        let rest = code.strip_prefix(before.as_bytes())?;
        let gtin = rest.get(..14).filter(|gtin| gtin.iter().all(u8::is_ascii_digit))?;
        rest.get(14..)?.strip_prefix(between.as_bytes())?;
        String::from_utf8(gtin.to_vec()).ok()
    })
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(fields) => hide_fields(fields),
        Value::Array(all) => all.iter_mut().for_each(hide),
        // A webhook carries the shop's snapshot as a text.
        Value::String(text) => *text = inside(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn hide_fields(fields: &mut Map<String, Value>) {
    // A property has its name beside its value.
    let property = ["code", "name"].iter().any(|name| {
        let told = fields.get(*name).and_then(Value::as_str);
        told.is_some_and(is_secret)
    });
    for (name, value) in fields {
        match value {
            Value::Array(all) if is_secret(name) && all.is_empty() => {}
            value if is_secret(name) || property && matches!(name.as_str(), "value" | "values") => {
                if !value.is_boolean() && !value.is_null() {
                    *value = Value::from(MASK);
                }
            }
            value => hide(value),
        }
    }
}

/// A text as it is shown: JSON in it is masked as the message itself.
fn inside(text: &str) -> String {
    if text.trim_start().starts_with(['{', '['])
        && let Ok(mut value) = serde_json::from_str::<Value>(text)
    {
        hide(&mut value);
        return value.to_string();
    }
    codes(text)
}

fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase().replace(['_', '-'], "");
    SECRET.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::{body, codes};

    const CODE: &str = "0104607034691195215Qf3kR!\u{1d}91EE06\u{1d}92dGVzdHRlc3Q=";

    #[test]
    fn secrets_and_marks_are_masked_at_any_depth() {
        let shown = body(br#"{"auth":{"application_token":"x1"},"lines":[{"marks":["x2"],"marked":true}],"n":7}"#);
        assert!(!shown.contains("x1") && !shown.contains("x2"), "{shown}");
        assert!(shown.contains("\"n\": 7") && shown.contains("\"marked\": true"), "{shown}");
    }

    #[test]
    fn a_snapshot_in_a_webhook_is_masked_as_the_message_itself() {
        let code = events::MarkCode::from_text(CODE).unwrap().to_base64();
        let snapshot = serde_json::json!({
            "id": 1042,
            "stores": [{ "MARKING_CODE_B64": "hidden1", "marking_code_b64": code }],
            "properties": [
                { "code": "MARK_CODE", "value": "00000046198488X?io+qCABm8wAYa" },
                { "code": "MARK_CODE_B64", "value": ["hidden2"] },
                { "code": "COMMENT", "value": code },
                { "code": "CITY", "value": "Тверь" },
            ],
            "auth": { "x": "hidden3" },
            "comment": CODE,
        });
        let webhook =
            serde_json::json!({ "name": "ONSALEORDERSAVED", "body": snapshot.to_string() });
        let shown = body(webhook.to_string().as_bytes());
        let told = ["hidden", "5Qf3kR", "dGVzd", "X?io", code.as_str(), "NUYzR"];
        for part in told {
            assert!(!shown.contains(part), "{part}: {shown}");
        }
        for part in ["1042", "Тверь", "ONSALEORDERSAVED", "GTIN 04607034691195"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }

    #[test]
    fn of_a_mark_code_the_gtin_stays_wherever_it_stands() {
        let whole = "••• (GTIN 04607034691195)";
        let base64 = events::MarkCode::from_text(CODE).unwrap().to_base64();
        let begun = events::MarkCode::from_text(&format!("\u{1d}{CODE}")).unwrap().to_base64();
        for (text, expected) in [
            (CODE.to_owned(), whole.to_owned()),
            (format!("]d2{CODE} and on"), format!("]d2{whole} and on")),
            ("(01)04607034691195(21)5Qf3kR".to_owned(), whole.to_owned()),
            (format!("Код {CODE} занят."), format!("Код {whole} занят.")),
            (format!("{{\"c\":\"{base64}\""), format!("{{\"c\":\"{whole}\"")),
            (format!("x={begun}"), format!("x={whole}")),
            (base64.trim_end_matches('=').to_owned(), whole.to_owned()),
            ("MDEx and 0104607034691195".to_owned(), "MDEx and 0104607034691195".to_owned()),
            ("40702810104607034691195215".to_owned(), "40702810104607034691195215".to_owned()),
        ] {
            assert_eq!(codes(&text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_bounded_and_shows_no_mark_code_either() {
        assert_eq!(body(&[b'x'; 9_000]).len(), 4_000);
        assert!(!body(format!("{{ cut {CODE}").as_bytes()).contains("5Qf3kR"));
    }
}
