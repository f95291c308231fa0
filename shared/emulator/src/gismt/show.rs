//! What is told of documents.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Document, books::Looks, moment, refused};
use crate::{Emulator, answer::json_answer};

const LIST: [&str; 10] = [
    "pg",
    "documentType",
    "dateFrom",
    "dateTo",
    "limit",
    "order",
    "orderColumn",
    "orderedColumnValue",
    "pageDir",
    "documentStatus",
];

pub(super) async fn info(
    State(emulator): State<Arc<Emulator>>,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let settings = emulator.settings();
    let own = &settings.gismt;
    if let Some(refused) = strangers(&emulator, &query, &["pg", "body", "content"]) {
        return refused;
    }
    let looks = Looks { hidden: own.hidden_looks, open: own.looks, codes: own.code_looks };
    let Some(document) = emulator.gismt.books().look(&id, &looks) else {
        return refused(404, "документ не найден");
    };
    let shown = shown(&document, &own.inn);
    let body = if own.info_is_object { shown } else { json!([shown]) };
    json_answer(StatusCode::OK, body.to_string())
}

pub(super) async fn list(
    State(emulator): State<Arc<Emulator>>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    if let Some(refused) = strangers(&emulator, &query, &LIST) {
        return refused;
    }
    let inn = emulator.settings().gismt.inn.clone();
    let text = |name: &str| query.get(name).map(String::as_str);
    let from = moment_of(text("dateFrom")).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let to = moment_of(text("dateTo"));
    let after = moment_of(text("orderedColumnValue"));
    let limit =
        text("limit").and_then(|limit| limit.parse::<usize>().ok()).unwrap_or(10).min(1_000);
    if text("pg").is_none() || text("order").is_some_and(|order| order != "ASC") {
        return refused(400, "pg must be given, and here only ascending order is known");
    }
    let books = emulator.gismt.books();
    let fits = |document: &&Document| {
        // The register's moments have milliseconds, and so have those it is asked with.
        let at = cut(document.at);
        text("pg").is_none_or(|group| document.group == group)
            && text("documentType").is_none_or(|kind| document.kind == kind)
            && at >= from
            && to.is_none_or(|to| at <= to)
            && after.is_none_or(|after| at >= after)
    };
    let mut found: Vec<&Document> = books.documents().iter().filter(fits).collect();
    let more = found.len() > limit;
    found.truncate(limit);
    let results: Vec<Value> = found
        .into_iter()
        .map(|document| {
            let mut shown = shown(document, &inn);
            if let Some(fields) = shown.as_object_mut() {
                fields.insert("productGroup".to_owned(), json!(document.group));
                fields.remove("errors");
                fields.remove("commonErrors");
            }
            shown
        })
        .collect();
    json_answer(StatusCode::OK, json!({"results": results, "nextPage": more}).to_string())
}

pub(super) async fn cises(
    State(emulator): State<Arc<Emulator>>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    if let Some(refused) = strangers(&emulator, &query, &["documentId", "productGroup"]) {
        return refused;
    }
    let inn = emulator.settings().gismt.inn.clone();
    let books = emulator.gismt.books();
    let id = query.get("documentId").map(String::as_str).unwrap_or_default();
    let Some(document) = books.document(id) else {
        return refused(404, "документ не найден");
    };
    let body = json!({
        "senderInn": inn, "type": document.kind, "status": document.status,
        "receivedAt": moment(document.at), "documentId": document.id, "cisList": document.codes,
        "products": [],
    });
    json_answer(StatusCode::OK, body.to_string())
}

fn strangers(
    emulator: &Emulator,
    query: &HashMap<String, String>,
    known: &[&str],
) -> Option<Response> {
    let stranger = query.keys().find(|name| !known.contains(&name.as_str()))?;
    emulator.gismt.books().violations.add(format!("an unknown parameter {stranger}"));
    Some(refused(400, "an unknown parameter"))
}

fn moment_of(text: Option<&str>) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text?, &Rfc3339).ok().map(cut)
}

fn cut(at: OffsetDateTime) -> OffsetDateTime {
    at.replace_millisecond(at.millisecond()).unwrap_or(at)
}

fn shown(document: &Document, inn: &str) -> Value {
    let mut shown = json!({
        "number": document.id, "docDate": moment(document.at), "receivedAt": moment(document.at),
        "type": document.kind, "status": document.status, "senderInn": inn, "senderName": "ООО ПРИМЕР",
        "input": false, "productGroup": [document.group],
    });
    if let Some(fields) = shown
        .as_object_mut()
        .filter(|_| !document.errors.is_empty() && document.status != "IN_PROGRESS")
    {
        let errors = document.errors.iter();
        let texts: Vec<String> = errors
            .clone()
            .map(|(cis, why)| {
                cis.as_ref().map_or_else(|| why.clone(), |cis| format!("{cis}: {why}"))
            })
            .collect();
        let common: Vec<Value> = errors
            .map(|(cis, why)| json!({"errorCode": "ERROR_1", "errorMessage": why, "errorObject": cis}))
            .collect();
        fields.insert("errors".to_owned(), json!(texts));
        fields.insert("commonErrors".to_owned(), json!(common));
    }
    shown
}
