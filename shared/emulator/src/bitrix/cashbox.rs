//! The portal's side of its cash register protocol: receipts that it composed are posted to `PRINT_URL` as its own
//! client does (a form with PHP's brackets), `CHECK_URL` is asked, and `sale.cashbox.check.apply` closes them.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use form_urlencoded::Serializer;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{error::RestError, params::Params, portal::Portal};
use crate::{
    Emulator,
    answer::{control_error, json_answer},
    outgoing::{Delivery, Post},
};

/// A receipt in the portal's journal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What `PRINT_URL` answered as UUID: the portal knows the receipt by it.
    pub uuid: Option<String>,
    /// How often it was posted.
    pub printed: u32,
    /// What `PRINT_URL` refused it with, the last time.
    pub errors: Vec<String>,
    /// `WAIT`, `DONE` or `ERROR`, as `CHECK_URL` or `sale.cashbox.check.apply` last said.
    pub status: Option<String>,
    /// What `CHECK_URL` said of an error.
    pub error: Option<String>,
    /// The fiscal data, by their names in the protocol.
    pub data: BTreeMap<String, String>,
    /// How often `sale.cashbox.check.apply` came.
    pub applied: u32,
}

/// What `sale.cashbox.check.apply` may carry.
const FIELDS: [&str; 8] = [
    "UUID",
    "PRINT_END_TIME",
    "REG_NUMBER_KKT",
    "FISCAL_DOC_ATTR",
    "FISCAL_DOC_NUMBER",
    "FISCAL_RECEIPT_NUMBER",
    "FN_NUMBER",
    "SHIFT_NUMBER",
];

