//! Documents are taken here: the signature at once, the content later.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Extension,
    body::Bytes,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::json;

use super::{
    books::{Ends, Taken},
    check, cms, refused, uuid,
};
use crate::{Emulator, answer::json_answer, clock::moscow, faults::Drawn, settings::GismtAnswer};

const MOST_BYTES: usize = 31_457_280;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    document_format: String,
    product_document: String,
    #[serde(rename = "type")]
    kind: String,
    signature: String,
}

pub(super) async fn create(
    State(emulator): State<Arc<Emulator>>,
    Query(query): Query<HashMap<String, String>>,
    drawn: Option<Extension<Drawn>>,
    body: Bytes,
) -> Response {
    let settings = emulator.settings();
    let own = &settings.gismt;
    let (create, document, signature) = match read(&body) {
        Ok(read) => read,
        Err(why) => return breach(&emulator, &why),
    };
    let group = query.get("pg").cloned().unwrap_or_default();
    if query.len() != 1 || group.is_empty() {
        return breach(&emulator, "pg, and nothing else, must be given");
    }
    if !own.groups.is_empty() && !own.groups.contains(&group) {
        return refused(403, "no contract for the product group");
    }
    if document.len() > MOST_BYTES {
        return refused(413, "the document is too large");
    }
    match cms::verify(own, &signature, Some(&document)).await {
        Ok(held) if held.inns.contains(&own.inn) => {}
        Ok(_) => return refused(403, "the INN of the certificate is no participant's"),
        Err(why) => {
            emulator.gismt.books().refuse(format!("{}: {why}", create.kind));
            return refused(422, "the signature does not hold");
        }
    }
    let drawn = drawn.map(|Extension(drawn)| drawn).unwrap_or_default();
    let at = emulator.clock.now();
    let today = time::Date::parse(
        moscow(at).get(..10).unwrap_or_default(),
        time::macros::format_description!("[year]-[month]-[day]"),
    );
    let asked = match today {
        Ok(today) => check::check(&create.kind, &document, &own.inn, today),
        Err(error) => Err(error.to_string()),
    };
    let id = uuid();
    let ends = match (drawn.fails_later, drawn.expires) {
        (true, _) => Ends::Refused,
        (_, true) => Ends::Failed,
        _ => Ends::Rightly,
    };
    let body = String::from_utf8_lossy(&document).into_owned();
    let taken = Taken { id: id.clone(), kind: create.kind, group, at, body, ends };
    emulator.gismt.books().take(taken, asked);
    match own.answer {
        GismtAnswer::Bare => (StatusCode::CREATED, id).into_response(),
        GismtAnswer::Quoted => json_answer(StatusCode::CREATED, json!(id).to_string()),
        GismtAnswer::Object => json_answer(StatusCode::OK, json!({"documentId": id}).to_string()),
        GismtAnswer::Empty => StatusCode::CREATED.into_response(),
    }
}

fn read(body: &[u8]) -> Result<(Create, Vec<u8>, Vec<u8>), String> {
    let create: Create = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if create.document_format != "MANUAL" {
        return Err(format!("document_format {:?}", create.document_format));
    }
    let decoded = |name: &str, text: &str| {
        BASE64_STANDARD.decode(text).map_err(|_| format!("{name} is no base64 on one line"))
    };
    let document = decoded("product_document", &create.product_document)?;
    let signature = decoded("signature", &create.signature)?;
    Ok((create, document, signature))
}

fn breach(emulator: &Emulator, why: &str) -> Response {
    emulator.gismt.books().violations.add(format!("lk/documents/create: {why}"));
    refused(400, why)
}
