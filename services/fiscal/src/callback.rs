//! What registers tell by themselves: nudges, never evidence. `POST /callbacks/cloudkassir` is the
//! "Receipt" notification, which is signed; the others are not, and only make their job look.

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
use serde::Deserialize;
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
        .route("/callbacks/atol", post(nudged_by_atol))
        .route("/callbacks/cloudkassir-v1", post(nudged_by_cloudkassir_v1))
        .route("/callbacks/orangedata", post(nudged_by_orangedata))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, TIME_MAX))
        .with_state(fiscal)
}

/// 401 for a forged one; `{"code":0}` for a true one, once it is kept; 503 to be told again.
async fn receive(State(fiscal): State<Arc<Fiscal>>, headers: HeaderMap, body: Bytes) -> Response {
    let signers = signers(&fiscal, &headers, &body);
    if signers.is_empty() {
        fiscal.count_callback("cloudkassir", "forged");
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Some((id, invoice_id)) = names(&body) else {
        fiscal.count_callback("cloudkassir", "unreadable");
        return taken();
    };
    // The cabinet may serve other programs beside us, and their receipts are told here as well.
    if !key::shop_of(&invoice_id).is_some_and(|shop| signers.contains(shop)) {
        fiscal.count_callback("cloudkassir", "foreign");
        return taken();
    }
    if let Err(error) = fiscal.hint(&invoice_id, &id).await {
        tracing::warn!(%error, "a notification could not be kept; it will be told again");
        fiscal.count_callback("cloudkassir", "failed");
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    fiscal.count_callback("cloudkassir", "taken");
    taken()
}

/// Our name for the receipt, or our id for it, in an unsigned callback.
#[derive(Deserialize)]
struct Unsigned {
    external_id: Option<String>,
    id: Option<String>,
}

async fn nudged_by_atol(State(fiscal): State<Arc<Fiscal>>, body: Bytes) -> Response {
    nudge(&fiscal, "atol", &body, |told| told.external_id).await
}

async fn nudged_by_cloudkassir_v1(State(fiscal): State<Arc<Fiscal>>, body: Bytes) -> Response {
    nudge(&fiscal, "cloudkassir-v1", &body, |told| told.external_id).await
}

async fn nudged_by_orangedata(State(fiscal): State<Arc<Fiscal>>, body: Bytes) -> Response {
    nudge(&fiscal, "orangedata", &body, |told| told.id).await
}

/// Has the named job look at the register; 200 whatever comes of it, 503 to be told again.
async fn nudge(
    fiscal: &Fiscal,
    vendor: &str,
    body: &[u8],
    name: impl FnOnce(Unsigned) -> Option<String>,
) -> Response {
    let told = serde_json::from_slice(body).ok().and_then(name);
    let Some(name) = told.filter(|name| name.len() <= key::MAX_CHARS) else {
        fiscal.count_callback(vendor, "unreadable");
        return StatusCode::OK.into_response();
    };
    match (fiscal.outside.nudge)(name).await {
        Ok(true) => fiscal.count_callback(vendor, "taken"),
        Ok(false) => fiscal.count_callback(vendor, "foreign"),
        Err(error) => {
            tracing::warn!(%error, "a callback could not be passed on; it will be told again");
            fiscal.count_callback(vendor, "failed");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    }
    StatusCode::OK.into_response()
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
