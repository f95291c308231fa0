//! Organisations and how we stand with them.

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::Bytes,
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{books::Buyer, breach, parameters, refused, uuid};
use crate::{Emulator, answer::json_answer};

fn shown(buyer: &Buyer) -> Value {
    let plain = buyer.box_id.replace('-', "");
    json!({
        "OrgIdGuid": buyer.box_id, "OrgId": plain, "Inn": buyer.inn,
        "Kpp": if buyer.kpp.is_empty() { Value::Null } else { json!(buyer.kpp) },
        "FullName": buyer.name, "ShortName": buyer.name, "JoinedDiadocTreaty": true,
        "Boxes": [{"BoxId": format!("{plain}@diadoc.ru"), "BoxIdGuid": buyer.box_id, "Title": buyer.name}],
        "FnsParticipantId": buyer.participant, "Departments": [], "IsActive": buyer.active,
        "IsTest": buyer.test, "IsBranch": buyer.branch, "IsRoaming": buyer.roaming,
        "Sociability": buyer.sociability, "HasCertificateToSign": true,
    })
}

/// `GET /GetOrganizationsByInnKpp`.
pub(super) async fn organizations(
    State(emulator): State<Arc<Emulator>>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    if let Err(refused) = parameters(&emulator, &query, &["inn"], &["kpp", "includeRelations"]) {
        return *refused;
    }
    let books = emulator.diadoc.books();
    let fits = |buyer: &&Buyer| {
        query.get("inn") == Some(&buyer.inn) && query.get("kpp").is_none_or(|kpp| *kpp == buyer.kpp)
    };
    let found: Vec<Value> = books.buyers.iter().filter(fits).map(shown).collect();
    json_answer(StatusCode::OK, json!({"Organizations": found}).to_string())
}

/// `GET /V3/GetCounteragent`.
pub(super) async fn counteragent(
    State(emulator): State<Arc<Emulator>>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let must = ["myBoxId", "counteragentBoxId"];
    if let Err(refused) = parameters(&emulator, &query, &must, &[]) {
        return *refused;
    }
    if query.get("myBoxId") != Some(&emulator.settings().diadoc.box_id) {
        return refused(403, "Http.Forbidden", "no access to the box");
    }
    let books = emulator.diadoc.books();
    let found = query.get("counteragentBoxId").and_then(|id| books.buyer(id));
    let Some(buyer) = found.filter(|buyer| buyer.status != "NotInCounteragentList") else {
        return refused(404, "Http.NotFound", "not in the list of counteragents");
    };
    let body = json!({"Organization": shown(buyer), "CurrentStatus": buyer.status});
    json_answer(StatusCode::OK, body.to_string())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Acquire {
    box_id: String,
    message_to_counteragent: Option<String>,
}

/// `POST /V3/AcquireCounteragent`: invites, or accepts an invitation.
pub(super) async fn acquire(
    State(emulator): State<Arc<Emulator>>,
    Query(query): Query<HashMap<String, String>>,
    body: Bytes,
) -> Response {
    if let Err(refused) = parameters(&emulator, &query, &["myBoxId"], &[]) {
        return *refused;
    }
    let asked: Acquire = match serde_json::from_slice(&body) {
        Ok(asked) => asked,
        Err(error) => return breach(&emulator, &format!("AcquireCounteragent: {error}")),
    };
    if asked.message_to_counteragent.is_some_and(|text| text.chars().count() > 1000) {
        return breach(&emulator, "AcquireCounteragent: the message is too long");
    }
    let mut books = emulator.diadoc.books();
    let Some(buyer) = books.buyer(&asked.box_id).cloned() else {
        return refused(404, "Http.NotFound", "no such box");
    };
    if buyer.roaming {
        return refused(409, "DiadocApi.Conflict", "roaming must be asked for");
    }
    let next = match buyer.status.as_str() {
        "InvitesMe" | "IsMyCounteragent" => "IsMyCounteragent",
        _ => "IsInvitedByMe",
    };
    books.relate(&buyer.box_id, next);
    json_answer(StatusCode::OK, json!({"TaskId": uuid()}).to_string())
}
