//! What Bitrix answers, read without losing a digit: results stay JSON text until they are mapped.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Number, value::RawValue};
use time::{Duration, OffsetDateTime};

use super::error::RestErrorKind;

/// How long a method is left alone when Bitrix does not say until when.
const PAUSE: Duration = Duration::seconds(60);

/// A call's result.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The `result`, as the exact JSON text that came: numbers have all their digits.
    pub result: Box<RawValue>,
    /// Where the next page of a list begins, if there is one.
    pub next: Option<u64>,
}

impl Reply {
    /// Reads the result into `T`.
    ///
    /// # Errors
    /// [`RestErrorKind::Garbled`] when it has another shape.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, RestErrorKind> {
        serde_json::from_str(self.result.get()).map_err(|_| RestErrorKind::Garbled { status: 200 })
    }
}

/// An integer that Bitrix writes as a number or as its digits, as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Id(pub(crate) u64);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(u64),
            Text(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Number(id) => Ok(Self(id)),
            Form::Text(text) => text.parse().map(Self).map_err(serde::de::Error::custom),
        }
    }
}

/// An error's code in any of its forms, as text.
struct Code(String);

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Text(String),
            Number(Number),
        }
        Form::deserialize(deserializer).map(|form| match form {
            Form::Text(text) => Self(text),
            Form::Number(number) => Self(number.to_string()),
        })
    }
}

#[derive(Deserialize)]
struct Body {
    result: Option<Box<RawValue>>,
    next: Option<Id>,
    error: Option<Code>,
    error_description: Option<String>,
    time: Option<Time>,
}

/// An error, alone or within a batch.
#[derive(Deserialize)]
struct Fault {
    error: Code,
    error_description: Option<String>,
    time: Option<Time>,
}

#[derive(Deserialize)]
struct Time {
    operating_reset_at: Option<Number>,
}

/// The `result` of a batch. PHP writes an empty map as an empty list.
#[derive(Deserialize)]
struct Batch {
    #[serde(default, deserialize_with = "map")]
    result: HashMap<String, Box<RawValue>>,
    #[serde(default, deserialize_with = "map")]
    result_error: HashMap<String, Fault>,
    #[serde(default, deserialize_with = "map")]
    result_next: HashMap<String, Id>,
    #[serde(default, deserialize_with = "map")]
    result_time: HashMap<String, Time>,
}

/// Reads the answer to a single call.
pub(super) fn single(
    status: u16,
    body: &[u8],
    now: OffsetDateTime,
) -> Result<Reply, RestErrorKind> {
    let Ok(body) = serde_json::from_slice::<Body>(body) else {
        return Err(stranger(status));
    };
    match (body.error, body.result) {
        (None, Some(result)) if status < 400 => {
            Ok(Reply { result, next: body.next.map(|next| next.0) })
        }
        (Some(error), _) => {
            let fault = Fault { error, error_description: body.error_description, time: body.time };
            Err(fault.kind(status, None, now))
        }
        (None, _) => Err(stranger(status)),
    }
}

/// Reads the answer to a batch of `count` commands, each under the name [`name`] gives it.
///
/// The outer error is one that struck all of them.
pub(super) fn batch(
    status: u16,
    body: &[u8],
    count: usize,
    now: OffsetDateTime,
) -> Result<Vec<Result<Reply, RestErrorKind>>, RestErrorKind> {
    let mut parts: Batch = single(status, body, now)?.read()?;
    let mut take = |place| {
        let name = name(place);
        let reset = parts.result_time.remove(&name);
        match (parts.result_error.remove(&name), parts.result.remove(&name)) {
            // The command's own HTTP status is not told: 400 leaves all to its code.
            (Some(fault), _) => Err(fault.kind(400, reset, now)),
            (None, Some(result)) => {
                Ok(Reply { result, next: parts.result_next.remove(&name).map(|next| next.0) })
            }
            (None, None) => Err(RestErrorKind::Garbled { status }),
        }
    };
    Ok((0..count).map(&mut take).collect())
}

/// A command's name in a batch. It begins with a letter, because PHP would make a list of bare
/// numbers, and names sort as their places do, because the commands are done in the order in which
/// they are written down.
pub(super) fn name(place: usize) -> String {
    format!("c{place:02}")
}

impl Fault {
    fn kind(self, status: u16, time: Option<Time>, now: OffsetDateTime) -> RestErrorKind {
        let reset = self
            .time
            .or(time)
            .and_then(|time| time.operating_reset_at?.as_i64())
            .and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok())
            .filter(|at| *at > now)
            .unwrap_or(now + PAUSE);
        let description = self.error_description.unwrap_or_default();
        RestErrorKind::of(status, &self.error.0, &description, reset)
    }
}

/// An answer that is not in Bitrix's form: a proxy's page, a redirect, a cut-off body.
fn stranger(status: u16) -> RestErrorKind {
    match status {
        200..300 => RestErrorKind::Garbled { status },
        _ => RestErrorKind::of(status, "", &format!("HTTP {status}"), OffsetDateTime::UNIX_EPOCH),
    }
}

fn map<'de, D, T>(deserializer: D) -> Result<HashMap<String, T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let text = Box::<RawValue>::deserialize(deserializer)?;
    match serde_json::from_str::<[(); 0]>(text.get()) {
        Ok([]) => Ok(HashMap::new()),
        Err(_) => serde_json::from_str(text.get()).map_err(serde::de::Error::custom),
    }
}

#[cfg(test)]
mod tests;
