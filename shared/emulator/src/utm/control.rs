//! The modules' control: stock, waybills, the books.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, put},
};
use serde::Deserialize;
use serde_json::json;

use super::Rest;
use crate::{
    Emulator,
    answer::{control_error, json_answer},
};

pub(crate) fn router() -> Router<Arc<Emulator>> {
    Router::new()
        .route("/_utm/{utm}", put(stock))
        .route("/_books/utm", get(books))
        .route("/_books/utm/summary", get(summary))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stock {
    #[serde(default)]
    first: Vec<Rest>,
    #[serde(default)]
    shop: Vec<Rest>,
    #[serde(default)]
    waybills: Vec<String>,
}

/// Puts stock and waybills on record.
async fn stock(
    State(emulator): State<Arc<Emulator>>,
    Path(utm): Path<String>,
    body: Bytes,
) -> Response {
    let stock: Stock = match serde_json::from_slice(&body) {
        Ok(stock) => stock,
        Err(error) => return control_error(StatusCode::BAD_REQUEST, error.to_string()),
    };
    let mut all = emulator.utm.books();
    let books = all.entry(utm).or_default();
    books.put_rests(stock.first, stock.shop);
    for waybill in &stock.waybills {
        books.put_waybill(waybill, Vec::new());
    }
    StatusCode::NO_CONTENT.into_response()
}

async fn books(State(emulator): State<Arc<Emulator>>) -> Response {
    let all = emulator.utm.books();
    let all: serde_json::Map<String, serde_json::Value> = all
        .iter()
        .map(|(utm, books)| {
            let shown = json!({
                "sent": books.sent(),
                "bottles": books.bottles(),
                "quantities": books.quantities(),
            });
            (utm.clone(), shown)
        })
        .collect();
    json_answer(StatusCode::OK, json!(all).to_string())
}

async fn summary(State(emulator): State<Arc<Emulator>>) -> Response {
    let all = emulator.utm.books();
    let all: serde_json::Map<String, serde_json::Value> =
        all.iter().map(|(utm, books)| (utm.clone(), json!(books.summary()))).collect();
    json_answer(StatusCode::OK, json!(all).to_string())
}
