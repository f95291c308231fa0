//! What people and programs may look at: documents with their history, stock and where it differs; and the
//! catalogue, which the shop tells.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, Query, Request, State},
    http::{StatusCode, header::CONTENT_TYPE},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, put},
};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{
    Egais,
    store::{CatalogueRow, Difference},
};

/// The largest catalogue, in bytes.
const CATALOGUE_MOST: usize = 32 * 1024 * 1024;

pub(crate) fn router(egais: Arc<Egais>) -> Router {
    Router::new()
        .route("/v1/documents", get(documents))
        .route("/v1/stock", get(stock))
        .route("/v1/stock/{utm}/differences", get(differences))
        .route("/v1/stock/{utm}/differences.csv", get(csv))
        .route("/v1/catalogue/{utm}", put(catalogue))
        .layer(from_fn_with_state(Arc::clone(&egais), known))
        .layer(DefaultBodyLimit::max(CATALOGUE_MOST))
        .with_state(egais)
}

/// Only who has the key.
async fn known(State(egais): State<Arc<Egais>>, request: Request, next: Next) -> Response {
    let given = request.headers().get("x-api-key").map(|value| value.as_bytes().to_vec());
    let wanted = egais.settings.key.as_ref().map(|key| Sha256::digest(key.expose()));
    let is_known = match (given, wanted) {
        (Some(given), Some(wanted)) => bool::from(Sha256::digest(given).ct_eq(&wanted)),
        _ => false,
    };
    if is_known {
        next.run(request).await
    } else {
        (StatusCode::UNAUTHORIZED, Json(json!({"error": "unauthorized"}))).into_response()
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    order: Option<String>,
}

fn away(error: &sqlx::Error) -> Response {
    tracing::warn!(%error, "PostgreSQL is away");
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"error": "store_away"}))).into_response()
}

async fn documents(State(egais): State<Arc<Egais>>, Query(about): Query<About>) -> Response {
    match egais.store.documents(about.order.as_deref()).await {
        Ok(documents) => Json(json!({"documents": documents})).into_response(),
        Err(error) => away(&error),
    }
}

/// Of every UTM: when its stock was compared last, and the largest differences with the day since which each is there.
async fn stock(State(egais): State<Arc<Egais>>) -> Response {
    let mut all = Vec::with_capacity(egais.utms.len());
    for utm in egais.utms.keys() {
        match egais.store.compared(utm).await {
            Ok(stock) => all.push(json!({"utm": utm, "stock": stock})),
            Err(error) => return away(&error),
        }
    }
    Json(json!({"stock": all})).into_response()
}

async fn differences(State(egais): State<Arc<Egais>>, Path(utm): Path<String>) -> Response {
    match egais.store.differences(&utm).await {
        Ok(differences) => Json(json!({"differences": differences})).into_response(),
        Err(error) => away(&error),
    }
}

/// The same for audit, as a table that spreadsheets open.
async fn csv(State(egais): State<Arc<Egais>>, Path(utm): Path<String>) -> Response {
    match egais.store.differences(&utm).await {
        Ok(differences) => {
            let table = table(&differences);
            ([(CONTENT_TYPE, "text/csv; charset=utf-8")], table).into_response()
        }
        Err(error) => away(&error),
    }
}

fn table(differences: &[Difference]) -> String {
    let mut text = "\u{feff}alc_code;name;first;shop;catalogue\r\n".to_owned();
    for row in differences {
        // A name that begins like a formula is one to a spreadsheet.
        let name = row.name.replace('"', "\"\"");
        let name = name.trim_start_matches(['=', '+', '-', '@']);
        text.push_str(&format!(
            "{};\"{name}\";{};{};{}\r\n",
            row.alc_code, row.first, row.shop, row.catalogue
        ));
    }
    text
}

async fn catalogue(
    State(egais): State<Arc<Egais>>,
    Path(utm): Path<String>,
    Json(rows): Json<Vec<CatalogueRow>>,
) -> Response {
    if !egais.utms.contains_key(&utm) {
        return (StatusCode::NOT_FOUND, Json(json!({"error": "utm_unknown"}))).into_response();
    }
    match egais.store.keep_catalogue(&utm, &rows, egais.now()).await {
        Ok(()) => Json(json!({"rows": rows.len()})).into_response(),
        Err(error) => away(&error),
    }
}
