//! ATOL Online, versions 4 and 5: under `/atol/v4` and `/atol/v5`.
//!
//! Real where the sources say so: a token for a day, error 33 with the first document's uuid for a known `external_id`,
//! error 34 on the first looks while a document waits, errors in JSON with HTTP 400 and 401.

mod check;

use std::sync::Arc;

use axum::{
    Extension, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    middleware::from_fn_with_state,
    response::Response,
    routing::{get, post},
};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};
use time::macros::format_description;

use crate::{
    Emulator, System,
    answer::json_answer,
    faults::{self, Drawn},
    till::{
        self, Outcome, Receipt, Status,
        books::{DRIVE, REGISTER},
    },
};

/// How long a token holds.
const TOKEN_S: i64 = 24 * 3600;

pub(crate) fn router(emulator: &Arc<Emulator>) -> Router<Arc<Emulator>> {
    Router::new()
        .route("/{version}/getToken", post(token))
        .route("/{version}/{group}/report/{uuid}", get(report))
        .route("/{version}/{group}/{operation}", post(register))
        .layer(from_fn_with_state((Arc::clone(emulator), System::Atol), faults::strike))
}

/// A refusal in the vendor's form.
pub(crate) fn refused(status: StatusCode, code: i64, text: &str) -> Response {
    error(status, code, text, None)
}

fn error(status: StatusCode, code: i64, text: &str, uuid: Option<&str>) -> Response {
    let body = json!({
        "uuid": uuid, "status": "fail", "payload": null,
        "error": {"error_id": "10454aec-42a2-489f-9931-58d345b08fe1", "code": code, "text": text, "type": "system"},
        "timestamp": "05.01.2026 12:00:00",
    });
    json_answer(status, body.to_string())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    login: String,
    pass: String,
}

async fn token(State(emulator): State<Arc<Emulator>>, body: Bytes) -> Response {
    let settings = emulator.settings();
    let own = &settings.registers;
    let Ok(keys) = serde_json::from_slice::<Keys>(&body) else {
        return refused(StatusCode::BAD_REQUEST, 40, "bad request");
    };
    if keys.login != own.login || keys.pass != own.password.expose_secret() {
        return refused(StatusCode::UNAUTHORIZED, 12, "Неверный логин или пароль");
    }
    let token = emulator.clock.now().unix_timestamp().to_string();
    let body = json!({"error": null, "token": token, "timestamp": "05.01.2026 12:00:00"});
    json_answer(StatusCode::OK, body.to_string())
}

/// Whether the token holds: it is the moment in which it was given.
fn unauthorized(emulator: &Emulator, headers: &HeaderMap) -> Option<Response> {
    let given = headers.get("token").and_then(|value| value.to_str().ok());
    let Some(at) = given.and_then(|token| token.parse::<i64>().ok()) else {
        return Some(refused(StatusCode::UNAUTHORIZED, 10, "missing token"));
    };
    let old = emulator.clock.now().unix_timestamp() - at >= TOKEN_S;
    old.then(|| refused(StatusCode::UNAUTHORIZED, 11, "expired token"))
}

async fn register(
    State(emulator): State<Arc<Emulator>>,
    Path((version, group, operation)): Path<(String, String, String)>,
    drawn: Option<Extension<Drawn>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refused) = unauthorized(&emulator, &headers) {
        return refused;
    }
    if group != emulator.settings().registers.group {
        return refused(StatusCode::BAD_REQUEST, 20, "group code does not match the token");
    }
    let checked = match check::check(&version, &operation, &body) {
        Ok(checked) => checked,
        Err(why) => {
            emulator.atol.books().refuse(why.clone());
            return refused(StatusCode::BAD_REQUEST, 32, &why);
        }
    };
    let drawn = drawn.map(|Extension(drawn)| drawn).unwrap_or_default();
    let outcome = till::ask(&emulator, System::Atol, &drawn, checked, shown).await;
    let id = |place: usize| {
        emulator.atol.books().receipts().get(place).map(|r| r.id.clone()).unwrap_or_default()
    };
    match outcome {
        Outcome::TooFast => json_answer(StatusCode::TOO_MANY_REQUESTS, "{}".to_owned()),
        Outcome::Known(place) => {
            let text = "Документ с переданным значением external_id уже существует";
            error(StatusCode::BAD_REQUEST, 33, text, Some(&id(place)))
        }
        Outcome::New(place) => {
            let body = json!({"uuid": id(place), "status": "wait", "error": null, "timestamp": "05.01.2026 12:00:00"});
            json_answer(StatusCode::OK, body.to_string())
        }
    }
}

async fn report(
    State(emulator): State<Arc<Emulator>>,
    Path((_, _, uuid)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = unauthorized(&emulator, &headers) {
        return refused;
    }
    match till::look(&emulator, System::Atol, &uuid, shown).await {
        None => refused(StatusCode::BAD_REQUEST, 30, "Передан некорректный UUID"),
        // The state is not there yet on the very first look.
        Some(receipt) if receipt.status == Status::Queued && receipt.looks == 1 => {
            let body = json!({
                "uuid": receipt.id, "status": "wait", "payload": null, "timestamp": "05.01.2026 12:00:00",
                "error": {"error_id": "e", "code": 34, "text": "Состояние чека не найдено. Попробуйте позднее", "type": "system"},
            });
            json_answer(StatusCode::BAD_REQUEST, body.to_string())
        }
        Some(receipt) => json_answer(StatusCode::OK, shown(&receipt).to_string()),
    }
}

/// A report, and the body of the callback.
fn shown(receipt: &Receipt) -> Value {
    let time = format_description!("[day].[month].[year] [hour]:[minute]:[second]");
    let (status, error) = match receipt.status {
        Status::Queued => ("wait", Value::Null),
        Status::Done => ("done", Value::Null),
        Status::Failed | Status::Expired => (
            "fail",
            json!({"error_id": "e", "code": -3804, "text": "Нулевое количество товара", "type": "driver"}),
        ),
    };
    let payload = receipt.fiscal.as_ref().map(|fiscal| {
        json!({
            "total": 0, "fns_site": "www.nalog.ru", "fn_number": DRIVE, "shift_number": 23,
            "receipt_datetime": fiscal.at.format(time).unwrap_or_default(), "fiscal_receipt_number": 6,
            "fiscal_document_number": fiscal.document, "ecr_registration_number": REGISTER,
            "fiscal_document_attribute": fiscal.sign,
        })
    });
    json!({
        "uuid": receipt.id, "status": status, "error": error, "payload": payload,
        "timestamp": "05.01.2026 12:00:00", "group_code": "group", "daemon_code": "prod-agent-1",
        "device_code": "KSR13.00-1-11", "external_id": receipt.name, "callback_url": receipt.callback_url,
    })
}
