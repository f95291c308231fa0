//! The control interface that belongs to no single system: reset, clock, settings, port.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::Response,
    routing::{post, put},
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    Emulator, Listen, Settings,
    answer::{control_error, json_answer},
    settings::Notify,
};

pub(crate) fn router() -> Router<Arc<Emulator>> {
    Router::new()
        .route("/_reset", post(reset))
        .route("/_clock", post(clock))
        .route("/_settings", put(settings))
        .route("/_port", post(port))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_s: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Closing {
    closed_ms: u64,
}

/// The settings that `PUT /_settings` changes; an empty address means none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    hang_s: Option<u64>,
    bitrix_webhook_url: Option<String>,
    bitrix_webhook_copies: Option<u32>,
    bitrix_burst: Option<u32>,
    bitrix_rate: Option<u32>,
    site_tolerance_s: Option<u32>,
    cloudkassir_looks: Option<u32>,
    cloudkassir_notify: Option<Notify>,
    cloudkassir_callback_url: Option<String>,
    cloudkassir_idempotency_s: Option<u32>,
    cloudkassir_concurrency: Option<u32>,
    register_looks: Option<u32>,
    register_pace_ms: Option<u32>,
    register_notify: Option<Notify>,
    gismt_looks: Option<u32>,
    gismt_hidden_looks: Option<u32>,
    gismt_code_looks: Option<u32>,
    gismt_rate: Option<u32>,
    gismt_token_s: Option<u32>,
    utm_looks: Option<u32>,
    utm_key_holds: Option<bool>,
    diadoc_running_asks: Option<u32>,
    diadoc_delivers_looks: Option<u32>,
    diadoc_signs_looks: Option<u32>,
    diadoc_rate: Option<u32>,
    diadoc_page: Option<usize>,
    diadoc_disorder: Option<bool>,
    diadoc_token_s: Option<u32>,
}

impl Change {
    fn apply(self, settings: &mut Settings) {
        let (bitrix, cloudkassir) = (&mut settings.bitrix, &mut settings.cloudkassir);
        set(&mut settings.hang_s, self.hang_s);
        set(&mut bitrix.webhook_url, self.bitrix_webhook_url.map(address));
        set(&mut bitrix.webhook_copies, self.bitrix_webhook_copies);
        set(&mut bitrix.burst, self.bitrix_burst);
        set(&mut bitrix.rate, self.bitrix_rate);
        set(&mut settings.site.tolerance_s, self.site_tolerance_s);
        set(&mut cloudkassir.looks, self.cloudkassir_looks);
        set(&mut cloudkassir.notify, self.cloudkassir_notify);
        set(&mut cloudkassir.callback_url, self.cloudkassir_callback_url.map(address));
        set(&mut cloudkassir.idempotency_s, self.cloudkassir_idempotency_s);
        set(&mut cloudkassir.concurrency, self.cloudkassir_concurrency);
        let registers = &mut settings.registers;
        set(&mut registers.looks, self.register_looks);
        set(&mut registers.pace_ms, self.register_pace_ms);
        set(&mut registers.notify, self.register_notify);
        let gismt = &mut settings.gismt;
        set(&mut gismt.looks, self.gismt_looks);
        set(&mut gismt.hidden_looks, self.gismt_hidden_looks);
        set(&mut gismt.code_looks, self.gismt_code_looks);
        set(&mut gismt.rate, self.gismt_rate);
        set(&mut gismt.token_s, self.gismt_token_s);
        set(&mut settings.utm.looks, self.utm_looks);
        set(&mut settings.utm.key_holds, self.utm_key_holds);
        let diadoc = &mut settings.diadoc;
        set(&mut diadoc.running_asks, self.diadoc_running_asks);
        set(&mut diadoc.delivers_looks, self.diadoc_delivers_looks);
        set(&mut diadoc.signs_looks, self.diadoc_signs_looks);
        set(&mut diadoc.rate, self.diadoc_rate);
        set(&mut diadoc.page, self.diadoc_page);
        set(&mut diadoc.disorder, self.diadoc_disorder);
        set(&mut diadoc.token_s, self.diadoc_token_s);
    }
}

fn set<T>(setting: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *setting = value;
    }
}

fn address(url: String) -> Option<String> {
    Some(url).filter(|url| !url.is_empty())
}

async fn reset(State(emulator): State<Arc<Emulator>>) -> StatusCode {
    emulator.reset();
    StatusCode::NO_CONTENT
}

async fn clock(State(emulator): State<Arc<Emulator>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Advance>(&body) {
        Ok(advance) => {
            let ahead = emulator.clock.advance(advance.advance_s);
            json_answer(StatusCode::OK, json!({"ahead_s": ahead}).to_string())
        }
        Err(error) => control_error(StatusCode::BAD_REQUEST, error.to_string()),
    }
}

async fn settings(State(emulator): State<Arc<Emulator>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Change>(&body) {
        Ok(change) => {
            emulator.change(|settings| change.apply(settings));
            json_answer(StatusCode::OK, json!({"changed": true}).to_string())
        }
        Err(error) => control_error(StatusCode::BAD_REQUEST, error.to_string()),
    }
}

/// Closes the port after this answer and opens it again by itself.
async fn port(State(emulator): State<Arc<Emulator>>, body: Bytes) -> Response {
    let closing: Closing = match serde_json::from_slice(&body) {
        Ok(closing) => closing,
        Err(error) => return control_error(StatusCode::BAD_REQUEST, error.to_string()),
    };
    emulator.listen(Listen::Closed);
    tokio::spawn(async move {
        #[expect(
            clippy::disallowed_methods,
            reason = "the port stays closed as long as was ordered"
        )]
        tokio::time::sleep(Duration::from_millis(closing.closed_ms)).await;
        emulator.listen(Listen::Open);
    });
    json_answer(StatusCode::OK, json!({"closed_ms": closing.closed_ms}).to_string())
}
