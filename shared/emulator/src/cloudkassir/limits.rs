//! The limit on requests served at once, counting those that hang.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::Emulator;

/// A place among the requests under way; given back when dropped, also when the client goes away.
struct Place(Arc<AtomicU32>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

pub(super) async fn at_once(
    State(emulator): State<Arc<Emulator>>,
    request: Request,
    next: Next,
) -> Response {
    let limit = emulator.settings().cloudkassir.concurrency;
    let place = Place(Arc::clone(&emulator.cloudkassir.under_way));
    let before = place.0.fetch_add(1, Ordering::AcqRel);
    if limit > 0 && before >= limit {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    }
    let response = next.run(request).await;
    drop(place);
    response
}
