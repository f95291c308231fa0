//! A REST request: credentials, limits, the method, the envelope, the webhooks it causes.

use std::sync::Arc;

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;
use time::{Duration, OffsetDateTime};

use super::{
    batch,
    error::RestError,
    methods::{self, Answer, Call},
    params::Params,
    portal::Portal,
    webhook,
};
use crate::{
    Emulator, Settings,
    answer::json_answer,
    clock::moscow,
    faults::{Drawn, Limit},
};

/// `POST /bitrix/rest/{user}/{code}/{method}[.json]`.
pub(super) async fn call(
    State(emulator): State<Arc<Emulator>>,
    Path((user, code, method)): Path<(String, String, String)>,
    drawn: Option<Extension<Drawn>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let settings = emulator.settings();
    let method = method.strip_suffix(".json").unwrap_or(&method);
    let now = emulator.clock.now();
    let mut saved = Vec::new();
    let answer = {
        let mut portal = emulator.bitrix.portal();
        let mut call = Call { now, settings: &settings.bitrix, saved: Vec::new() };
        let answer = credentials(&settings, &user, &code)
            .and_then(|()| admitted(&mut portal, &call, method))
            .and_then(|()| content(&headers))
            .and_then(|()| Params::parse(&body))
            .and_then(|params| match method {
                "batch" => batch::run(&mut portal, &mut call, &emulator.faults, &params),
                _ => methods::call(&mut portal, &mut call, method, &params),
            });
        if let Err(error) = &answer {
            book(&mut portal, method, error);
        }
        saved.append(&mut call.saved);
        answer
    };
    webhook::saved(&emulator, saved, drawn.map_or(1, |Extension(drawn)| drawn.copies));
    match answer {
        Ok(answer) => json_answer(StatusCode::OK, envelope(&answer, now)),
        Err(error) => error.answer(),
    }
}

/// Any other address: there is nothing to authorise with.
pub(super) async fn without_auth(State(emulator): State<Arc<Emulator>>) -> Response {
    let error = RestError::no_auth();
    book(&mut emulator.bitrix.portal(), "rest", &error);
    error.answer()
}

/// Books a breach of the protocol.
pub(super) fn book(portal: &mut Portal, method: &str, error: &RestError) {
    if error.violation {
        portal.violations.add(format!("{method}: {}", error.text()));
    }
}

/// Refuses a blocked method, and counts that it was called all the same.
pub(super) fn unblocked(
    portal: &mut Portal,
    method: &str,
    now: OffsetDateTime,
) -> Result<(), RestError> {
    match portal.limits.blocked(method, now) {
        Some(until) => {
            portal.while_blocked += 1;
            Err(RestError::operation_limit(until))
        }
        None => Ok(()),
    }
}

/// A limit on command, for a command within a batch.
pub(super) fn limited(
    portal: &mut Portal,
    method: &str,
    now: OffsetDateTime,
    limit: Limit,
) -> RestError {
    match limit {
        Limit::Query => RestError::query_limit(),
        Limit::Operation { reset_in_s } => {
            let until = now + Duration::seconds(reset_in_s.into());
            portal.limits.block(method, until);
            RestError::operation_limit(until)
        }
    }
}

/// The `time` object; its seconds are fractions written from integers.
pub(super) fn time(start: OffsetDateTime) -> String {
    let seconds = |at: OffsetDateTime| format!("{}.{:06}", at.unix_timestamp(), at.microsecond());
    let finish = start + Duration::milliseconds(1);
    let reset = (start + Duration::minutes(10)).unix_timestamp();
    format!(
        r#"{{"start":{},"finish":{},"duration":0.001,"processing":0.001,"date_start":"{}","date_finish":"{}","operating_reset_at":{reset},"operating":0}}"#,
        seconds(start),
        seconds(finish),
        moscow(start),
        moscow(finish)
    )
}

fn envelope(answer: &Answer, now: OffsetDateTime) -> String {
    let total = answer.total.map(|total| format!(r#","total":{total}"#)).unwrap_or_default();
    let next = answer.next.map(|next| format!(r#","next":{next}"#)).unwrap_or_default();
    format!(r#"{{"result":{}{next}{total},"time":{}}}"#, answer.result, time(now))
}

fn credentials(settings: &Settings, user: &str, code: &str) -> Result<(), RestError> {
    let good = settings.bitrix.code.expose_secret().as_bytes();
    let fits = user == settings.bitrix.user && bool::from(code.as_bytes().ct_eq(good));
    if fits { Ok(()) } else { Err(RestError::wrong_credentials()) }
}

/// Counts the request and holds it against both limits; a batch is one request.
fn admitted(portal: &mut Portal, call: &Call<'_>, method: &str) -> Result<(), RestError> {
    portal.hits += 1;
    if !portal.limits.pour(call.now, call.settings.burst, call.settings.rate) {
        portal.over_limit += 1;
        return Err(RestError::query_limit());
    }
    unblocked(portal, method, call.now)
}

fn content(headers: &HeaderMap) -> Result<(), RestError> {
    let content = headers.get("content-type").and_then(|value| value.to_str().ok());
    if content.is_some_and(|content| content.starts_with("application/json")) {
        return Ok(());
    }
    Err(RestError::unknown("Content-Type is not application/json"))
}
