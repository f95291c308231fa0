//! What is told of documents and events.

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::Bytes,
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use rand::seq::SliceRandom as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answered, Message, books::Event, breach, parameters, refused, ticks};
use crate::{Emulator, answer::json_answer};

/// A document as it stands, with texts for people beside the states: they differ from time to time on purpose.
fn shown(message: &Message) -> Value {
    let has = |wanted: fn(&Answered) -> bool| message.answers.iter().any(wanted);
    let response = if has(|a| matches!(a, Answered::Rejected { .. })) {
        "RecipientSignatureRequestRejected"
    } else if has(|a| matches!(a, Answered::WrongSignature)) {
        "InvalidRecipientSignature"
    } else if has(|a| matches!(a, Answered::Signed)) {
        "WithRecipientSignature"
    } else {
        "WaitingForRecipientSignature"
    };
    let revocation = if has(|a| matches!(a, Answered::Revoked)) {
        "RevocationAccepted"
    } else if has(|a| matches!(a, Answered::RevocationAsked)) {
        "RequestsMyRevocation"
    } else {
        "RevocationStatusNone"
    };
    let own = if has(|a| matches!(a, Answered::OwnSignatureWrong)) {
        "SenderSignatureCheckedAndInvalid"
    } else {
        "SenderSignatureUnchecked"
    };
    // `InvoiceAmendmentFlags`: a set.
    let flags = i32::from(has(|a| matches!(a, Answered::CorrectionAsked { .. })))
        | i32::from(has(|a| matches!(a, Answered::Corrected))) << 2
        | i32::from(has(|a| matches!(a, Answered::PowersAsked))) << 3;
    let roaming = message.answers.iter().find_map(|answer| match answer {
        Answered::RoamingFailed { text } => Some(text),
        _ => None,
    });
    let texts = ["Ожидается подпись контрагента", "Требуется действие", "Подписан", "Ошибка"];
    let text = texts.get(usize::try_from(message.looks % 4).unwrap_or(0)).copied();
    json!({
        "MessageId": message.id, "EntityId": message.entity, "CustomDocumentId": message.custom,
        "CounteragentBoxId": message.to, "TypeNamedId": message.kind, "Function": message.function,
        "Version": message.version, "DocumentNumber": message.number, "FileName": message.file_name,
        "DocumentDirection": "Outbound", "CreationTimestampTicks": ticks(message.at),
        "SendTimestampTicks": ticks(message.at), "DeliveryTimestampTicks": message.delivered,
        "LastModificationTimestampTicks": message.changed, "SenderSignatureStatus": own,
        "RecipientResponseStatus": response, "RevocationStatus": revocation,
        "AmendmentRequestMetadata": {"AmendmentFlags": flags, "ReceiptStatus": "GeneralReceiptStatusNotAcceptable"},
        "RoamingNotificationStatus":
            if roaming.is_some() { "RoamingNotificationStatusError" } else { "RoamingNotificationStatusNone" },
        "RoamingNotificationStatusDescription": roaming,
        "IsDeleted": has(|a| matches!(a, Answered::Deleted)),
        "DocflowStatus": {"PrimaryStatus": {"Severity": "Info", "StatusText": text}},
    })
}

/// The answer to a sending.
pub(super) fn message(own: &Message, from: &str) -> Value {
    json!({
        "MessageId": own.id, "TimestampTicks": ticks(own.at), "FromBoxId": from, "ToBoxId": own.to,
        "IsDraft": false, "IsTest": false, "MessageType": "Letter",
        "Entities": [
            {"EntityType": "Signature", "EntityId": super::uuid(), "ParentEntityId": own.entity},
            {"EntityType": "Attachment", "EntityId": own.entity, "AttachmentType": own.kind,
             "FileName": own.file_name, "Version": own.version, "DocumentInfo": shown(own)},
        ],
    })
}

pub(super) fn own_box(
    emulator: &Emulator,
    query: &HashMap<String, String>,
) -> Result<(), Box<Response>> {
    if query.get("boxId") == Some(&emulator.settings().diadoc.box_id) {
        return Ok(());
    }
    Err(Box::new(refused(403, "Http.Forbidden", "no access to the box")))
}

/// `GET /V3/GetDocument`.
pub(super) async fn document(
    State(emulator): State<Arc<Emulator>>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let must = ["boxId", "messageId", "entityId"];
    let asked = parameters(&emulator, &query, &must, &["injectEntityContent"]);
    if let Err(refused) = asked.and_then(|()| own_box(&emulator, &query)) {
        return *refused;
    }
    let settings = emulator.settings();
    let id = query.get("messageId").cloned().unwrap_or_default();
    let mut books = emulator.diadoc.books();
    let own = &settings.diadoc;
    books.look(&id, emulator.clock.now(), own.delivers_looks, own.signs_looks);
    let found = books.message(&id).filter(|message| query.get("entityId") == Some(&message.entity));
    match found {
        Some(message) => json_answer(StatusCode::OK, shown(message).to_string()),
        None => refused(404, "DocumentService.NotFound", "no such document"),
    }
}

