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

/// A register's words without what they may quote of a buyer: e-mail addresses and phones.
pub(super) fn masked(message: &str) -> String {
    let masked = |word: &str| {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        if word.contains('@') || digits == 11 { "…".to_owned() } else { word.to_owned() }
    };
    let words: Vec<String> = message.split_whitespace().map(masked).collect();
    words.join(" ").chars().take(500).collect()
}

/// The body's words, for evidence.
pub(super) fn words_of(answer: &Answer) -> String {
    masked(&answer.excerpt())
}
