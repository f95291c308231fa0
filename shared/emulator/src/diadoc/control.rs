//! The operator's control: buyers on record, their answers, tokens revoked, the books.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use serde_json::json;

use super::{Answered, Buyer};
use crate::{
    Emulator,
    answer::{control_error, json_answer},
};

pub(crate) fn router() -> Router<Arc<Emulator>> {
    Router::new()
        .route("/_diadoc/buyers", put(buyers))
        .route("/_diadoc/messages/{id}", post(answer))
        .route("/_diadoc/revoke", post(revoke))
        .route("/_books/diadoc", get(books))
        .route("/_books/diadoc/summary", get(summary))
}

/// Puts buyers on record.
async fn buyers(State(emulator): State<Arc<Emulator>>, body: Bytes) -> Response {
    let buyers: Vec<Buyer> = match serde_json::from_slice(&body) {
        Ok(buyers) => buyers,
        Err(error) => return control_error(StatusCode::BAD_REQUEST, error.to_string()),
    };
    let mut books = emulator.diadoc.books();
    for buyer in buyers {
        books.put(buyer);
    }
    StatusCode::NO_CONTENT.into_response()
}

/// The buyer answers a document.
async fn answer(
    State(emulator): State<Arc<Emulator>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let answered: Answered = match serde_json::from_slice(&body) {
        Ok(answered) => answered,
        Err(error) => return control_error(StatusCode::BAD_REQUEST, error.to_string()),
    };
    let now = emulator.clock.now();
    if emulator.diadoc.books().answer(&id, answered, now) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        control_error(StatusCode::NOT_FOUND, "no such message")
    }
}

async fn revoke(State(emulator): State<Arc<Emulator>>) -> StatusCode {
    emulator.diadoc.books().revoke();
    StatusCode::NO_CONTENT
}

async fn books(State(emulator): State<Arc<Emulator>>) -> Response {
    let books = emulator.diadoc.books();
    json_answer(StatusCode::OK, json!({"messages": books.messages()}).to_string())
}

async fn summary(State(emulator): State<Arc<Emulator>>) -> Response {
    json_answer(StatusCode::OK, json!(emulator.diadoc.books().summary()).to_string())
}
