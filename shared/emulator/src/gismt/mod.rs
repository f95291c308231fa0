//! GIS MT, the register behind Honest Sign: True API (v726 of 2026-09-04, as its clients quote it), under `/gismt`.
//!
//! Real where the sources say so: a token for at most ten hours by a CMS signature that is verified with the
//! GOST engine, a rate for the participant, documents taken by a detached signature over their exact bytes and processed
//! later (here: after so many looks), codes with owners, states and reasons, 404 with a list in its body, 422 for
//! a signature that does not hold, the id of a new document as bare text.

pub mod books;
mod check;
pub(crate) mod cms;
mod code;
mod codes;
mod control;
mod create;
mod judge;
mod show;
mod sign_in;
mod wire;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header::AUTHORIZATION},
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::{get, post},
};
use serde_json::json;
use time::{OffsetDateTime, macros::format_description};

pub(crate) use self::control::router as control;
pub use self::{
    books::{Books, Document, Summary},
    code::{Code, Effect},
};
use crate::{
    Emulator,
    answer::json_answer,
    faults::{self, System},
};

/// The register's state.
#[derive(Debug, Default)]
pub struct Gismt {
    books: Mutex<Books>,
}

impl Gismt {
    /// The books, locked: drop the guard before the next request.
    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn reset(&self) {
        *self.books() = Books::default();
    }
}

pub(crate) fn router(emulator: &Arc<Emulator>) -> Router<Arc<Emulator>> {
    let state = || Arc::clone(emulator);
    let inside = Router::new()
        .route("/api/v3/true-api/cises/info", post(codes::info))
        .route("/api/v3/true-api/lk/documents/create", post(create::create))
        .route("/api/v3/true-api/doc/cises", get(show::cises))
        .route("/api/v4/true-api/doc/{id}/info", get(show::info))
        .route("/api/v4/true-api/doc/list", get(show::list))
        .layer(from_fn_with_state(state(), signed_in));
    Router::new()
        .route("/api/v3/true-api/auth/key", get(sign_in::key))
        .route("/api/v3/true-api/auth/simpleSignIn", post(sign_in::simple_sign_in))
        .merge(inside)
        .layer(from_fn_with_state(state(), rated))
        .layer(from_fn_with_state((state(), System::Gismt), faults::strike))
}

/// An error in the register's form.
pub(crate) fn refused(code: u16, message: &str) -> Response {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_REQUEST);
    let body = json!({"code": code.to_string(), "error_message": message, "description": message});
    json_answer(status, body.to_string())
}

/// The rate of the participant, over all that it asks.
async fn rated(State(emulator): State<Arc<Emulator>>, request: Request, next: Next) -> Response {
    let rate = emulator.settings().gismt.rate;
    let within = emulator.gismt.books().hit(emulator.clock.now(), rate);
    if within { next.run(request).await } else { refused(429, "too many requests") }
}

async fn signed_in(
    State(emulator): State<Arc<Emulator>>,
    request: Request,
    next: Next,
) -> Response {
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let known = emulator.gismt.books().is_token(token, emulator.clock.now());
    if known {
        return next.run(request).await;
    }
    let body = json!({"error_message": "unauthorized"});
    json_answer(StatusCode::UNAUTHORIZED, body.to_string())
}

/// A moment as the register writes it: `2026-11-21T10:00:00.000Z`.
fn moment(at: OffsetDateTime) -> String {
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    at.to_offset(time::UtcOffset::UTC).format(format).unwrap_or_default()
}

/// A random UUID.
fn uuid() -> String {
    let bits: u128 = rand::random();
    let text = format!("{bits:032x}");
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}