/// `GET /GetDocumentsByCustomId`.
pub(super) async fn by_custom(
    State(emulator): State<Arc<Emulator>>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let asked = parameters(&emulator, &query, &["boxId", "customDocumentId"], &[]);
    if let Err(refused) = asked.and_then(|()| own_box(&emulator, &query)) {
        return *refused;
    }
    let books = emulator.diadoc.books();
    let found = books
        .messages()
        .iter()
        .filter(|message| query.get("customDocumentId") == Some(&message.custom));
    let found: Vec<Value> = found.map(shown).collect();
    let body = json!({"TotalCount": found.len(), "Documents": found, "HasMoreResults": false});
    json_answer(StatusCode::OK, body.to_string())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Batch {
    requests: Vec<One>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct One {
    document_id: Name,
    #[serde(rename = "InjectEntityContent")]
    _inject: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Name {
    message_id: String,
    entity_id: String,
}

/// `POST /V4/GetDocflows`: what people said, in either form.
pub(super) async fn docflows(
    State(emulator): State<Arc<Emulator>>,
    Query(query): Query<HashMap<String, String>>,
    body: Bytes,
) -> Response {
    let asked = parameters(&emulator, &query, &["boxId"], &[]);
    if let Err(refused) = asked.and_then(|()| own_box(&emulator, &query)) {
        return *refused;
    }
    let batch: Batch = match serde_json::from_slice(&body) {
        Ok(batch) => batch,
        Err(error) => return breach(&emulator, &format!("GetDocflows: {error}")),
    };
    let books = emulator.diadoc.books();
    let found: Vec<Value> = batch
        .requests
        .iter()
        .filter_map(|one| {
            let message = books.message(&one.document_id.message_id)?;
            (message.entity == one.document_id.entity_id).then(|| docflow(message))
        })
        .collect();
    if found.len() < batch.requests.len() {
        return refused(404, "DocumentService.NotFound", "no such document");
    }
    json_answer(StatusCode::OK, json!({"Documents": found}).to_string())
}

fn docflow(message: &Message) -> Value {
    let (mut rejection, mut amendment) = (Value::Null, Value::Null);
    for answer in &message.answers {
        match answer {
            Answered::Rejected { text, universal: false } => {
                rejection = json!({"IsFormal": false, "PlainText": text});
            }
            Answered::Rejected { text, universal: true } => {
                let event = json!({"StatusCode": "3999", "PlainText": text});
                let info = json!({"CodeGroup": "Rejection", "Events": [event]});
                rejection = json!({"IsFormal": false, "UniversalMessage": {
                    "Attachment": {}, "MessageInfo": info, "ContentTypeId": ""}});
            }
            Answered::CorrectionAsked { text } => {
                amendment = json!({"IsFinished": false, "AmendmentFlags": 1, "PlainText": text});
            }
            _ => {}
        }
    }
    let response = json!({"IsFinished": !rejection.is_null(), "Rejection": rejection});
    json!({
        "DocumentId": {"MessageId": message.id, "EntityId": message.entity},
        "Docflow": {"RecipientResponse": response, "AmendmentRequest": amendment},
    })
}

const MAY: [&str; 9] = [
    "afterIndexKey",
    "departmentId",
    "messageType",
    "typeNamedId",
    "documentDirection",
    "timestampFromTicks",
    "timestampToTicks",
    "orderBy",
    "limit",
];

/// `GET /V8/GetNewEvents`: a page after a place or since a moment. Places are not unique, so what stands at the
/// page's last place and did not fit is not after it; a page comes in no order, and may repeat what was told.
pub(super) async fn events(
    State(emulator): State<Arc<Emulator>>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let asked = parameters(&emulator, &query, &["boxId"], &MAY);
    if let Err(refused) = asked.and_then(|()| own_box(&emulator, &query)) {
        return *refused;
    }
    let number = |name: &str| query.get(name).map(|text| text.parse::<i64>());
    let limit = match number("limit").unwrap_or(Ok(100)) {
        Ok(limit) if (1..=100).contains(&limit) => usize::try_from(limit).unwrap_or(1),
        _ => return breach(&emulator, "GetNewEvents: limit must be 1 to 100"),
    };
    let since = match number("timestampFromTicks") {
        None => i64::MIN,
        Some(Ok(ticks)) => ticks,
        Some(Err(_)) => return breach(&emulator, "GetNewEvents: timestampFromTicks is no number"),
    };
    let after = match query.get("afterIndexKey").map(|key| place(key)) {
        None => None,
        Some(Some(place)) => Some(place),
        Some(None) => {
            return refused(400, "Http.BadRequest", "afterIndexKey must have valid value");
        }
    };
    let settings = emulator.settings();
    let books = emulator.diadoc.books();
    let fits =
        |event: &&Event| after.is_none_or(|after| event.index > after) && event.ticks >= since;
    let all: Vec<&Event> = books.events.iter().filter(fits).collect();
    let total = all.len();
    let mut page: Vec<&Event> = all.into_iter().take(limit.min(settings.diadoc.page)).collect();
    if settings.diadoc.disorder {
        let told =
            books.events.iter().filter(|event| after.is_some_and(|after| event.index == after));
        page.extend(told.take(limit.saturating_sub(page.len())));
        page.shuffle(&mut rand::rng());
    }
    let page: Vec<Value> = page.into_iter().map(event).collect();
    let body = json!({"TotalCount": total, "TotalCountType": "Equal", "Events": page});
    json_answer(StatusCode::OK, body.to_string())
}

fn event(event: &Event) -> Value {
    let inside = json!({"MessageId": event.message, "TimestampTicks": event.ticks, "MessageType": "Letter", "Entities": []});
    let name = if event.is_patch { "Patch" } else { "Message" };
    json!({"EventId": event.id, "IndexKey": key(event.index), name: inside})
}

fn key(place: u64) -> String {
    format!("{place:016X}")
}

fn place(key: &str) -> Option<u64> {
    if key.len() == 16 { u64::from_str_radix(key, 16).ok() } else { None }
}
