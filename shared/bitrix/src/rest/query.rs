//! Parameters as a query string with PHP brackets: the form of a command in a `batch`.

use form_urlencoded::Serializer;
use serde_json::Value;

/// One command of a batch: `sale.order.get?id=236`.
///
/// Objects and lists become brackets (`fields[order][id]`, `select[0]`), numbers keep their
/// digits. PHP has no way to write an empty object or list, nor null: they are left out.
pub(super) fn command(method: &str, params: &Value) -> String {
    let mut query = Serializer::new(String::new());
    if let Value::Object(map) = params {
        for (name, value) in map {
            append(&mut query, name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { method.to_owned() } else { format!("{method}?{query}") }
}

fn append(query: &mut Serializer<'_, String>, name: &str, value: &Value) {
    let one = |query: &mut Serializer<'_, String>, text: &str| {
        query.append_pair(name, text);
    };
    match value {
        Value::Null => (),
        Value::Bool(yes) => one(query, if *yes { "1" } else { "0" }),
        Value::Number(number) => one(query, &number.to_string()),
        Value::String(text) => one(query, text),
        Value::Array(list) => {
            for (place, value) in list.iter().enumerate() {
                append(query, &format!("{name}[{place}]"), value);
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                append(query, &format!("{name}[{key}]"), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn plain(command: &str) -> Vec<(String, String)> {
        let (_, query) = command.split_once('?').unwrap_or((command, ""));
        form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    #[test]
    fn brackets_follow_the_nesting() {
        let params = json!({
            "fields": {"order": {"id": 236, "propertyValues": [{"orderPropsId": 51, "value": "ФН & 1"}]}},
            "select": ["id", "code"],
            "empty": [], "none": null, "blank": "",
        });
        let command = command("sale.propertyvalue.modify", &params);
        assert!(command.starts_with("sale.propertyvalue.modify?"));
        let pairs = plain(&command);
        let value =
            |name: &str| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.as_str());
        assert_eq!(value("fields[order][id]"), Some("236"));
        assert_eq!(value("fields[order][propertyValues][0][value]"), Some("ФН & 1"));
        assert_eq!(value("select[1]"), Some("code"));
        assert_eq!(value("blank"), Some(""));
        assert_eq!(pairs.len(), 6, "{pairs:?}");
    }

    #[test]
    fn a_call_without_parameters_has_no_question_mark() {
        assert_eq!(command("server.time", &json!({})), "server.time");
    }

    proptest! {
        #[test]
        fn any_text_survives(name in "[a-zA-Z]{1,8}", text in any::<String>()) {
            let params = Value::Object([(name.clone(), Value::String(text.clone()))].into_iter().collect());
            prop_assert_eq!(plain(&command("m", &params)), vec![(name, text)]);
        }
    }
}
