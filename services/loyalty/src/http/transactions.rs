//! `POST /transactions` and `POST /transactions/batch`.

use std::sync::Arc;

use axum::{Extension, body::Body, extract::State, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    Api,
    answer::{self, Points, phone_ends},
    auth::Caller,
    body::{self, ONE_MAX, Unread},
    guard::{Said, Says},
    wire::{self, Invalid},
};
use crate::{
    bank::Away,
    ledger::{Answer, Content, Known, Request},
    store::Answered,
    words,
};

/// The largest batch.
const BATCH_MAX: usize = 4 * 1024 * 1024;
/// The most operations of a batch.
const ITEMS_MAX: usize = 10_000;

/// What became of one operation.
#[derive(Debug, Default, Serialize)]
struct Item {
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// `success`, `duplicate` or `error`.
    result: &'static str,
    /// The exact word.
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotent: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    applied: Option<Points>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<Points>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    given: Option<Value>,
}

/// One side of a conflict.
#[derive(Debug, Serialize)]
struct Value {
    #[serde(rename = "type")]
    kind: &'static str,
    amount: Option<Points>,
    /// The end of the phone: enough to see a difference.
    phone_ends: Option<String>,
    reference: Option<String>,
}

pub(super) async fn one(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Arc<Caller>>,
    body: Body,
) -> Response {
    let text = match read_text(body, ONE_MAX).await {
        Ok(text) => text,
        Err(unread) => return unread.answer(&api),
    };
    let item = match understand(&api, &caller, &text, false) {
        Err(invalid) => (StatusCode::BAD_REQUEST, refused(&api, invalid)),
        Ok(request) => {
            let name = request.key.external_id.clone();
            match api.bank.apply(request).await {
                Err(Away) => {
                    let mut response = answer::away(api.language);
                    response.extensions_mut().insert(Says(vec![said(&unavailable(&api, name))]));
                    return response;
                }
                Ok(answered) => (status(&answered.answer), decided(&api, name, &answered)),
            }
        }
    };
    let mut response = answer::json(item.0, &item.1);
    response.extensions_mut().insert(Says(vec![said(&item.1)]));
    response
}

pub(super) async fn batch(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Arc<Caller>>,
    body: Body,
) -> Response {
    let text = match read_text(body, BATCH_MAX).await {
        Ok(text) => text,
        Err(unread) => return unread.answer(&api),
    };
    let Some(items) = items(&text) else {
        return answer::error(api.language, StatusCode::BAD_REQUEST, "invalid_json");
    };
    if items.len() > ITEMS_MAX {
        return answer::error(api.language, StatusCode::PAYLOAD_TOO_LARGE, "too_many_items");
    }
    let read: Vec<Result<Request, Invalid>> =
        items.iter().map(|item| understand(&api, &caller, item.get(), true)).collect();
    let good = read.iter().filter_map(|item| item.as_ref().ok().cloned()).collect();
    let mut answers = api.bank.apply_all(good).await.into_iter();
    let results: Vec<Item> = read
        .into_iter()
        .map(|item| match item {
            Err(invalid) => refused(&api, invalid),
            Ok(request) => match answers.next() {
                Some(Ok(answered)) => decided(&api, request.key.external_id, &answered),
                Some(Err(Away)) | None => unavailable(&api, request.key.external_id),
            },
        })
        .collect();
    let says = Says(results.iter().map(said).collect());
    let mut response = answer::json(StatusCode::OK, &serde_json::json!({"results": results}));
    response.extensions_mut().insert(says);
    response
}

fn understand(api: &Api, caller: &Caller, text: &str, late: bool) -> Result<Request, Invalid> {
    let now = api.bank.store().now();
    let (request, ahead) = wire::read(text, caller, &api.program, now, late)?;
    if let Some(ahead) = ahead {
        api.gauges.ahead(ahead);
    }
    Ok(request)
}

/// The operations of a batch: an array, or an object with `transactions`.
fn items(text: &str) -> Option<Vec<&RawValue>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Named<'a> {
        #[serde(borrow)]
        transactions: Vec<&'a RawValue>,
    }
    serde_json::from_str::<Vec<&RawValue>>(text)
        .or_else(|_| serde_json::from_str::<Named<'_>>(text).map(|named| named.transactions))
        .ok()
}

fn decided(api: &Api, external_id: String, answered: &Answered) -> Item {
    let word = answered.answer.word();
    let base = Item {
        external_id: Some(external_id),
        status: word.to_owned(),
        balance: answered.available.map(Points),
        ..Item::default()
    };
    match &answered.answer {
        Answer::Decided(known) => outcome(api, base, known, false),
        Answer::Repeated(known) => outcome(api, base, known, true),
        Answer::Parked(_) => {
            Item { result: "success", message: Some(api.language.of(&words::api(word))), ..base }
        }
        Answer::Conflict { recorded, given } => Item {
            result: "error",
            error: Some(word.to_owned()),
            message: Some(api.language.of(&words::api(word))),
            recorded: Some(side(recorded)),
            given: Some(side(given)),
            ..base
        },
    }
}

fn outcome(api: &Api, base: Item, known: &Known, repeated: bool) -> Item {
    let done = known.outcome.is_done();
    let word = known.outcome.as_str();
    Item {
        result: match (done, repeated) {
            (true, true) => "duplicate",
            (true, false) => "success",
            (false, _) => "error",
        },
        idempotent: repeated.then_some(true),
        transaction_id: Some(known.id),
        applied: done.then_some(Points(known.applied)),
        error: (!done).then(|| word.to_owned()),
        message: (!done).then(|| api.language.of(&words::api(word))),
        ..base
    }
}

fn side(content: &Content) -> Value {
    Value {
        kind: content.kind.as_str(),
        amount: content.amount.map(Points),
        phone_ends: content.phone.as_ref().map(phone_ends),
        reference: content.of.as_ref().map(|of| of.external_id.clone()),
    }
}

fn refused(api: &Api, invalid: Invalid) -> Item {
    Item {
        external_id: invalid.external_id,
        result: "error",
        status: "invalid".to_owned(),
        error: Some(invalid.code.to_owned()),
        field: Some(invalid.field).filter(|field| !field.is_empty()),
        message: Some(api.language.of(&words::api(invalid.code))),
        ..Item::default()
    }
}

fn unavailable(api: &Api, external_id: String) -> Item {
    Item {
        external_id: Some(external_id),
        result: "error",
        status: "unavailable".to_owned(),
        error: Some("unavailable".to_owned()),
        message: Some(api.language.of(&words::api("unavailable"))),
        ..Item::default()
    }
}

fn status(answer: &Answer) -> StatusCode {
    match answer {
        Answer::Decided(known) | Answer::Repeated(known) if known.outcome.is_done() => {
            StatusCode::OK
        }
        Answer::Decided(_) | Answer::Repeated(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Answer::Conflict { .. } => StatusCode::CONFLICT,
        Answer::Parked(_) => StatusCode::ACCEPTED,
    }
}

fn said(item: &Item) -> Said {
    let result = item.error.clone().unwrap_or_else(|| item.status.clone());
    let taken = !matches!(item.status.as_str(), "invalid" | "unavailable");
    Said { external_id: item.external_id.clone(), result, taken }
}

async fn read_text(body: Body, limit: usize) -> Result<String, Unread> {
    String::from_utf8(body::read(body, limit).await?).map_err(|_| Unread::Broken)
}
