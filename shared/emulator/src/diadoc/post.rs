//! Documents are taken here.

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::Bytes,
    extract::{Query, State},
    http::{
        StatusCode,
        header::{HeaderValue, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::json;

use super::{Buyer, Message, books::Operation, breach, check, parameters, read, refused, uuid};
use crate::{Emulator, answer::json_answer, gismt::cms};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Prototype {
    from_box_id: String,
    to_box_id: String,
    document_prototypes: Vec<PrototypeDocument>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PrototypeDocument {
    custom_document_id: String,
    type_named_id: String,
    function: String,
    version: String,
}

/// `POST /CanPostMessage`.
pub(super) async fn can_post(State(emulator): State<Arc<Emulator>>, body: Bytes) -> Response {
    let asked: Prototype = match serde_json::from_slice(&body) {
        Ok(asked) => asked,
        Err(error) => return breach(&emulator, &format!("CanPostMessage: {error}")),
    };
    let mut errors = Vec::new();
    for document in &asked.document_prototypes {
        let known = check::is_type(&document.type_named_id, &document.function, &document.version);
        if let Err(why) = known {
            errors.push(json!({"Severity": "Error", "UserMessage": why, "ApiMessage": why,
                "CustomDocumentId": document.custom_document_id}));
        }
    }
    let books = emulator.diadoc.books();
    let own = &emulator.settings().diadoc.box_id;
    let error = |why: &str| json!({"Severity": "Error", "UserMessage": why, "ApiMessage": why});
    match books.buyer(&asked.to_box_id) {
        None => errors.push(error("Ящик получателя не найден")),
        Some(buyer) if !buyer.active => errors.push(error("Ящик получателя не действует")),
        Some(buyer) if closed(&buyer.sociability, &buyer.status) => {
            errors.push(error("Получатель принимает документы только от контрагентов"));
        }
        Some(buyer) if buyer.roaming => errors.push(
            json!({"Severity": "Warning", "UserMessage": "Роуминг", "ApiMessage": "roaming"}),
        ),
        Some(_) => {}
    }
    if asked.from_box_id != *own {
        return refused(403, "Http.Forbidden", "no access to the box");
    }
    let body = json!({"FromBoxId": own, "FromTitle": "Продавец", "ToBoxId": asked.to_box_id, "Errors": errors});
    json_answer(StatusCode::OK, body.to_string())
}

fn closed(sociability: &str, status: &str) -> bool {
    sociability == "CounteragentsOnly" && status != "IsMyCounteragent"
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Post {
    from_box_id: String,
    to_box_id: String,
    document_attachments: Vec<Attachment>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Attachment {
    signed_content: SignedContent,
    type_named_id: String,
    function: String,
    version: String,
    custom_document_id: String,
    comment: Option<String>,
    #[serde(default)]
    initial_document_ids: Vec<Initial>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Initial {
    message_id: String,
    entity_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SignedContent {
    content: String,
    signature: Option<String>,
    #[serde(default)]
    sign_with_test_signature: bool,
    power_of_attorney: Option<PowerOfAttorney>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PowerOfAttorney {
    full_id: Option<FullId>,
    #[serde(default)]
    use_default: bool,
    #[serde(default)]
    use_document_content: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct FullId {
    registration_number: String,
    issuer_inn: String,
    representative_inn: String,
}

impl PowerOfAttorney {
    fn is_one(&self) -> bool {
        let full = self.full_id.as_ref().is_some_and(|id| {
            id.registration_number.len() == 36
                && matches!(id.issuer_inn.len(), 10 | 12)
                && matches!(id.representative_inn.len(), 10 | 12)
        });
        [full, self.use_default, self.use_document_content].iter().filter(|given| **given).count()
            == 1
    }
}

/// `POST /V3/PostMessage`.
pub(super) async fn post(
    State(emulator): State<Arc<Emulator>>,
    Query(query): Query<HashMap<String, String>>,
    body: Bytes,
) -> Response {
    if let Err(refused) = parameters(&emulator, &query, &["operationId"], &[]) {
        return *refused;
    }
    let key = query.get("operationId").map(|key| key.to_lowercase()).unwrap_or_default();
    let own = emulator.settings().diadoc.box_id.clone();
    if let Some(answer) = known(&emulator, &key, &own) {
        return answer;
    }
    let posted: Post = match serde_json::from_slice(&body) {
        Ok(posted) => posted,
        Err(error) => return breach(&emulator, &format!("PostMessage: {error}")),
    };
    if posted.from_box_id != own {
        return refused(403, "Http.Forbidden", "no access to the box");
    }
    match taken(&emulator, posted).await {
        Ok(message) => {
            let now = emulator.clock.now();
            let runs = emulator.settings().diadoc.running_asks;
            let mut books = emulator.diadoc.books();
            // Two requests under one key at once make one message.
            let id = message.id.clone();
            if !books.operations.contains_key(&key) {
                books.operations.insert(key.clone(), Operation { runs, message: id });
                books.take(message, now);
            }
            drop(books);
            known(&emulator, &key, &own)
                .unwrap_or_else(|| refused(500, "Http.InternalServerError", "lost"))
        }
        Err((code, word, why)) => {
            emulator.diadoc.books().refused.push(why.clone());
            refused(code, word, &why)
        }
    }
}

/// The first result of a key; 204 while it runs.
fn known(emulator: &Emulator, key: &str, own: &str) -> Option<Response> {
    let mut books = emulator.diadoc.books();
    let operation = books.operations.get_mut(key)?;
    if operation.runs > 0 {
        operation.runs -= 1;
        let mut running = StatusCode::NO_CONTENT.into_response();
        running.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
        return Some(running);
    }
    let id = operation.message.clone();
    let message = books.message(&id)?;
    let body = read::message(message, own).to_string();
    books.repeats += 1;
    Some(json_answer(StatusCode::OK, body))
}

type Refusal = (u16, &'static str, String);

/// Who gets it, if he takes it.
fn receiver(emulator: &Emulator, box_id: &str) -> Result<Buyer, Refusal> {
    let buyer = emulator.diadoc.books().buyer(box_id).cloned();
    let unknown =
        || -> Refusal { (400, "Http.BadRequest", "the receiver's box is unknown".to_owned()) };
    let buyer = buyer.ok_or_else(unknown)?;
    if !buyer.active {
        return Err((403, "Http.Forbidden", "the organisation is liquidated".to_owned()));
    }
    if closed(&buyer.sociability, &buyer.status) {
        let why = "the receiver takes from counteragents".to_owned();
        return Err((409, "DiadocApi.Conflict", why));
    }
    Ok(buyer)
}

async fn taken(emulator: &Emulator, posted: Post) -> Result<Message, Refusal> {
    let bad = |why: &str| (400, "Http.BadRequest", why.to_owned());
    let buyer = receiver(emulator, &posted.to_box_id)?;
    let [attachment] = <[Attachment; 1]>::try_from(posted.document_attachments)
        .map_err(|_| bad("one document is wanted"))?;
    let Attachment { signed_content: signed, type_named_id, function, version, .. } = &attachment;
    check::is_type(type_named_id, function, version).map_err(|why| bad(&why))?;
    if attachment.comment.as_ref().is_some_and(|comment| comment.chars().count() > 5000) {
        return Err(bad("the comment is too long"));
    }
    let is_revision = type_named_id.ends_with("Revision");
    if is_revision == attachment.initial_document_ids.is_empty() {
        return Err(bad("a revision names the document that it corrects, and nothing else does"));
    }
    let content = decoded("Content", &signed.content)?;
    let settings = emulator.settings();
    signature(&settings, signed, &content).await?;
    let wanted = check::Wanted {
        sender: &settings.diadoc.participant,
        sender_inn: &settings.diadoc.inn,
        receiver: &buyer.participant,
        receiver_inn: &buyer.inn,
        receiver_kpp: &buyer.kpp,
        function,
        version,
        is_revision,
    };
    let invalid = |why: String| (400, "DocumentService.InvalidFileContent", why);
    let seen = check::check(&content, &wanted).map_err(invalid)?;
    check::schema(&settings.diadoc, version, &content).await.map_err(invalid)?;
    let corrects = attachment.initial_document_ids.into_iter().next();
    Ok(Message {
        id: uuid(),
        entity: uuid(),
        to: buyer.box_id,
        custom: attachment.custom_document_id,
        kind: attachment.type_named_id,
        function: attachment.function,
        version: attachment.version,
        file_name: format!("{}.xml", seen.file_id),
        number: seen.number,
        total: seen.total,
        content,
        corrects: corrects.map(|initial| (initial.message_id, initial.entity_id)),
        at: emulator.clock.now(),
        changed: 0,
        looks: 0,
        delivered: 0,
        answers: Vec::new(),
    })
}

fn decoded(name: &str, text: &str) -> Result<Vec<u8>, Refusal> {
    let why = format!("{name} is no base64");
    BASE64_STANDARD.decode(text).map_err(|_| (400, "Http.BadRequest", why))
}

/// The signature holds over exactly these bytes, by the sender's own certificate or with a power of attorney.
async fn signature(
    settings: &crate::Settings,
    signed: &SignedContent,
    content: &[u8],
) -> Result<(), Refusal> {
    let invalid = |why: &str| (400, "DocumentService.InvalidSignature", why.to_owned());
    if signed.power_of_attorney.as_ref().is_some_and(|own| !own.is_one()) {
        return Err(invalid("a power of attorney is named in exactly one way"));
    }
    let Some(signature) = &signed.signature else {
        let allowed = signed.sign_with_test_signature && settings.diadoc.is_test;
        return if allowed { Ok(()) } else { Err(invalid("Signature is missing")) };
    };
    let signature = decoded("Signature", signature)?;
    let held = cms::verify(&settings.gismt, &signature, Some(content)).await;
    let held = held.map_err(|_| invalid("Signature is invalid"))?;
    if held.inns.contains(&settings.diadoc.inn) || signed.power_of_attorney.is_some() {
        return Ok(());
    }
    Err(invalid("the certificate is another organisation's"))
}