pub(crate) fn router() -> Router<Arc<Emulator>> {
    Router::new()
        .route("/_bitrix/checks/{id}/print", post(print))
        .route("/_bitrix/checks/{id}/check", post(check))
        .route("/_books/bitrix/checks/{id}", get(book))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct How {
    /// 1 posts JSON, as the documentation shows it, and not a form, as the portal's own client does.
    #[serde(default)]
    json: u32,
}

fn url(emulator: &Emulator, what: &str) -> Result<String, Box<Response>> {
    let base = emulator.settings().bitrix.cashbox_url.clone();
    base.map(|base| format!("{base}/{what}")).ok_or_else(|| {
        let why = "bitrix_cashbox_url is not set, so there is no cash register";
        Box::new(control_error(StatusCode::CONFLICT, why))
    })
}

/// Posts a receipt to `PRINT_URL`; the body is the receipt without its number and name.
async fn print(
    State(emulator): State<Arc<Emulator>>,
    Path(id): Path<u64>,
    Query(how): Query<How>,
    body: Bytes,
) -> Response {
    let url = match url(&emulator, "print") {
        Ok(url) => url,
        Err(refusal) => return *refusal,
    };
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(&body) else {
        return control_error(StatusCode::BAD_REQUEST, "a receipt is a JSON object");
    };
    let domain = emulator.settings().bitrix.domain.clone();
    fields.insert("unique_id".to_owned(), json!(id));
    fields.insert("uuid".to_owned(), json!(format!("check|{domain}|{id}")));
    let delivery = emulator.outgoing.post(posted(url, fields, how.json == 1)).await;
    let answer = answer(&delivery);
    let check = {
        let mut portal = emulator.bitrix.portal();
        if answer.is_none() {
            portal.violations.add(format!("PRINT_URL answered {delivery:?}"));
        }
        let check = portal.checks.entry(id).or_default();
        check.printed += 1;
        check.taken(&answer.unwrap_or_default());
        check.clone()
    };
    json_answer(StatusCode::OK, json!(check).to_string())
}

/// Asks `CHECK_URL` how a receipt stands.
async fn check(State(emulator): State<Arc<Emulator>>, Path(id): Path<u64>) -> Response {
    let url = match url(&emulator, "check") {
        Ok(url) => url,
        Err(refusal) => return *refusal,
    };
    let uuid = emulator.bitrix.portal().checks.get(&id).and_then(|check| check.uuid.clone());
    let Some(uuid) = uuid else {
        return control_error(StatusCode::NOT_FOUND, "no such receipt was printed");
    };
    let fields = Map::from_iter([("uuid".to_owned(), json!(uuid))]);
    let delivery = emulator.outgoing.post(posted(url, fields, false)).await;
    let answer = answer(&delivery);
    let check = {
        let mut portal = emulator.bitrix.portal();
        if answer.is_none() {
            portal.violations.add(format!("CHECK_URL answered {delivery:?}"));
        }
        let check = portal.checks.entry(id).or_default();
        check.looked(&answer.unwrap_or_default());
        check.clone()
    };
    json_answer(StatusCode::OK, json!(check).to_string())
}

async fn book(State(emulator): State<Arc<Emulator>>, Path(id): Path<u64>) -> Response {
    match emulator.bitrix.portal().checks.get(&id) {
        Some(check) => json_answer(StatusCode::OK, json!(check).to_string()),
        None => control_error(StatusCode::NOT_FOUND, "no such receipt"),
    }
}

/// `sale.cashbox.check.apply`: the result of a receipt that was printed.
pub(super) fn apply(portal: &mut Portal, params: &Params) -> Result<String, RestError> {
    params.only(&FIELDS)?;
    let uuid = params.text("UUID")?.filter(|uuid| !uuid.is_empty());
    let uuid = uuid.ok_or_else(|| RestError::no_parameter("UUID"))?;
    let mut checks = portal.checks.values_mut();
    let check = checks.find(|check| check.uuid.as_ref() == Some(&uuid));
    let check = check.ok_or_else(|| RestError::named("ERROR_CHECK_FAILURE", "Check not found"))?;
    for name in FIELDS.iter().skip(1) {
        if let Some(value) = params.text(name)? {
            check.data.insert((*name).to_owned(), value);
        }
    }
    check.status = Some("DONE".to_owned());
    check.applied += 1;
    Ok("true".to_owned())
}

impl Check {
    fn taken(&mut self, answer: &Map<String, Value>) {
        let errors = answer.get("ERRORS").and_then(Value::as_array);
        let errors = errors.into_iter().flatten().filter_map(Value::as_str);
        self.errors = errors.map(str::to_owned).collect();
        if let Some(uuid) = answer.get("UUID").and_then(Value::as_str) {
            self.uuid = Some(uuid.to_owned());
        }
    }

    fn looked(&mut self, answer: &Map<String, Value>) {
        let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
        self.status = text("STATUS");
        self.error = text("ERROR");
        for name in FIELDS.iter().skip(1) {
            let value = match answer.get(*name) {
                Some(Value::String(value)) => value.clone(),
                Some(Value::Number(value)) => value.to_string(),
                _ => continue,
            };
            self.data.insert((*name).to_owned(), value);
        }
    }
}

/// Anything but 200 with a JSON object is no answer; the portal would take it for "printed".
fn answer(delivery: &Delivery) -> Option<Map<String, Value>> {
    match delivery {
        Delivery::Answered { status: 200, body } => serde_json::from_str(body).ok(),
        _ => None,
    }
}

fn posted(url: String, fields: Map<String, Value>, as_json: bool) -> Post {
    let (content_type, body) = if as_json {
        ("application/json", Value::Object(fields).to_string())
    } else {
        let mut form = Serializer::new(String::new());
        fields.iter().for_each(|(name, value)| write(&mut form, name, value));
        ("application/x-www-form-urlencoded", form.finish())
    };
    let (agent, headers) = ("BitrixSM HttpClient class", Vec::new());
    Post { url, content_type, agent, headers, body: Bytes::from(body) }
}

/// As PHP's `http_build_query` writes it: nothing for null, `1` and `0` for truth.
fn write(form: &mut Serializer<'_, String>, name: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::Bool(truth) => drop(form.append_pair(name, if *truth { "1" } else { "0" })),
        Value::Number(number) => drop(form.append_pair(name, &number.to_string())),
        Value::String(text) => drop(form.append_pair(name, text)),
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                write(form, &format!("{name}[{place}]"), item);
            }
        }
        Value::Object(fields) => {
            for (inner, field) in fields {
                write(form, &format!("{name}[{inner}]"), field);
            }
        }
    }
}
