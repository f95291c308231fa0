//! One JSON value whose type Bitrix does not hold to: an id as `5` or `"5"`, a flag as `"Y"` or
//! `true`, a sum as `980.5` or `"980.50"`. Numbers are kept as their text and never become floats.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// The text of a JSON scalar, or what stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scalar {
    /// A string's content, or a number's, true's or false's own text.
    Text(String),
    /// An array of scalars, joined by commas: a property with several values.
    List(String),
    /// An object, or an array of more than scalars.
    Other,
}

impl Scalar {
    /// The text, unless it is empty or no scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// The same, owned.
    pub(crate) fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// The text, of a list too.
    pub(crate) fn into_text_or_list(self) -> Option<String> {
        match self {
            Self::Text(text) | Self::List(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// The id that it is, if it is one.
    pub(crate) fn id(&self) -> Option<u64> {
        id_of_text(self.text()?)
    }
}

/// The id that a text is: a whole number from 1 that PostgreSQL's `bigint` holds too.
#[must_use]
pub fn id_of_text(text: &str) -> Option<u64> {
    text.parse().ok().filter(|id| (1..=i64::MAX.unsigned_abs()).contains(id))
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let json = raw.get();
        Ok(match json.as_bytes().first() {
            Some(b'"') => Self::Text(serde_json::from_str(json).map_err(serde::de::Error::custom)?),
            Some(b'[') => list_of_scalars(json),
            Some(b'{') => Self::Other,
            Some(b'n') | None => Self::Text(String::new()),
            Some(_) => Self::Text(json.to_owned()),
        })
    }
}

fn list_of_scalars(json: &str) -> Scalar {
    let Ok(parts) = serde_json::from_str::<Vec<Scalar>>(json) else { return Scalar::Other };
    let texts: Option<Vec<String>> = parts
        .into_iter()
        .map(|part| match part {
            Scalar::Text(text) => Some(text),
            Scalar::List(_) | Scalar::Other => None,
        })
        .collect();
    texts.map_or(Scalar::Other, |texts| Scalar::List(texts.join(", ")))
}

/// A list as PHP writes it: an array, an object when the keys have gaps, null when there is none.
pub(crate) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    deserializer.deserialize_any(ListVisitor(PhantomData))
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for ListVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while let Some((IgnoredAny, item)) = map.next_entry()? {
            items.push(item);
        }
        Ok(items)
    }
}
