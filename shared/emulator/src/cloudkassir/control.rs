//! The books of CloudKassir over HTTP, and the command to process receipts without looking at them.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use serde_json::{json, value::RawValue};

use crate::{Emulator, answer::json_answer, faults::Drawn};

pub(crate) fn router() -> Router<Arc<Emulator>> {
    Router::new()
        .route("/_books/cloudkassir", get(books))
        .route("/_books/cloudkassir/summary", get(summary))
        .route("/_books/cloudkassir/{id}", get(receipt))
        .route("/_cloudkassir/process", post(process_all))
}

async fn books(State(emulator): State<Arc<Emulator>>) -> Response {
    let books = emulator.cloudkassir.books();
    let body = json!({
        "receipts": books.receipts(),
        "invoices": books.invoices(),
        "refused": books.refused(),
        "summary": books.summary(),
    });
    drop(books);
    json_answer(StatusCode::OK, body.to_string())
}

async fn summary(State(emulator): State<Arc<Emulator>>) -> Response {
    json_answer(StatusCode::OK, json!(emulator.cloudkassir.summary()).to_string())
}

async fn receipt(State(emulator): State<Arc<Emulator>>, Path(id): Path<String>) -> Response {
    let receipt = emulator.cloudkassir.books().receipt(&id).cloned();
    let Some(receipt) = receipt else {
        return json_answer(StatusCode::NOT_FOUND, json!({"error": "no such receipt"}).to_string());
    };
    let sent = RawValue::from_string(receipt.customer_receipt.clone()).ok();
    let exact = Exact { receipt: &receipt, customer_receipt: sent };
    json_answer(StatusCode::OK, serde_json::to_string(&exact).unwrap_or_default())
}

/// A receipt with its request as it was sent, digit for digit.
#[derive(serde::Serialize)]
struct Exact<'a> {
    receipt: &'a super::Receipt,
    customer_receipt: Option<Box<RawValue>>,
}

/// Processes every queued receipt at once, as if enough time had passed, and notifies as set.
async fn process_all(State(emulator): State<Arc<Emulator>>) -> Response {
    let count = emulator.cloudkassir.books().receipts().len();
    for place in 0..count {
        super::process(&emulator, place, &Drawn::default()).await;
    }
    json_answer(StatusCode::OK, json!({"receipts": count}).to_string())
}
