//! What people are shown of messages: no secrets, no mark codes.

use std::collections::BTreeMap;

use serde_json::Value;

/// What stands for a masked value.
const MASK: &str = "•••";

/// Words in a name whose value nobody is shown.
const SECRET: [&str; 8] =
    ["token", "secret", "password", "auth", "signature", "sign_key", "api_key", "marks"];

/// JSON with the values of telling names masked; what is no JSON as far as it is text.
pub(crate) fn body(bytes: &[u8]) -> String {
    match serde_json::from_slice::<Value>(bytes) {
        Ok(mut value) => {
            hide(&mut value);
            serde_json::to_string_pretty(&value).unwrap_or_else(|_| MASK.to_owned())
        }
        Err(_) => String::from_utf8_lossy(bytes).chars().take(4_000).collect(),
    }
}

/// Headers as they are kept: bounded, without NUL, secrets masked.
pub(crate) fn headers(headers: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let shown = headers.iter().take(64).map(|(name, value)| {
        let value = if is_secret(name) { MASK.to_owned() } else { value.replace('\0', "") };
        (name.replace('\0', ""), value.chars().take(2_000).collect())
    });
    shown.collect()
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::Array(all) if is_secret(name) && all.is_empty() => {}
                    value if is_secret(name) && !value.is_boolean() && !value.is_null() => {
                        *value = Value::from(MASK);
                    }
                    value => hide(value),
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(hide),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRET.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::body;

    #[test]
    fn secrets_and_marks_are_masked_at_any_depth() {
        let shown = body(br#"{"auth":{"application_token":"x1"},"lines":[{"marks":["x2"],"marked":true}],"n":7}"#);
        assert!(!shown.contains("x1") && !shown.contains("x2"), "{shown}");
        assert!(shown.contains("\"n\": 7") && shown.contains("\"marked\": true"), "{shown}");
    }

    #[test]
    fn what_is_no_json_is_bounded() {
        assert_eq!(body(&[b'x'; 9_000]).len(), 4_000);
    }
}
