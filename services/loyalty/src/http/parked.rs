//! `/parked`: which operations wait, and for what. Phones are masked: what a person does about one
//! he does by its customer or its original.

use std::sync::Arc;

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{
    Api,
    answer::{self, Points, phone_ends},
};
use crate::{ledger::Request, store::Waiting};

/// Lines of one page.
const PAGE: i64 = 100;

/// Which page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    before: Option<i64>,
    limit: Option<i64>,
}

#[derive(Debug, Serialize)]
struct Line {
    source: String,
    external_id: String,
    waits: String,
    #[serde(rename = "type")]
    kind: Option<&'static str>,
    amount: Option<Points>,
    phone_ends: Option<String>,
    reference: Option<String>,
    store: Option<String>,
    order: Option<String>,
    unreadable: bool,
    #[serde(with = "time::serde::rfc3339")]
    parked_at: OffsetDateTime,
}

pub(super) async fn list(
    State(api): State<Arc<Api>>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let Ok(Query(asked)) = asked else {
        return answer::error(api.language, StatusCode::BAD_REQUEST, "invalid_query");
    };
    let limit = asked.limit.unwrap_or(PAGE).clamp(1, 500);
    let store = api.bank.store();
    match store.waiting(asked.before.unwrap_or(i64::MAX), limit).await {
        Ok(waiting) => {
            let next = waiting.last().map(|waiting| waiting.seq);
            let items: Vec<Line> = waiting.into_iter().map(line).collect();
            answer::json(StatusCode::OK, &Page { items, next_before: next })
        }
        Err(error) => {
            tracing::warn!(%error, "what waits cannot be read");
            answer::away(api.language)
        }
    }
}

#[derive(Debug, Serialize)]
struct Page {
    items: Vec<Line>,
    next_before: Option<i64>,
}

fn line(waiting: Waiting) -> Line {
    let request = waiting.request.as_ref();
    let note = request.map(|request| &request.note);
    Line {
        source: waiting.key.source,
        external_id: waiting.key.external_id,
        waits: waiting.waits,
        kind: request.map(|request| request.what.kind().as_str()),
        amount: request.and_then(|request| request.what.amount()).map(Points),
        phone_ends: request.and_then(|Request { phone, .. }| phone.as_ref()).map(phone_ends),
        reference: request.and_then(|request| request.what.of()).map(|of| of.external_id.clone()),
        store: note.and_then(|note| note.store.clone()),
        order: note.and_then(|note| note.order.clone()),
        unreadable: request.is_none(),
        parked_at: waiting.parked_at,
    }
}
