//! CloudKassir, that is the CloudPayments KKT interface: receipts, their status, the "Receipt" notification.
//!
//! Real where the documentation says so: Basic authentication, refusals inside HTTP 200, `X-Request-ID` remembered
//! for an hour, 30 requests at once. The receipt is processed after a number of looks at its status, not after a time.

mod books;
mod check;
mod control;
mod limits;
mod notify;
mod receipt;
mod request;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU32};

use axum::{
    Extension, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Map, Value, json};
use time::Duration;

use self::{books::Asked, books::Outcome, request::Look};
pub use self::{
    books::Books,
    check::{Position, Refusal},
    receipt::{Fiscal, Receipt, Refused, Status, Summary},
};
use crate::{
    Emulator,
    answer::json_answer,
    basic,
    faults::{self, Drawn, System},
    outgoing::{Delivery, Post},
    settings::Notify,
};

/// CloudKassir's state.
#[derive(Debug, Default)]
pub struct CloudKassir {
    books: Mutex<Books>,
    pub(crate) under_way: Arc<AtomicU32>,
}

impl CloudKassir {
    /// The books, locked: drop the guard before the next request.
    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The books in a few numbers.
    pub fn summary(&self) -> Summary {
        self.books().summary()
    }

    pub(crate) fn reset(&self) {
        *self.books() = Books::default();
    }
}

pub(crate) fn router(emulator: &Arc<Emulator>) -> Router<Arc<Emulator>> {
    Router::new()
        .route("/test", post(test))
        .route("/kkt/receipt", post(create))
        .route("/kkt/receipt/status/get", post(status))
        .route("/kkt/receipt/get", post(details))
        .route("/kkt/correction-receipt", post(correct))
        .route("/kkt/correction-receipt/status/get", post(status))
        .route("/kkt/correction-receipt/get", post(details))
        .fallback(unknown)
        .layer(from_fn_with_state(Arc::clone(emulator), authenticated))
        .layer(from_fn_with_state((Arc::clone(emulator), System::CloudKassir), faults::strike))
        .layer(from_fn_with_state(Arc::clone(emulator), limits::at_once))
}

pub(crate) use check::valid_inn;
pub(crate) use control::router as control;

/// Refusals on command carry the code and nothing else.
pub(crate) fn refused(code: i64, message: &str) -> Response {
    let body =
        json!({"Success": false, "Message": message, "Model": {"Id": null, "ErrorCode": code}});
    json_answer(StatusCode::OK, body.to_string())
}

async fn authenticated(
    State(emulator): State<Arc<Emulator>>,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Response {
    let settings = emulator.settings();
    let own = &settings.cloudkassir;
    if !basic::is_from(&request, &own.public_id, &own.api_secret) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let content = request.headers().get("content-type").and_then(|value| value.to_str().ok());
    if !content.is_some_and(|content| content.starts_with("application/json")) {
        emulator.cloudkassir.books().violations.add("Content-Type is not JSON".to_owned());
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    next.run(request).await
}

async fn unknown(
    State(emulator): State<Arc<Emulator>>,
    request: axum::extract::Request,
) -> StatusCode {
    let what = format!("unknown method {} {}", request.method(), request.uri().path());
    emulator.cloudkassir.books().violations.add(what);
    StatusCode::NOT_FOUND
}

async fn test() -> Response {
    json_answer(StatusCode::OK, json!({"Success": true, "Message": null}).to_string())
}

async fn create(
    State(emulator): State<Arc<Emulator>>,
    drawn: Option<Extension<Drawn>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    take(&emulator, drawn, &headers, &body, check::check).await
}

async fn correct(
    State(emulator): State<Arc<Emulator>>,
    drawn: Option<Extension<Drawn>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    take(&emulator, drawn, &headers, &body, check::correction).await
}

type Check = fn(&[u8], &str) -> Result<check::Checked, Refusal>;

async fn take(
    emulator: &Arc<Emulator>,
    drawn: Option<Extension<Drawn>>,
    headers: &HeaderMap,
    body: &[u8],
    check: Check,
) -> Response {
    let drawn = drawn.map(|Extension(drawn)| drawn).unwrap_or_default();
    let settings = emulator.settings();
    let own = &settings.cloudkassir;
    let request_id = headers.get("x-request-id").and_then(|value| value.to_str().ok());
    let asked = Asked {
        request_id: request_id.filter(|id| !id.is_empty()).map(str::to_owned),
        body,
        at: emulator.clock.now(),
        remembered: Duration::seconds(own.idempotency_s.into()),
        fails: drawn.fails_later,
    };
    let outcome = emulator.cloudkassir.books().ask(&asked, || check(body, &own.inn));
    match outcome {
        Outcome::Refused(refusal) => refused(refusal.code, &refusal.message),
        Outcome::Known(place) => accepted(emulator, place),
        Outcome::New(place) => {
            let notify = own.notify;
            if notify == Notify::Before || own.looks == 0 {
                process(emulator, place, &drawn).await;
            } else if notify == Notify::Forged {
                forge(emulator, place);
            }
            accepted(emulator, place)
        }
    }
}

fn accepted(emulator: &Emulator, place: usize) -> Response {
    let id = emulator.cloudkassir.books().at(place).map(|receipt| receipt.id.clone());
    let id = id.unwrap_or_default();
    let url = format!("https://receipts.ru/{id}");
    let body = json!({
        "Success": true, "Message": "Queued", "Warning": null, "WarningCodes": [],
        "Model": {"Id": id, "ErrorCode": 0, "ReceiptLocalUrl": url},
    });
    json_answer(StatusCode::OK, body.to_string())
}

async fn status(
    State(emulator): State<Arc<Emulator>>,
    drawn: Option<Extension<Drawn>>,
    body: Bytes,
) -> Response {
    let look: Look = match serde_json::from_slice(&body) {
        Ok(look) => look,
        Err(error) => return malformed(&emulator, "/kkt/receipt/status/get", error),
    };
    let looks = emulator.settings().cloudkassir.looks;
    let (place, seen) = {
        let mut books = emulator.cloudkassir.books();
        (books.place(&look.id), books.look(&look.id, looks))
    };
    let Some((status, due)) = seen else {
        return json_answer(StatusCode::OK, model(&json!("NotFound")));
    };
    if let (true, Some(place)) = (due, place) {
        process(&emulator, place, &drawn.map(|Extension(drawn)| drawn).unwrap_or_default()).await;
    }
    json_answer(StatusCode::OK, model(&json!(status)))
}

/// The answer's exact shape is not in the sources: the names inside `Model` are inferred from the notification's.
async fn details(State(emulator): State<Arc<Emulator>>, body: Bytes) -> Response {
    let look: Look = match serde_json::from_slice(&body) {
        Ok(look) => look,
        Err(error) => return malformed(&emulator, "/kkt/receipt/get", error),
    };
    let receipt = emulator.cloudkassir.books().receipt(&look.id).cloned();
    let Some(receipt) = receipt else {
        return json_answer(
            StatusCode::OK,
            json!({"Success": false, "Message": "Not found", "Model": null}).to_string(),
        );
    };
    let mut fields: Map<String, Value> = match &receipt.fiscal {
        Some(fiscal) => notify::fields(&receipt, fiscal)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Value::String(value)))
            .collect(),
        None => Map::from_iter([
            ("Id".to_owned(), json!(receipt.id)),
            ("InvoiceId".to_owned(), json!(receipt.invoice_id)),
            ("AccountId".to_owned(), json!(receipt.account_id)),
            ("Type".to_owned(), json!(receipt.kind)),
            ("Amount".to_owned(), json!(notify::roubles(receipt.total_kopecks))),
        ]),
    };
    if receipt.correction {
        fields.remove("InvoiceId");
    }
    fields.insert("Status".to_owned(), json!(receipt.status));
    json_answer(StatusCode::OK, model(&Value::Object(fields)))
}

