//! `/_faults`: put faults in force, look at them, end them.

use std::sync::Arc;

use axum::{
    Router, body::Bytes, extract::State, http::StatusCode, response::Response, routing::get,
};
use serde_json::json;

use super::Fault;
use crate::{
    Emulator,
    answer::{control_error, json_answer},
};

pub(crate) fn router() -> Router<Arc<Emulator>> {
    Router::new().route("/_faults", get(show).post(add).delete(clear))
}

async fn show(State(emulator): State<Arc<Emulator>>) -> Response {
    json_answer(StatusCode::OK, json!({"faults": emulator.faults.standing()}).to_string())
}

async fn add(State(emulator): State<Arc<Emulator>>, body: Bytes) -> Response {
    let fault: Fault = match serde_json::from_slice(&body) {
        Ok(fault) => fault,
        Err(error) => return control_error(StatusCode::BAD_REQUEST, error.to_string()),
    };
    match emulator.faults.add(fault) {
        Ok(id) => json_answer(StatusCode::CREATED, json!({"id": id}).to_string()),
        Err(error) => control_error(StatusCode::BAD_REQUEST, error.to_string()),
    }
}

async fn clear(State(emulator): State<Arc<Emulator>>) -> StatusCode {
    emulator.faults.clear();
    StatusCode::NO_CONTENT
}
