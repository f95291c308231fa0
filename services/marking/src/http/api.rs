//! The interface for programs.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, Query, State, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use events::{Label, OrderRef, ShopId};
use serde::Deserialize;
use serde_json::json;

use super::{
    access::Caller,
    release,
    spool::{Unread, spool},
    texts,
};
use crate::{
    Marking,
    config::Role,
    store::{ImportError, Imported, Scan, ScanRefusal, Scanned},
};

/// Which order: the shop, and whether its site module keeps the order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    shop: ShopId,
    #[serde(default)]
    site: bool,
}

impl Whose {
    fn order(&self, id: u64) -> OrderRef {
        OrderRef { shop: self.shop.clone(), id, number: id.to_string(), site: self.site }
    }
}

/// A scan.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    shop: ShopId,
    #[serde(default)]
    site: bool,
    /// The code as the scanner gave it.
    code: String,
    /// Whether the piece came back.
    #[serde(default)]
    back: bool,
    /// Whether an earlier scan of it is taken back.
    #[serde(default)]
    undo: bool,
}

/// What a scan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The piece goes into the order.
    Bind,
    /// A sold piece came back.
    Back,
    /// An earlier scan was wrong.
    Undo,
}

/// A refusal with a machine word alone.
pub(super) fn refusal(status: StatusCode, word: &str) -> Response {
    (status, Json(json!({"error": word}))).into_response()
}

fn away(error: &sqlx::Error) -> Response {
    tracing::warn!(%error, "PostgreSQL is away");
    refusal(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
}

/// `POST /orders/{id}/scans`: binds a code to the order.
pub(super) async fn scan(
    State(marking): State<Arc<Marking>>,
    caller: Caller,
    Path(id): Path<u64>,
    asked: Result<Json<Asked>, JsonRejection>,
) -> Response {
    let Ok(Json(asked)) = asked else { return refusal(StatusCode::BAD_REQUEST, "invalid_json") };
    let order = OrderRef { shop: asked.shop, id, number: id.to_string(), site: asked.site };
    let purpose = match (asked.undo, asked.back) {
        (false, false) => Purpose::Bind,
        (false, true) => Purpose::Back,
        (true, false) => Purpose::Undo,
        (true, true) => return refusal(StatusCode::BAD_REQUEST, "invalid_json"),
    };
    match bind(&marking, &order, &asked.code, purpose, &caller.name).await {
        Ok(Ok(scanned)) => {
            let Scanned { name, scanned, count } = scanned;
            Json(json!({"product": name, "scanned": scanned, "count": count})).into_response()
        }
        Ok(Err((word, text))) => {
            let status = match word.as_str() {
                "order_unknown" => StatusCode::NOT_FOUND,
                _ => StatusCode::CONFLICT,
            };
            (status, Json(json!({"error": word, "message": {"ru": text.ru, "en": text.en}})))
                .into_response()
        }
        Err(error) => away(&error),
    }
}

/// Binds a code; inside, a machine word and a sentence why not.
pub(super) async fn bind(
    marking: &Marking,
    order: &OrderRef,
    code: &str,
    purpose: Purpose,
    person: &str,
) -> sqlx::Result<Result<Scanned, (String, events::Text)>> {
    let label = match Label::parse(code) {
        Ok(label) => label,
        Err(error) => {
            let word = error.code();
            let text = texts::unreadable(&word);
            return Ok(Err((word, text)));
        }
    };
    let Some(shop) = marking.shops.get(&order.shop) else {
        let refusal = ScanRefusal::OrderUnknown;
        return Ok(Err((refusal.code().to_owned(), texts::refused(&refusal))));
    };
    let scan = Scan { order, label: &label, person, takes_unknown: shop.takes_unknown };
    let scanned = match purpose {
        Purpose::Bind => marking.store.scan(&scan).await?,
        Purpose::Back => marking.store.scan_back(&scan).await?,
        Purpose::Undo => marking.store.unbind(&scan).await?,
    };
    Ok(scanned.map_err(|refusal| (refusal.code().to_owned(), texts::refused(&refusal))))
}

/// `GET /orders/{id}`: its marked lines.
pub(super) async fn order(
    State(marking): State<Arc<Marking>>,
    _caller: Caller,
    Path(id): Path<u64>,
    Query(whose): Query<Whose>,
) -> Response {
    match marking.store.order(&whose.order(id)).await {
        Ok(Some(order)) => Json(order).into_response(),
        Ok(None) => refusal(StatusCode::NOT_FOUND, "order_unknown"),
        Err(error) => away(&error),
    }
}

/// `GET /orders/{id}/codes`: full codes in base64, for receipts. Only for the shop's own program.
pub(super) async fn codes(
    State(marking): State<Arc<Marking>>,
    caller: Caller,
    Path(id): Path<u64>,
    Query(whose): Query<Whose>,
) -> Response {
    if caller.role != Role::Site {
        return refusal(StatusCode::FORBIDDEN, "forbidden");
    }
    match marking.store.full_codes(&whose.order(id)).await {
        Ok(codes) => {
            let code =
                |(line, full): (i64, Vec<u8>)| json!({"line": line, "code": STANDARD.encode(full)});
            Json(codes.into_iter().map(code).collect::<Vec<_>>()).into_response()
        }
        Err(error) => away(&error),
    }
}

/// `GET /counts`: codes by status, documents under way by state.
pub(super) async fn counts(State(marking): State<Arc<Marking>>, _caller: Caller) -> Response {
    match marking.store.counts(marking.now()).await {
        Ok(counts) => Json(counts).into_response(),
        Err(error) => away(&error),
    }
}

/// The name of a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    #[serde(default)]
    name: String,
}

