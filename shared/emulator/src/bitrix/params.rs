//! Parameters of a REST call, read strictly: what Parom does not need is an error.

use serde_json::{Map, Value};

use super::error::RestError;

/// An object of parameters, from JSON or from a query string with PHP brackets.
#[derive(Debug, Clone)]
pub(super) struct Params(pub(super) Map<String, Value>);

impl Params {
    /// The body of a request; an empty one has no parameters.
    pub(super) fn parse(body: &[u8]) -> Result<Self, RestError> {
        if body.is_empty() {
            return Ok(Self(Map::new()));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(map)) => Ok(Self(map)),
            // PHP writes an empty object as an empty list.
            Ok(Value::Array(list)) if list.is_empty() => Ok(Self(Map::new())),
            _ => Err(RestError::unknown("the body is not a JSON object")),
        }
    }

    /// Refuses any parameter that is not listed.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), RestError> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(RestError::unknown(&format!("parameter {name}"))),
            None => Ok(()),
        }
    }

    /// A number that must be there, as a number or as digits.
    pub(super) fn id(&self, name: &str) -> Result<u64, RestError> {
        let value = self.0.get(name).ok_or_else(|| RestError::no_parameter(name))?;
        id(value).ok_or_else(|| RestError::unknown(&format!("{name} is not a number")))
    }

    /// A number that may be absent.
    pub(super) fn optional_id(&self, name: &str) -> Result<Option<u64>, RestError> {
        if self.0.contains_key(name) { self.id(name).map(Some) } else { Ok(None) }
    }

    /// A text that may be absent.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, RestError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => text(value)
                .map(Some)
                .ok_or_else(|| RestError::unknown(&format!("{name} is not a text"))),
        }
    }

    /// An object that must be there and not be empty.
    pub(super) fn object(&self, name: &str) -> Result<Self, RestError> {
        let inner = self.optional_object(name)?;
        if inner.0.is_empty() { Err(RestError::no_parameter(name)) } else { Ok(inner) }
    }

    /// An object that may be absent.
    pub(super) fn optional_object(&self, name: &str) -> Result<Self, RestError> {
        match self.0.get(name) {
            None => Ok(Self(Map::new())),
            Some(Value::Object(map)) => Ok(Self(map.clone())),
            Some(Value::Array(list)) if list.is_empty() => Ok(Self(Map::new())),
            Some(_) => Err(RestError::unknown(&format!("{name} is not an object"))),
        }
    }

    /// A list that may be absent.
    pub(super) fn list(&self, name: &str) -> Result<Vec<Value>, RestError> {
        match self.0.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(list)) => Ok(list.clone()),
            Some(_) => Err(RestError::unknown(&format!("{name} is not a list"))),
        }
    }
}

/// A number written as a number or as digits.
pub(super) fn id(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// A text, or a whole number as its digits.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}
