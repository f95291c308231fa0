//! The Bitrix24 portal: REST with its limits and quirks, the outgoing webhook, and the books of orders.

mod batch;
mod books;
mod brackets;
mod cashbox;
mod control;
mod error;
mod limits;
mod methods;
mod order;
mod params;
mod portal;
mod properties;
mod rest;
mod webhook;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router, http::StatusCode, middleware::from_fn_with_state, response::Response, routing::post,
};
use secrecy::ExposeSecret;
use serde_json::json;

pub use self::{
    books::{OrderBook, Summary, Writes},
    cashbox::Check,
    portal::Portal,
};
use crate::{
    Emulator,
    answer::json_answer,
    faults::{self, System},
    settings::BitrixSettings,
};
pub(crate) use cashbox::router as cashbox;
pub(crate) use control::router as control;

/// The portal's state.
#[derive(Debug, Default)]
pub struct Bitrix {
    portal: Mutex<Portal>,
}

impl Bitrix {
    /// Orders, notifications and counters, locked: drop the guard before the next request.
    pub fn portal(&self) -> MutexGuard<'_, Portal> {
        self.portal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn reset(&self) {
        *self.portal() = Portal::default();
    }
}

pub(crate) fn router(emulator: &Arc<Emulator>) -> Router<Arc<Emulator>> {
    Router::new()
        .route("/{user}/{code}/{method}", post(rest::call))
        .fallback(rest::without_auth)
        .layer(from_fn_with_state((Arc::clone(emulator), System::Bitrix), faults::strike))
}

/// The address of the incoming webhook, with a slash at the end.
pub(crate) fn rest_url(base: &str, settings: &BitrixSettings) -> String {
    format!("{base}/bitrix/rest/{}/{}/", settings.user, settings.code.expose_secret())
}

/// A refusal on command.
pub(crate) fn refused(code: i64) -> Response {
    let body = json!({"error": code, "error_description": "refused on command"});
    json_answer(StatusCode::BAD_REQUEST, body.to_string())
}

/// The answer above the rate limit.
pub(crate) fn over_the_limit() -> Response {
    error::RestError::query_limit().answer()
}

/// Blocks a method for so many seconds and answers as Bitrix does for a blocked method.
pub(crate) fn block(emulator: &Emulator, method: &str, reset_in_s: u32) -> Response {
    let until = emulator.clock.now() + Duration::from_secs(reset_in_s.into());
    emulator.bitrix.portal().limits.block(method, until);
    error::RestError::operation_limit(until).answer()
}
