//! The books of the registers over HTTP: `GET /_books/{register}` and its summary.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use serde_json::json;

use crate::{Emulator, System, answer::json_answer};

pub(crate) fn router() -> Router<Arc<Emulator>> {
    Router::new()
        .route("/_books/registers/{register}", get(books))
        .route("/_books/registers/{register}/summary", get(summary))
}

async fn books(State(emulator): State<Arc<Emulator>>, Path(register): Path<String>) -> Response {
    let Some(till) = named(&register).and_then(|system| emulator.till(system)) else {
        return unknown();
    };
    let books = till.books();
    let body = json!({"receipts": books.receipts(), "summary": books.summary()});
    drop(books);
    json_answer(StatusCode::OK, body.to_string())
}

async fn summary(State(emulator): State<Arc<Emulator>>, Path(register): Path<String>) -> Response {
    match named(&register).and_then(|system| emulator.till(system)) {
        Some(till) => json_answer(StatusCode::OK, json!(till.summary()).to_string()),
        None => unknown(),
    }
}

fn named(register: &str) -> Option<System> {
    match register {
        "atol" => Some(System::Atol),
        "orangedata" => Some(System::OrangeData),
        "cloudkassir-v1" => Some(System::CloudKassirV1),
        _ => None,
    }
}

fn unknown() -> Response {
    json_answer(StatusCode::NOT_FOUND, json!({"error": "no such register"}).to_string())
}
