//! The shop's own hands on the portal (`/_bitrix/…`), and the portal's books.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;

use super::webhook::{self, Event};
use crate::{
    Emulator,
    answer::{control_error, json_answer},
    outgoing::Delivery,
};

pub(crate) fn router() -> Router<Arc<Emulator>> {
    Router::new()
        .route("/_bitrix/orders/{id}", get(show).put(put).delete(delete))
        .route("/_bitrix/notify/{id}", post(notify))
        .route("/_books/bitrix", get(books))
        .route("/_books/bitrix/summary", get(summary))
        .route("/_books/bitrix/{id}", get(book))
}

/// What may follow the address: `?notify=1&times=2&deal=6933`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Telling {
    /// 1 sends webhooks.
    #[serde(default)]
    notify: u32,
    /// How many; 1 without it.
    #[serde(default = "once")]
    times: u32,
    /// The CRM deal the order belongs to.
    deal: Option<u64>,
}

fn once() -> u32 {
    1
}

/// How many webhooks to send; refused if any are wanted and nobody is there to take them.
fn wanted(emulator: &Emulator, times: u32) -> Result<u32, Box<Response>> {
    if times > 0 && emulator.settings().bitrix.webhook_url.is_none() {
        let why = "bitrix_webhook_url is not set, so no webhook can be sent";
        return Err(Box::new(control_error(StatusCode::CONFLICT, why)));
    }
    Ok(times)
}

/// Puts an order in the shape of `sale.order.get`; with `notify=1` it answers after the webhooks were answered.
async fn put(
    State(emulator): State<Arc<Emulator>>,
    Path(id): Path<u64>,
    Query(telling): Query<Telling>,
    body: Bytes,
) -> Response {
    let times = match wanted(&emulator, telling.notify.saturating_mul(telling.times)) {
        Ok(times) => times,
        Err(refusal) => return *refusal,
    };
    let put = emulator.bitrix.portal().put(id, &body, telling.deal, emulator.clock.now());
    let version = match put {
        Ok(version) => version,
        Err(why) => return control_error(StatusCode::BAD_REQUEST, why),
    };
    let deliveries = tell(&emulator, id, Event::Saved, times).await;
    let body = json!({"version": version, "webhooks": deliveries});
    json_answer(StatusCode::OK, body.to_string())
}

async fn show(State(emulator): State<Arc<Emulator>>, Path(id): Path<u64>) -> Response {
    let order = emulator.bitrix.portal().orders.get(&id).map(super::order::Order::full);
    match order {
        Some(order) => json_answer(StatusCode::OK, order),
        None => control_error(StatusCode::NOT_FOUND, "no such order"),
    }
}

/// Deletes an order; with `notify=1` it first tells so.
async fn delete(
    State(emulator): State<Arc<Emulator>>,
    Path(id): Path<u64>,
    Query(telling): Query<Telling>,
) -> Response {
    let times = match wanted(&emulator, telling.notify.saturating_mul(telling.times)) {
        Ok(times) => times,
        Err(refusal) => return *refusal,
    };
    let deliveries = tell(&emulator, id, Event::Deleted, times).await;
    match emulator.bitrix.portal().orders.remove(&id) {
        Some(_) => json_answer(StatusCode::OK, json!({"webhooks": deliveries}).to_string()),
        None => control_error(StatusCode::NOT_FOUND, "no such order"),
    }
}

/// Sends webhooks about an order that has not changed.
async fn notify(
    State(emulator): State<Arc<Emulator>>,
    Path(id): Path<u64>,
    Query(telling): Query<Telling>,
) -> Response {
    let times = match wanted(&emulator, telling.times) {
        Ok(times) => times,
        Err(refusal) => return *refusal,
    };
    let deliveries = tell(&emulator, id, Event::Saved, times).await;
    json_answer(StatusCode::OK, json!({"webhooks": deliveries}).to_string())
}

async fn tell(emulator: &Emulator, order: u64, event: Event, times: u32) -> Vec<Delivery> {
    let tellings = (0..times).map(|_| webhook::tell(emulator, order, event));
    futures_util::future::join_all(tellings).await.into_iter().flatten().collect()
}

async fn books(State(emulator): State<Arc<Emulator>>) -> Response {
    let portal = emulator.bitrix.portal();
    let body = json!({
        "orders": portal.books(),
        "notifications": portal.notifications.all(),
        "summary": portal.summary(),
    });
    drop(portal);
    json_answer(StatusCode::OK, body.to_string())
}

async fn summary(State(emulator): State<Arc<Emulator>>) -> Response {
    json_answer(StatusCode::OK, json!(emulator.bitrix.portal().summary()).to_string())
}

async fn book(State(emulator): State<Arc<Emulator>>, Path(id): Path<u64>) -> Response {
    let book = emulator.bitrix.portal().order(id);
    match book {
        Some(book) => json_answer(StatusCode::OK, json!(book).to_string()),
        None => control_error(StatusCode::NOT_FOUND, "no such order"),
    }
}
