//! The tills: they sell, and tell Parom at once or when they have a connection again.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Till;
use crate::{
    Emulator,
    answer::{control_error, json_answer},
    outgoing::{Delivery, Post},
};

/// The most operations of one batch.
const BATCH: usize = 10_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sale {
    operations: Vec<Value>,
    /// How often each is sent, as a till does that got no answer.
    #[serde(default = "once")]
    times: u32,
}

fn once() -> u32 {
    1
}

/// Sets a till up, cuts its connection, or gives it back: then it sends what it sold meanwhile, in batches.
pub(super) async fn set(
    State(emulator): State<Arc<Emulator>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Response {
    let till: Till = match serde_json::from_slice(&body) {
        Ok(till) => till,
        Err(error) => return control_error(StatusCode::BAD_REQUEST, error.to_string()),
    };
    let waiting = {
        let mut books = emulator.onec.books();
        let before = books.tills.insert(name.clone(), till.clone());
        let waiting = before.map(|before| before.waiting).unwrap_or_default();
        if till.online {
            waiting
        } else {
            if let Some(till) = books.tills.get_mut(&name) {
                till.waiting = waiting;
            }
            Vec::new()
        }
    };
    let mut deliveries = Vec::new();
    for part in waiting.chunks(BATCH) {
        let delivery = send(&emulator, &till, "/transactions/batch", json!(part).to_string()).await;
        if !delivery.accepted() {
            // It keeps what was not taken, as the real one does.
            let mut books = emulator.onec.books();
            if let Some(till) = books.tills.get_mut(&name) {
                till.waiting.extend_from_slice(part);
            }
        }
        deliveries.push(delivery);
    }
    json_answer(StatusCode::OK, json!({"deliveries": deliveries}).to_string())
}

/// Sells: one request for each operation, or none without a connection.
pub(super) async fn sell(
    State(emulator): State<Arc<Emulator>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Response {
    let sale: Sale = match serde_json::from_slice(&body) {
        Ok(sale) => sale,
        Err(error) => return control_error(StatusCode::BAD_REQUEST, error.to_string()),
    };
    let till = {
        let mut books = emulator.onec.books();
        let Some(till) = books.tills.get_mut(&name) else {
            return control_error(StatusCode::NOT_FOUND, "no such till");
        };
        if !till.online {
            for _ in 0..sale.times {
                till.waiting.extend(sale.operations.iter().cloned());
            }
            return json_answer(StatusCode::OK, json!({"waiting": till.waiting.len()}).to_string());
        }
        till.clone()
    };
    let mut deliveries = Vec::new();
    for operation in &sale.operations {
        for _ in 0..sale.times {
            deliveries.push(send(&emulator, &till, "/transactions", operation.to_string()).await);
        }
    }
    json_answer(StatusCode::OK, json!({"deliveries": deliveries}).to_string())
}

async fn send(emulator: &Emulator, till: &Till, path: &str, body: String) -> Delivery {
    let post = Post {
        url: format!("{}{path}", till.url),
        content_type: "application/json",
        agent: "1C+Enterprise/8.3",
        headers: vec![("x-api-key", till.key.clone())],
        body: Bytes::from(body),
    };
    emulator.outgoing.post(post).await
}
