//! The interface for programs: an order's documents, their states, files and signatures.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Query, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::get,
};
use events::{OrderRef, ShopId};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::Edo;

pub(crate) fn router(edo: Arc<Edo>) -> Router {
    Router::new()
        .route("/v1/orders/{id}/documents", get(history))
        .route("/v1/documents/{id}/states", get(states))
        .route("/v1/documents/{id}/content", get(content))
        .route("/v1/documents/{id}/signature", get(signature))
        .layer(middleware::from_fn_with_state(Arc::clone(&edo), admit))
        .with_state(edo)
}

/// Lets in who has the token. Digests of one length are compared, in the same time for all.
async fn admit(State(edo): State<Arc<Edo>>, request: Request, next: Next) -> Response {
    let Some(token) = &edo.config.edo_api_token else {
        return refusal(StatusCode::NOT_FOUND, "interface_off");
    };
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let digest = |text: &str| -> [u8; 32] { Sha256::digest(text.as_bytes()).into() };
    if !bool::from(digest(given).ct_eq(&digest(token.expose_secret()))) {
        return refusal(StatusCode::UNAUTHORIZED, "unauthorized");
    }
    let mut answer = next.run(request).await;
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Which order: the shop, and whether its site module keeps the order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whose {
    shop: ShopId,
    #[serde(default)]
    site: bool,
}

async fn history(
    State(edo): State<Arc<Edo>>,
    Path(id): Path<u64>,
    Query(whose): Query<Whose>,
) -> Response {
    let order = OrderRef { shop: whose.shop, id, number: id.to_string(), site: whose.site };
    match edo.store.history(&order).await {
        Ok(documents) => Json(json!({"documents": documents})).into_response(),
        Err(error) => away(&error),
    }
}

async fn states(State(edo): State<Arc<Edo>>, Path(id): Path<Uuid>) -> Response {
    match edo.store.states(id).await {
        Ok(states) if states.is_empty() => refusal(StatusCode::NOT_FOUND, "document_unknown"),
        Ok(states) => Json(json!({"states": states})).into_response(),
        Err(error) => away(&error),
    }
}

async fn content(State(edo): State<Arc<Edo>>, Path(id): Path<Uuid>) -> Response {
    let kind = "application/xml; charset=windows-1251";
    given(edo.store.file(id).await, kind, "xml")
}

async fn signature(State(edo): State<Arc<Edo>>, Path(id): Path<Uuid>) -> Response {
    given(edo.store.signature(id).await, "application/pkcs7-signature", "sig")
}

fn given(
    found: sqlx::Result<Option<(String, Vec<u8>)>>,
    kind: &'static str,
    extension: &str,
) -> Response {
    match found {
        // The name is Latin: ИдФайл has no other letters.
        Ok(Some((name, bytes))) => {
            let disposition = format!("attachment; filename=\"{name}.{extension}\"");
            let headers = [
                (header::CONTENT_TYPE, kind.to_owned()),
                (header::CONTENT_DISPOSITION, disposition),
            ];
            (headers, bytes).into_response()
        }
        Ok(None) => refusal(StatusCode::NOT_FOUND, "document_unknown"),
        Err(error) => away(&error),
    }
}

fn away(error: &sqlx::Error) -> Response {
    tracing::warn!(%error, "PostgreSQL is away");
    refusal(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
}

fn refusal(status: StatusCode, word: &str) -> Response {
    (status, Json(json!({"error": word}))).into_response()
}
