//! The 1C-Bitrix site with Parom's module: its signed write-back endpoint, and the signed snapshots it sends.

mod books;
mod send;
mod status;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    middleware::from_fn_with_state,
    response::Response,
    routing::{get, post},
};
use serde_json::json;
use time::OffsetDateTime;

use self::{books::Taken, status::WriteBack};
pub use self::{
    books::{Books, SiteOrder},
    status::StatusLine,
};
use crate::{
    Emulator,
    answer::{control_error, json_answer},
    faults::{self, System},
    signature,
};

/// The site module's state.
#[derive(Debug, Default)]
pub struct Site {
    books: Mutex<Books>,
}

impl Site {
    /// The books, locked: drop the guard before the next request.
    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn reset(&self) {
        *self.books() = Books::default();
    }
}

pub(crate) fn router(emulator: &Arc<Emulator>) -> Router<Arc<Emulator>> {
    Router::new()
        .route("/parom/status", post(write_back))
        .layer(from_fn_with_state((Arc::clone(emulator), System::Site), faults::strike))
}

pub(crate) fn control() -> Router<Arc<Emulator>> {
    Router::new().route("/_books/site", get(show)).route("/_site/send", post(send::send))
}

async fn show(State(emulator): State<Arc<Emulator>>) -> Response {
    json_answer(StatusCode::OK, json!(*emulator.site.books()).to_string())
}

/// Verifies, parses and applies a write-back; a repeat of a webhook id changes nothing and is answered 200 again.
async fn write_back(
    State(emulator): State<Arc<Emulator>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let id = match verified(&emulator, &headers, &body) {
        Ok(id) => id,
        Err(why) => {
            emulator.site.books().violate(format!("401: {why}"));
            return control_error(StatusCode::UNAUTHORIZED, why);
        }
    };
    let parsed = serde_json::from_slice::<WriteBack>(&body).map_err(|error| error.to_string());
    let parsed = parsed.and_then(WriteBack::checked);
    let mut books = emulator.site.books();
    let taken = match parsed {
        Ok(write) => books.take(&id, &body, write),
        Err(why) => {
            books.violate(format!("400: {why}"));
            return control_error(StatusCode::BAD_REQUEST, why);
        }
    };
    match taken {
        Taken::Applied => json_answer(StatusCode::OK, json!({"result": "applied"}).to_string()),
        Taken::Repeated => json_answer(StatusCode::OK, json!({"result": "repeated"}).to_string()),
        Taken::Contradicts => {
            control_error(StatusCode::CONFLICT, "this webhook-id came before with another body")
        }
    }
}

/// The webhook id, if the request is signed as Standard Webhooks says and not too old or too new.
fn verified(emulator: &Emulator, headers: &HeaderMap, body: &[u8]) -> Result<String, &'static str> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let id = header("webhook-id").filter(|id| !id.is_empty()).ok_or("webhook-id is missing")?;
    let timestamp = header("webhook-timestamp").ok_or("webhook-timestamp is missing")?;
    let given = header("webhook-signature").ok_or("webhook-signature is missing")?;
    let settings = emulator.settings();
    if !signature::verify(&settings.site.secrets, id, timestamp, body, given) {
        return Err("webhook-signature does not fit");
    }
    let at: i64 = timestamp.parse().map_err(|_| "webhook-timestamp is not a number")?;
    let off = OffsetDateTime::now_utc().unix_timestamp().abs_diff(at);
    if off > settings.site.tolerance_s.into() {
        return Err("webhook-timestamp is too far from now");
    }
    Ok(id.to_owned())
}