fn model(model: &Value) -> String {
    json!({"Success": true, "Message": null, "Model": model}).to_string()
}

fn malformed(emulator: &Emulator, path: &str, error: serde_json::Error) -> Response {
    let refusal = check::malformed(error);
    emulator.cloudkassir.books().violations.add(format!("{path}: {}", refusal.message));
    refused(refusal.code, &refusal.message)
}

/// Fiscalises a receipt and notifies as the settings say; waits for the notification only in [`Notify::Before`].
async fn process(emulator: &Arc<Emulator>, place: usize, drawn: &Drawn) {
    let settings = emulator.settings();
    let own = &settings.cloudkassir;
    let now = emulator.clock.now();
    let receipt = emulator.cloudkassir.books().process(place, &own.fiscal_number, now);
    let Some(receipt) = receipt else { return };
    let (Some(url), Some(fiscal)) = (&own.callback_url, &receipt.fiscal) else { return };
    if receipt.correction {
        return;
    }
    let times = match own.notify {
        Notify::Never | Notify::Forged => return,
        Notify::Twice => 2,
        Notify::Once | Notify::Before => 1,
    };
    let fields = notify::fields(&receipt, fiscal);
    let post = notify::notification(url, &own.api_secret, &fields);
    for _ in 0..times * drawn.copies {
        if own.notify == Notify::Before {
            deliver(emulator, post.clone()).await;
        } else {
            let emulator = Arc::clone(emulator);
            let post = post.clone();
            tokio::spawn(async move { deliver(&emulator, post).await });
        }
    }
}

/// Posts a notification once and books how it ended; only `{"code":0}` counts as taken.
async fn deliver(emulator: &Emulator, post: Post) {
    let delivery = emulator.outgoing.post(post).await;
    let taken = match &delivery {
        Delivery::Answered { status: 200, body } => serde_json::from_str::<Value>(body)
            .is_ok_and(|body| body.get("code").and_then(Value::as_i64) == Some(0)),
        _ => false,
    };
    emulator.cloudkassir.books().notifications.add(&delivery, taken);
}

/// A notification nobody should believe: fiscal data that do not exist, signed with another secret.
fn forge(emulator: &Arc<Emulator>, place: usize) {
    let settings = emulator.settings();
    let own = &settings.cloudkassir;
    let Some(url) = &own.callback_url else { return };
    let receipt = emulator.cloudkassir.books().at(place).cloned();
    let Some(receipt) = receipt else { return };
    let fiscal = Fiscal {
        document_number: 666_666,
        fiscal_sign: 6_666_666_666,
        fiscal_number: "6666666666666666".to_owned(),
        number: 1,
        session_number: 1,
        at: emulator.clock.now(),
    };
    let fields = notify::fields(&receipt, &fiscal);
    let post = notify::notification(url, &"forged".into(), &fields);
    let emulator = Arc::clone(emulator);
    tokio::spawn(async move { deliver(&emulator, post).await });
}
