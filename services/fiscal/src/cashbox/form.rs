//! What Bitrix posts: a form with PHP's brackets (its own client), or JSON (its documentation).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Pairs in one form.
const PAIRS_MAX: usize = 20_000;
/// Brackets in one name.
const DEPTH_MAX: usize = 8;

/// A branch of a form.
enum Node {
    Text(String),
    Branch(BTreeMap<String, Node>),
}

/// The body as JSON text, numbers untouched; `None` for a body that is neither.
pub(super) fn read(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?.trim();
    if text.starts_with('{') {
        return Some(text.to_owned());
    }
    let mut root = BTreeMap::new();
    for (count, (name, value)) in form_urlencoded::parse(text.as_bytes()).enumerate() {
        if count >= PAIRS_MAX {
            return None;
        }
        insert(&mut root, &path(&name)?, value.into_owned())?;
    }
    if root.is_empty() {
        return None;
    }
    serde_json::to_string(&plain(Node::Branch(root))).ok()
}

/// `items[0][name]` as `items`, `0`, `name`.
fn path(name: &str) -> Option<Vec<&str>> {
    let (first, rest) = name.split_at(name.find('[').unwrap_or(name.len()));
    let mut words = vec![first];
    let mut rest = rest;
    while !rest.is_empty() {
        let (word, after) = rest.strip_prefix('[')?.split_once(']')?;
        words.push(word);
        rest = after;
    }
    (words.len() <= DEPTH_MAX && words.iter().all(|word| !word.is_empty())).then_some(words)
}

fn insert(branch: &mut BTreeMap<String, Node>, path: &[&str], value: String) -> Option<()> {
    let (first, rest) = path.split_first()?;
    if rest.is_empty() {
        branch.insert((*first).to_owned(), Node::Text(value));
        return Some(());
    }
    let empty = || Node::Branch(BTreeMap::new());
    match branch.entry((*first).to_owned()).or_insert_with(empty) {
        Node::Branch(inner) => insert(inner, rest, value),
        Node::Text(_) => None,
    }
}

/// PHP's lists are maps of 0, 1, 2, …
fn plain(node: Node) -> Value {
    let branch = match node {
        Node::Text(text) => return Value::String(text),
        Node::Branch(branch) => branch,
    };
    let mut places: Vec<usize> = branch.keys().filter_map(|name| name.parse().ok()).collect();
    places.sort_unstable();
    if places.len() == branch.len() && places.iter().enumerate().all(|(at, place)| at == *place) {
        let mut items: Vec<(usize, Node)> =
            branch.into_iter().filter_map(|(at, node)| Some((at.parse().ok()?, node))).collect();
        items.sort_by_key(|(at, _)| *at);
        return Value::Array(items.into_iter().map(|(_, node)| plain(node)).collect());
    }
    let fields: Map<String, Value> =
        branch.into_iter().map(|(name, node)| (name, plain(node))).collect();
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_nest_and_json_stays_as_it_is() {
        let form = "type=sell&items%5B0%5D%5Bname%5D=%D0%A7&items%5B1%5D[name]=b&x[a]=1";
        let expected = r#"{"items":[{"name":"Ч"},{"name":"b"}],"type":"sell","x":{"a":"1"}}"#;
        assert_eq!(read(form.as_bytes()).unwrap(), expected);
        let json = r#"{"price": 9600.10}"#;
        assert_eq!(read(json.as_bytes()).unwrap(), json);
        let twelve: Vec<String> = (0..12).map(|n| format!("i[{n}]={n}")).collect();
        let read_back: Value =
            serde_json::from_str(&read(twelve.join("&").as_bytes()).unwrap()).unwrap();
        assert_eq!(read_back["i"][10], "10", "not sorted as text");
    }

    #[test]
    fn what_does_not_nest_is_no_form() {
        for body in ["", "a[=1", "a[]=1", "a=1&a[b]=2", "[x]=1", "a[1][2][3][4][5][6][7][8]=1"] {
            assert_eq!(read(body.as_bytes()), None, "{body}");
        }
        assert_eq!(read(&[0xff, 0xfe]), None);
    }
}
