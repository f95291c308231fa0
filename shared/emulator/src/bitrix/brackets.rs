//! Query strings with PHP brackets (`fields[order][id]=236`), as they stand in the commands of a batch.

use serde_json::{Map, Value};

/// Brackets may be nested this deep.
const DEPTH_MAX: usize = 8;

/// Parses a query string into nested objects; `a[]` and `a[0]`, `a[1]` … make lists. `None` if it is malformed.
pub(super) fn parse(query: &str) -> Option<Map<String, Value>> {
    let mut root = Value::Object(Map::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let path = path(&name)?;
        insert(&mut root, &path, value.into_owned())?;
    }
    match lists(root) {
        Value::Object(map) => Some(map),
        Value::Array(list) if list.is_empty() => Some(Map::new()),
        _ => None,
    }
}

/// `a[b][]` is `["a", "b", ""]`.
fn path(name: &str) -> Option<Vec<&str>> {
    let (first, mut rest) = match name.split_once('[') {
        Some((first, rest)) => (first, Some(rest)),
        None => (name, None),
    };
    let mut path = vec![Some(first).filter(|first| !first.is_empty())?];
    while let Some(tail) = rest {
        let (key, after) = tail.split_once(']')?;
        path.push(key);
        rest = if after.is_empty() { None } else { Some(after.strip_prefix('[')?) };
    }
    Some(path).filter(|path| path.len() <= DEPTH_MAX)
}

/// Puts a value at its path; `None` if something else is there already.
fn insert(at: &mut Value, path: &[&str], value: String) -> Option<()> {
    let Value::Object(map) = at else { return None };
    let (key, rest) = path.split_first()?;
    let key = if key.is_empty() { map.len().to_string() } else { (*key).to_owned() };
    if rest.is_empty() {
        return map.insert(key, Value::String(value)).is_none().then_some(());
    }
    insert(map.entry(key).or_insert_with(|| Value::Object(Map::new())), rest, value)
}

/// Turns every object with the keys 0, 1, 2 … into a list, as PHP would have it.
fn lists(value: Value) -> Value {
    let Value::Object(map) = value else { return value };
    let count = map.len();
    let ordered = (0..count).all(|index| map.contains_key(&index.to_string()));
    let mut map: Map<String, Value> =
        map.into_iter().map(|(key, value)| (key, lists(value))).collect();
    if !ordered || count == 0 {
        return Value::Object(map);
    }
    Value::Array((0..count).filter_map(|index| map.remove(&index.to_string())).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nests_and_makes_lists() {
        let query = "fields%5Border%5D[id]=236&fields[order][propertyValues][0][orderPropsId]=1501\
            &fields[order][propertyValues][0][value]=%D0%A4%D0%9D+1&x[]=a&x[]=b&halt=1";
        let expected = json!({
            "fields": {"order": {"id": "236", "propertyValues": [{"orderPropsId": "1501", "value": "ФН 1"}]}},
            "x": ["a", "b"], "halt": "1",
        });
        assert_eq!(Value::Object(parse(query).unwrap()), expected);
        assert!(parse("").unwrap().is_empty());
    }

    #[test]
    fn refuses_what_does_not_nest() {
        for query in ["a[=1", "a[b=1", "a[b]c=1", "[a]=1", "a=1&a[b]=2", "a=1&a=2", "=1"] {
            assert_eq!(parse(query), None, "{query}");
        }
        assert_eq!(parse(&format!("a{}=1", "[b]".repeat(8))), None);
    }
}
