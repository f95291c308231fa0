//! Reading what registers answer.

use runtime::http::Answer;
use serde::{Deserialize, de::DeserializeOwned};

use super::What;

/// A text, or a whole number in place of one.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Text {
    Text(String),
    Number(u64),
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        match text {
            Text::Text(text) => text,
            Text::Number(number) => number.to_string(),
        }
    }
}

/// Reads JSON; what is none may have had its effect.
pub(super) fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, What> {
    // The error's own text quotes the answer, and that may hold personal data.
    serde_json::from_slice(json).map_err(|error| {
        let why = format!("{:?} error in column {}", error.classify(), error.column());
        What::Garbled(why)
    })
}

/// What begins the crypto tail of a mark code: GS, as it is or as JSON writes it.
const TAIL: [&str; 3] = ["\u{1d}", "\\u001d", "\\u001D"];

/// A register's words without what they may quote of a receipt: e-mail addresses, phones, and the
/// tails of mark codes.
pub(super) fn masked(message: &str) -> String {
    let message = tailless(message);
    let masked = |word: &str| {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        if word.contains('@') || digits == 11 { "…".to_owned() } else { word.to_owned() }
    };
    let words: Vec<String> = message.split_whitespace().map(masked).collect();
    words.join(" ").chars().take(500).collect()
}

/// The text with every mark code cut where its tail begins, up to the quote or space after it.
fn tailless(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = TAIL.iter().filter_map(|tail| rest.find(tail)).min() {
        let (code, tail) = rest.split_at(at);
        let end = tail.find(|c: char| c == '"' || c.is_whitespace()).unwrap_or(tail.len());
        kept.push_str(code);
        kept.push('…');
        rest = tail.split_at(end).1;
    }
    kept.push_str(rest);
    kept
}

/// The body's words, for evidence.
pub(super) fn words_of(answer: &Answer) -> String {
    masked(&answer.excerpt())
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn a_register_that_quotes_a_mark_code_does_not_give_its_tail_away() {
        for (said, kept) in [
            ("code 0104600439931256215Qb\u{1d}93dGVz of 2", "code 0104600439931256215Qb… of 2"),
            (
                r#"[{"itemCode":"010460\u001d91EE\u001D92tail","ok":false},"0104\u001d93x"]"#,
                r#"[{"itemCode":"010460…","ok":false},"0104…"]"#,
            ),
        ] {
            assert_eq!(masked(said), kept);
        }
    }
}
