//! The register's control: codes on record, receipts through the OFD, tokens revoked, the books.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use serde::Deserialize;
use serde_json::json;

use super::Code;
use crate::{
    Emulator,
    answer::{control_error, json_answer},
};

pub(crate) fn router() -> Router<Arc<Emulator>> {
    Router::new()
        .route("/_gismt/codes", put(codes))
        .route("/_gismt/receipt", post(receipt))
        .route("/_gismt/revoke", post(revoke))
        .route("/_gismt/process", post(process))
        .route("/_books/gismt", get(books))
        .route("/_books/gismt/summary", get(summary))
        .route("/_books/gismt/codes/{cis}", get(code))
}

/// Puts codes on record.
async fn codes(State(emulator): State<Arc<Emulator>>, body: Bytes) -> Response {
    let codes: Vec<Code> = match serde_json::from_slice(&body) {
        Ok(codes) => codes,
        Err(error) => return control_error(StatusCode::BAD_REQUEST, error.to_string()),
    };
    let inn = emulator.settings().gismt.inn.clone();
    let mut books = emulator.gismt.books();
    for code in codes {
        books.put(code, &inn);
    }
    StatusCode::NO_CONTENT.into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Receipt {
    codes: Vec<String>,
    #[serde(default)]
    refund: bool,
}

/// What a receipt does to codes when its OFD has told the register.
async fn receipt(State(emulator): State<Arc<Emulator>>, body: Bytes) -> Response {
    let receipt: Receipt = match serde_json::from_slice(&body) {
        Ok(receipt) => receipt,
        Err(error) => return control_error(StatusCode::BAD_REQUEST, error.to_string()),
    };
    let lag = emulator.settings().gismt.code_looks;
    match emulator.gismt.books().receipt(&receipt.codes, receipt.refund, lag) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(cis) => control_error(StatusCode::CONFLICT, format!("{cis} does not stand so")),
    }
}

async fn revoke(State(emulator): State<Arc<Emulator>>) -> StatusCode {
    emulator.gismt.books().revoke();
    StatusCode::NO_CONTENT
}

async fn process(State(emulator): State<Arc<Emulator>>) -> StatusCode {
    let lag = emulator.settings().gismt.code_looks;
    emulator.gismt.books().process_all(lag);
    StatusCode::NO_CONTENT
}

async fn books(State(emulator): State<Arc<Emulator>>) -> Response {
    let books = emulator.gismt.books();
    let codes: Vec<&Code> = books.codes().values().collect();
    json_answer(StatusCode::OK, json!({"codes": codes, "documents": books.documents()}).to_string())
}

async fn summary(State(emulator): State<Arc<Emulator>>) -> Response {
    json_answer(StatusCode::OK, json!(emulator.gismt.books().summary()).to_string())
}

async fn code(State(emulator): State<Arc<Emulator>>, Path(cis): Path<String>) -> Response {
    match emulator.gismt.books().codes().get(&cis) {
        Some(code) => json_answer(StatusCode::OK, json!(code).to_string()),
        None => control_error(StatusCode::NOT_FOUND, "no such code"),
    }
}
