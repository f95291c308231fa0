//! The contract "CloudKassir v1" of the customer's brief: under `/cloudkassir-v1`. No such service was found; answers that
//! the brief does not describe are ours (see the crate's README).

mod check;

use std::sync::Arc;

use axum::{
    Extension, Router,
    body::Bytes,
    extract::{Path, Request, State},
    http::StatusCode,
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};

use crate::{
    Emulator, System,
    answer::json_answer,
    basic,
    faults::{self, Drawn},
    till::{self, Outcome, Receipt, Status, books::DRIVE},
};

pub(crate) fn router(emulator: &Arc<Emulator>) -> Router<Arc<Emulator>> {
    Router::new()
        .route("/receipts", post(sell))
        .route("/receipts/correction", post(correct))
        .route("/receipts/{id}", get(status))
        .layer(from_fn_with_state(Arc::clone(emulator), authenticated))
        .layer(from_fn_with_state((Arc::clone(emulator), System::CloudKassirV1), faults::strike))
}

/// A refusal.
pub(crate) fn refused(why: &str) -> Response {
    json_answer(StatusCode::BAD_REQUEST, json!({"error": why}).to_string())
}

async fn authenticated(
    State(emulator): State<Arc<Emulator>>,
    request: Request,
    next: Next,
) -> Response {
    let settings = emulator.settings();
    let own = &settings.registers;
    if !basic::is_from(&request, &own.login, &own.password) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    next.run(request).await
}

async fn sell(
    State(emulator): State<Arc<Emulator>>,
    drawn: Option<Extension<Drawn>>,
    body: Bytes,
) -> Response {
    ask(&emulator, drawn, &body, false).await
}

async fn correct(
    State(emulator): State<Arc<Emulator>>,
    drawn: Option<Extension<Drawn>>,
    body: Bytes,
) -> Response {
    ask(&emulator, drawn, &body, true).await
}

async fn ask(
    emulator: &Arc<Emulator>,
    drawn: Option<Extension<Drawn>>,
    body: &[u8],
    correction: bool,
) -> Response {
    let checked = match check::check(body, correction) {
        Ok(checked) => checked,
        Err(why) => {
            emulator.cloudkassir_v1.books().refuse(why.clone());
            return refused(&why);
        }
    };
    let drawn = drawn.map(|Extension(drawn)| drawn).unwrap_or_default();
    match till::ask(emulator, System::CloudKassirV1, &drawn, checked, shown).await {
        Outcome::TooFast => StatusCode::TOO_MANY_REQUESTS.into_response(),
        // The same external_id is the same receipt.
        Outcome::New(place) | Outcome::Known(place) => {
            let books = emulator.cloudkassir_v1.books();
            let id = books.receipts().get(place).map(|receipt| receipt.id.clone());
            drop(books);
            json_answer(StatusCode::OK, json!({"id": id}).to_string())
        }
    }
}

async fn status(State(emulator): State<Arc<Emulator>>, Path(id): Path<String>) -> Response {
    match till::look(&emulator, System::CloudKassirV1, &id, shown).await {
        None => StatusCode::NOT_FOUND.into_response(),
        Some(receipt) => json_answer(StatusCode::OK, shown(&receipt).to_string()),
    }
}

/// A receipt's status, and the body of the callback.
fn shown(receipt: &Receipt) -> Value {
    let status = match receipt.status {
        Status::Queued => "wait",
        Status::Done => "done",
        Status::Failed | Status::Expired => "fail",
    };
    let mut body = json!({"id": receipt.id, "external_id": receipt.name, "status": status});
    let extra = match &receipt.fiscal {
        Some(fiscal) => json!({
            "fn": DRIVE, "fd": fiscal.document.to_string(), "fpd": fiscal.sign.to_string(),
            "qr": format!("t=20260105T1200&fn={DRIVE}&i={}&fp={}&n=1", fiscal.document, fiscal.sign),
        }),
        None if status == "fail" => json!({"error": "Касса не ответила"}),
        None => json!({}),
    };
    if let (Some(body), Value::Object(extra)) = (body.as_object_mut(), extra) {
        body.extend(extra);
    }
    body
}
