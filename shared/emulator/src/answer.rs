//! Answers as bytes, so that numbers go out exactly as they are written.

use axum::{
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};

/// A JSON answer from its text.
pub(crate) fn json_answer(status: StatusCode, body: String) -> Response {
    (status, [(CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}

/// Why a request to the emulator's own control interface was refused.
pub(crate) fn control_error(status: StatusCode, why: impl Into<String>) -> Response {
    let why: String = why.into();
    json_answer(status, serde_json::json!({"error": why}).to_string())
}
