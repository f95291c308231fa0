//! `POST /callbacks/cloudkassir`: the "Receipt" notification. A nudge, never evidence.

use std::{collections::HashSet, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, HeaderName, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tower_http::timeout::TimeoutLayer;

use crate::{Fiscal, key, registers::cloudkassir::answer::is_id};

/// The largest body that is read.
const BODY_MAX: usize = 64 * 1024;
/// The longest time for one notification.
const TIME_MAX: Duration = Duration::from_secs(10);
/// Signature of the body as it was sent.
const CONTENT_HMAC: HeaderName = HeaderName::from_static("content-hmac");
/// Signature of the body with its URL encoding undone.
const X_CONTENT_HMAC: HeaderName = HeaderName::from_static("x-content-hmac");

/// The route of the notification.
pub(crate) fn router(fiscal: Arc<Fiscal>) -> Router {
    Router::new()
        .route("/callbacks/cloudkassir", post(receive))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, TIME_MAX))
        .with_state(fiscal)
}

/// 401 for a forged one; `{"code":0}` for a true one, once it is kept; 503 to be told again.
async fn receive(State(fiscal): State<Arc<Fiscal>>, headers: HeaderMap, body: Bytes) -> Response {
    let signers = signers(&fiscal, &headers, &body);
    if signers.is_empty() {
        fiscal.count_callback("forged");
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Some((id, invoice_id)) = names(&body) else {
        fiscal.count_callback("unreadable");
        return taken();
    };
    // The cabinet may serve other programs beside us, and their receipts are told here as well.
    if !key::shop_of(&invoice_id).is_some_and(|shop| signers.contains(shop)) {
        fiscal.count_callback("foreign");
        return taken();
    }
    if let Err(error) = fiscal.hint(&invoice_id, &id).await {
        tracing::warn!(%error, "a notification could not be kept; it will be told again");
        fiscal.count_callback("failed");
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    fiscal.count_callback("taken");
    taken()
}

fn taken() -> Response {
    ([(CONTENT_TYPE, "application/json")], r#"{"code":0}"#).into_response()
}

/// The shops with whose secret the notification is signed.
fn signers<'a>(fiscal: &'a Fiscal, headers: &HeaderMap, body: &[u8]) -> HashSet<&'a str> {
    let given = |name| {
        let values = headers.get_all(name).iter();
        values.filter_map(|value| BASE64_STANDARD.decode(value.as_bytes()).ok()).collect()
    };
    let (plain, decoded): (Vec<Vec<u8>>, Vec<Vec<u8>>) =
        (given(CONTENT_HMAC), given(X_CONTENT_HMAC));
    if plain.is_empty() && decoded.is_empty() {
        return HashSet::new();
    }
    let undone = url_decoded(body);
    let signs = |secret: &str| {
        let by = |tags: &[Vec<u8>], body: &[u8]| {
            tags.iter().any(|tag| signed(secret.as_bytes(), body, tag))
        };
        by(&plain, body) || by(&decoded, &undone)
    };
    let secrets = fiscal.callback_secrets();
    secrets.filter(|(_, secret)| signs(secret)).map(|(shop, _)| shop.as_str()).collect()
}

/// Whether `tag` is the HMAC-SHA256 of `body`; the comparison takes the same time for all tags.
fn signed(secret: &[u8], body: &[u8], tag: &[u8]) -> bool {
    Hmac::<Sha256>::new_from_slice(secret)
        .is_ok_and(|hmac| hmac.chain_update(body).verify_slice(tag).is_ok())
}

/// The register's id of the receipt and our name for it.
fn names(body: &[u8]) -> Option<(String, String)> {
    let field = |name: &str| {
        let mut fields = form_urlencoded::parse(body);
        fields.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let id = field("Id").filter(|id| is_id(id))?;
    let invoice_id = field("InvoiceId").filter(|name| name.len() <= key::MAX_CHARS)?;
    Some((id, invoice_id))
}

/// Every `+` a space and every `%XX` its byte; names and separators stay as they are.
fn url_decoded(body: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> =
        body.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_encoding::percent_decode(&spaced).collect()
}
