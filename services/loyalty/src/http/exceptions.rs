//! `/exceptions`: what a person must look at, and what was decided about it.

use std::sync::Arc;

use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api, answer,
    body::Read,
    wire::{TEXT_MAX, is_text},
};

/// Exceptions of one answer.
const PAGE: i64 = 500;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Closing {
    by: String,
    note: String,
}

pub(super) async fn list(State(api): State<Arc<Api>>) -> Response {
    let store = api.bank.store();
    match tokio::try_join!(store.exceptions(PAGE), store.counts()) {
        Ok((exceptions, counts)) => {
            let items: Vec<Value> = exceptions
                .into_iter()
                .map(|exception| {
                    json!({
                        "id": exception.id,
                        "kind": exception.kind,
                        "subject": exception.subject,
                        "details": serde_json::from_str::<Value>(&exception.details).ok(),
                        "seen": exception.seen,
                        "opened_at": exception.opened_at.unix_timestamp(),
                    })
                })
                .collect();
            let (open, parked) = (counts.exceptions, counts.parked);
            answer::json(StatusCode::OK, &json!({"items": items, "open": open, "parked": parked}))
        }
        Err(error) => {
            tracing::warn!(%error, "exceptions cannot be read");
            answer::away(api.language)
        }
    }
}

pub(super) async fn close(
    State(api): State<Arc<Api>>,
    id: Result<Path<i64>, PathRejection>,
    Read(closing): Read<Closing>,
) -> Response {
    let bad = |code| answer::error(api.language, StatusCode::BAD_REQUEST, code);
    let Ok(Path(id)) = id else { return bad("invalid_query") };
    if closing.by.trim().is_empty() {
        return bad("author_missing");
    }
    if closing.note.trim().is_empty() {
        return bad("reason_missing");
    }
    if !is_text(&closing.by, TEXT_MAX) || !is_text(&closing.note, TEXT_MAX) {
        return bad("invalid_text");
    }
    match api.bank.store().close(id, &closing.by, &closing.note).await {
        Ok(true) => answer::json(StatusCode::OK, &json!({"status": "closed"})),
        Ok(false) => answer::error(api.language, StatusCode::NOT_FOUND, "exception_not_found"),
        Err(error) => {
            tracing::warn!(%error, "an exception cannot be closed");
            answer::away(api.language)
        }
    }
}
