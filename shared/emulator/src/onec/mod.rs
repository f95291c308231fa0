//! A 1C base with the exchange of loyalty points: its HTTP service, which takes operations and tells balances, and its
//! tills, which send operations to Parom one by one, in batches after an offline time, and more than once.

mod books;
mod tills;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, Request, State},
    http::StatusCode,
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use serde::Deserialize;
use serde_json::json;

use self::books::Taken;
pub use self::books::{Books, Operation, Received, Till};
use crate::{
    Emulator,
    answer::{control_error, json_answer},
    basic,
    faults::{self, System},
};

/// The 1C base's state.
#[derive(Debug, Default)]
pub struct OneC {
    books: Mutex<Books>,
}

impl OneC {
    /// The books, locked: drop the guard before the next request.
    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn reset(&self) {
        *self.books() = Books::default();
    }
}

pub(crate) fn router(emulator: &Arc<Emulator>) -> Router<Arc<Emulator>> {
    Router::new()
        .route("/v1/operations", post(operation))
        .route("/v1/balance", post(balance))
        .layer(from_fn_with_state(Arc::clone(emulator), authenticated))
        .layer(from_fn_with_state((Arc::clone(emulator), System::OneC), faults::strike))
}

pub(crate) fn control() -> Router<Arc<Emulator>> {
    Router::new()
        .route("/_books/onec", get(show))
        .route("/_onec/customers/{phone}", put(customer))
        .route("/_onec/tills/{name}", put(tills::set))
        .route("/_onec/tills/{name}/sell", post(tills::sell))
}

async fn authenticated(
    State(emulator): State<Arc<Emulator>>,
    request: Request,
    next: Next,
) -> Response {
    let settings = emulator.settings();
    let own = &settings.onec;
    if !basic::is_from(&request, &own.user, &own.password) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    next.run(request).await
}

async fn operation(State(emulator): State<Arc<Emulator>>, body: Bytes) -> Response {
    let mut books = emulator.onec.books();
    let operation: Operation = match serde_json::from_slice(&body) {
        Ok(operation) => operation,
        Err(error) => {
            books.violations.add(format!("POST /v1/operations: {error}"));
            return json_answer(StatusCode::BAD_REQUEST, json!({"error": "malformed"}).to_string());
        }
    };
    let (status, body) = match books.take(operation, emulator.clock.now()) {
        Taken::New => (StatusCode::OK, json!({"status": "ok"})),
        Taken::Repeated => (StatusCode::OK, json!({"status": "already_exists"})),
        Taken::Unknown => (StatusCode::NOT_FOUND, json!({"error": "user_not_found"})),
        Taken::Refused(why) => {
            (StatusCode::UNPROCESSABLE_ENTITY, json!({"status": "error", "error": why}))
        }
    };
    json_answer(status, body.to_string())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    user_phone: String,
}

async fn balance(State(emulator): State<Arc<Emulator>>, body: Bytes) -> Response {
    let mut books = emulator.onec.books();
    let Ok(asked) = serde_json::from_slice::<Asked>(&body) else {
        books.violations.add("POST /v1/balance: no phone".to_owned());
        return json_answer(StatusCode::BAD_REQUEST, json!({"error": "malformed"}).to_string());
    };
    match books.customers.get(&asked.user_phone) {
        None => json_answer(StatusCode::NOT_FOUND, json!({"error": "user_not_found"}).to_string()),
        Some(kopecks) => {
            let sign = if *kopecks < 0 { "-" } else { "" };
            let (whole, part) = (kopecks.unsigned_abs() / 100, kopecks.unsigned_abs() % 100);
            json_answer(StatusCode::OK, format!("{{\"balance\":{sign}{whole}.{part:02}}}"))
        }
    }
}

async fn show(State(emulator): State<Arc<Emulator>>) -> Response {
    json_answer(StatusCode::OK, json!(*emulator.onec.books()).to_string())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Customer {
    balance_kopecks: i64,
}

/// Makes a customer known, or gives him another balance.
async fn customer(
    State(emulator): State<Arc<Emulator>>,
    Path(phone): Path<String>,
    body: Bytes,
) -> Response {
    match serde_json::from_slice::<Customer>(&body) {
        Ok(customer) => {
            emulator.onec.books().customers.insert(phone, customer.balance_kopecks);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => control_error(StatusCode::BAD_REQUEST, error.to_string()),
    }
}
