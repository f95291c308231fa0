//! Answers: JSON with exact amounts, a code for machines and a sentence for people.

use std::time::Duration;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use events::Money;
use serde::{Serialize, Serializer};
use serde_json::{json, value::RawValue};

use crate::{config::Language, words};

/// Kopecks as a JSON number with two decimals: `480.00`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Points(pub i64);

impl Serialize for Points {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = Money::from_kopecks(self.0).to_string();
        let raw = RawValue::from_string(text).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// The end of a phone: enough to see a difference, and nobody's number.
pub(super) fn phone_ends(phone: &impl ToString) -> String {
    let phone = phone.to_string();
    phone.chars().skip(phone.chars().count().saturating_sub(4)).collect()
}

/// A JSON answer.
pub(super) fn json<T: Serialize>(status: StatusCode, body: &T) -> Response {
    match serde_json::to_string(body) {
        Ok(text) => (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], text)
            .into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A refusal: its code, and a sentence in the service's language.
pub(super) fn error(language: Language, status: StatusCode, code: &str) -> Response {
    json(status, &json!({"error": code, "message": language.of(&words::api(code))}))
}

/// Too many requests: when to come again.
pub(super) fn too_many(language: Language, wait: Duration) -> Response {
    let mut response = error(language, StatusCode::TOO_MANY_REQUESTS, "too_many_requests");
    let seconds = HeaderValue::from(wait.as_secs() + 1);
    response.headers_mut().insert(header::RETRY_AFTER, seconds);
    response
}

/// The ledger cannot be reached: a repeat is safe.
pub(super) fn away(language: Language) -> Response {
    let mut response = error(language, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}
