//! A strict double of `loyalty`'s interface, in the form of `services/loyalty/openapi.yaml`.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};

use crate::outside::serve;

/// What was asked, as path and body.
pub(crate) type Asked = Arc<Mutex<Vec<(String, Value)>>>;

/// The key that it takes.
pub(crate) const KEY: &str = "a-key-of-the-role-site";

/// Refuses what the description does not allow; else answers.
fn guard(
    asked: &Asked,
    headers: &HeaderMap,
    path: &str,
    body: Value,
    known: &[&str],
) -> Result<String, Box<Response>> {
    let refuse = |status: StatusCode, code: &str, message: &str| {
        Box::new((status, Json(json!({ "error": code, "message": message }))).into_response())
    };
    if headers.get("x-api-key").is_none_or(|key| key != KEY) {
        return Err(refuse(StatusCode::UNAUTHORIZED, "invalid_key", "Ключ неизвестен."));
    }
    let fields = body.as_object().unwrap();
    if fields.keys().any(|name| !known.contains(&name.as_str())) {
        return Err(refuse(StatusCode::BAD_REQUEST, "invalid_json", "Лишнее поле."));
    }
    let who = match (&body["user_phone"], &body["shop"], &body["user_id"]) {
        (Value::String(phone), Value::Null, Value::Null) => phone.clone(),
        (Value::Null, Value::String(shop), Value::Number(id)) => format!("{shop} {id}"),
        _ => return Err(refuse(StatusCode::BAD_REQUEST, "invalid_query", "Кого ищем?")),
    };
    asked.lock().unwrap().push((path.to_owned(), body));
    match who.as_str() {
        "+7 900 123-45-67" | "main 15" => Ok(who),
        _ => Err(refuse(
            StatusCode::NOT_FOUND,
            "unknown_customer",
            "Покупателя с таким телефоном нет.",
        )),
    }
}

async fn balance(
    State(asked): State<Asked>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let known = ["user_phone", "user_id", "shop", "at"];
    match guard(&asked, &headers, "balance", body, &known) {
        // Numbers with two decimals, as the service writes them.
        Ok(_) => (
            [("content-type", "application/json")],
            r#"{"user_id":15,"balance":480.00,"pending":20.10,"held":0.00,"debt":0.00,"updated_at":"2026-11-20T12:00:00Z"}"#,
        )
            .into_response(),
        Err(refused) => *refused,
    }
}

async fn history(
    State(asked): State<Asked>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let older = body["before"].as_i64();
    let known = ["user_phone", "user_id", "shop", "before", "limit"];
    if let Err(refused) = guard(&asked, &headers, "history", body, &known) {
        return *refused;
    }
    let (title, next) = match older {
        None => ("Покупка в магазине", json!(77)),
        Some(77) => ("Начальный остаток", Value::Null),
        Some(_) => return StatusCode::BAD_REQUEST.into_response(),
    };
    let line = format!(
        r#"{{"id":"6f1c2a4e-9f0b-4a57-8f3a-0c8d3a7be1d2","type":"accrual","title":"{title}","description":"<script>alert(1)</script>",
        "order":"N-1042","reason":null,"amount":-12.30,"available":480.00,"created_at":"2026-11-20T12:00:00Z","source":"1c_retail","external_id":"чек 7"}}"#
    );
    let text = format!(r#"{{"items":[{line}],"next_before":{next}}}"#);
    ([("content-type", "application/json")], text).into_response()
}

async fn account(
    State(asked): State<Asked>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let known = ["user_phone", "user_id", "shop"];
    match guard(&asked, &headers, "account", body, &known) {
        Ok(_) => (
            [("content-type", "application/json")],
            r#"{"lots":[{"id":"6f1c2a4e-9f0b-4a57-8f3a-0c8d3a7be1d2","granted":500.00,"left":480.00,
            "created_at":"2026-11-20T12:00:00Z","matures_at":null,"expires_at":"2027-11-20T12:00:00Z","order":"N-1042"},
            {"id":"6f1c2a4e-9f0b-4a57-8f3a-0c8d3a7be1d3","granted":20.10,"left":20.10,
            "created_at":"2026-11-21T12:00:00Z","matures_at":"2026-12-05T12:00:00Z","expires_at":null,"order":null}],
            "more_lots":false,"phones":[{"phone_ends":"4567","proven":true},{"phone_ends":"0011","proven":false}],
            "users":[{"shop":"main","user_id":15}]}"#,
        )
            .into_response(),
        Err(refused) => *refused,
    }
}

/// Listens until the test ends; answers where, and what it was asked.
pub(crate) async fn open() -> (String, Asked) {
    let asked = Asked::default();
    let router = Router::new()
        .route("/v1/balance", post(balance))
        .route("/v1/account", post(account))
        .route("/v1/history", post(history))
        .with_state(Arc::clone(&asked));
    (serve(router).await, asked)
}