/// `POST /imports?name=codes.csv`: the file is the body.
pub(super) async fn import(
    State(marking): State<Arc<Marking>>,
    caller: Caller,
    Query(named): Query<Named>,
    body: Body,
) -> Response {
    match take_in(&marking, body.into_data_stream(), &named.name, &caller.name).await {
        Ok(done) => Json(done).into_response(),
        Err(refused) => refused.into_response(),
    }
}

/// `GET /quarantine`: codes that a person must look at.
pub(super) async fn quarantined(State(marking): State<Arc<Marking>>, _caller: Caller) -> Response {
    match marking.store.quarantined(1_000).await {
        Ok(kept) => Json(kept).into_response(),
        Err(error) => away(&error),
    }
}

/// A code that may be sold again, and why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Released {
    code: String,
    reason: String,
}

/// `POST /quarantine/release`: puts a code back into stock, if the register has it in circulation.
pub(super) async fn release(
    State(marking): State<Arc<Marking>>,
    caller: Caller,
    asked: Result<Json<Released>, JsonRejection>,
) -> Response {
    let Ok(Json(asked)) = asked else { return refusal(StatusCode::BAD_REQUEST, "invalid_json") };
    match release::release(&marking, &asked.code, &asked.reason, &caller.name).await {
        Ok(()) => Json(json!({"status": "in_stock"})).into_response(),
        Err(refused) => refused.into_response(),
    }
}

/// What is refused: status, machine word, and a sentence.
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) word: String,
    pub(super) text: events::Text,
}

impl Refused {
    pub(super) fn new(status: StatusCode, word: &str, text: events::Text) -> Self {
        Self { status, word: word.to_owned(), text }
    }

    /// PostgreSQL is away.
    pub(super) fn away(error: &sqlx::Error) -> Self {
        tracing::warn!(%error, "PostgreSQL is away");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", texts::away())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self { status, word, text } = self;
        (status, Json(json!({"error": word, "message": {"ru": text.ru, "en": text.en}})))
            .into_response()
    }
}

/// Spools a file and imports it.
pub(super) async fn take_in<E>(
    marking: &Marking,
    pieces: impl futures_util::Stream<Item = Result<axum::body::Bytes, E>> + Unpin,
    name: &str,
    person: &str,
) -> Result<Imported, Refused> {
    let limit = marking.config.marking_import_limit;
    let spooled = spool(pieces, limit).await.map_err(|unread| {
        let (status, word) = match &unread {
            Unread::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Unread::Broken => (StatusCode::BAD_REQUEST, "broken_off"),
            Unread::Disk(error) => {
                tracing::error!(%error, "a file cannot be written to the temporary folder");
                (StatusCode::INSUFFICIENT_STORAGE, "disk")
            }
        };
        Refused::new(status, word, texts::unread(&unread, limit))
    })?;
    let name: String = name.chars().filter(|letter| !letter.is_control()).take(200).collect();
    let done = marking.store.import(spooled.file, &spooled.digest, &name, person).await;
    done.map_err(|error| {
        let text = texts::not_imported(&error);
        let (status, word) = match &error {
            ImportError::Sheet(_) => (StatusCode::UNPROCESSABLE_ENTITY, "file_refused"),
            ImportError::Database(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        };
        Refused::new(status, word, text)
    })
}

/// `GET /imports`: the last ones.
pub(super) async fn imports(State(marking): State<Arc<Marking>>, _caller: Caller) -> Response {
    match marking.store.imports(100).await {
        Ok(imports) => Json(imports).into_response(),
        Err(error) => away(&error),
    }
}

/// `GET /imports/{id}`.
pub(super) async fn imported(
    State(marking): State<Arc<Marking>>,
    _caller: Caller,
    Path(id): Path<i64>,
) -> Response {
    match marking.store.imported(id).await {
        Ok(Some(import)) => Json(import).into_response(),
        Ok(None) => refusal(StatusCode::NOT_FOUND, "import_unknown"),
        Err(error) => away(&error),
    }
}

/// From which place of the report on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct After {
    #[serde(default)]
    pub(super) after: i64,
}

/// `GET /imports/{id}/rows?after=0`: the report, a thousand rows at a time.
pub(super) async fn rows(
    State(marking): State<Arc<Marking>>,
    _caller: Caller,
    Path(id): Path<i64>,
    Query(after): Query<After>,
) -> Response {
    match marking.store.report(id, after.after, 1_000).await {
        Ok(rows) => Json(rows).into_response(),
        Err(error) => away(&error),
    }
}
