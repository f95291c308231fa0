//! What a UTM shows: its lists, the documents in them, who it is and how it is.

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::Bytes,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use serde_json::json;

use super::{answers, answers::said, books::Books, send, xml::safe};
use crate::{Emulator, answer::json_answer};

type Module = Path<String>;
type Place = Path<(String, String, u64)>;

fn with<T>(emulator: &Emulator, utm: &str, act: impl FnOnce(&mut Books) -> T) -> T {
    act(emulator.utm.books().entry(utm.to_owned()).or_default())
}

/// `GET /opt/in`: what was sent and not deleted.
pub(super) async fn outbox(State(emulator): State<Arc<Emulator>>, Path(utm): Module) -> Response {
    let host = emulator.settings().utm.host.clone();
    let list = with(&emulator, &utm, |books| {
        let mut list = String::new();
        for sent in &books.sent {
            list.push_str(&format!(
                "<url replyId=\"{}\">{host}/opt/in/{}/{}</url>",
                sent.reply_id, sent.kind, sent.number
            ));
        }
        list
    });
    said(StatusCode::OK, &list)
}

/// `GET /opt/in/<Type>/<n>`: a document as it was sent.
pub(super) async fn posted(
    State(emulator): State<Arc<Emulator>>,
    Path((utm, kind, number)): Place,
) -> Response {
    let body = with(&emulator, &utm, |books| {
        let is_it = |sent: &&super::Sent| sent.number == number && sent.kind == kind;
        books.sent.iter().find(is_it).map(|sent| sent.body.clone())
    });
    body.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |b| answers::xml(StatusCode::OK, b))
}

/// `GET /opt/out`: the inbox; all of it, or one exchange's.
pub(super) async fn inbox(
    State(emulator): State<Arc<Emulator>>,
    Path(utm): Module,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let settings = emulator.settings();
    let now = emulator.clock.now();
    let list = with(&emulator, &utm, |books| {
        send::go_on(books, settings.utm.looks, now);
        let (host, at) = (&settings.utm.host, super::moment(now));
        let mut list = String::new();
        let wanted = query.get("replyId");
        for incoming in &books.inbox {
            if wanted.is_some_and(|wanted| incoming.reply_id.as_ref() != Some(wanted)) {
                continue;
            }
            let reply_id = incoming.reply_id.as_deref().filter(|_| settings.utm.names_replies);
            let reply_id = reply_id.map_or_else(String::new, |id| format!("replyId=\"{id}\" "));
            // The brief's dialect names a document by what it was answered.
            let number = match &incoming.reply_id {
                Some(reply) if incoming.path == super::brief::KIND => reply.clone(),
                _ => incoming.number.to_string(),
            };
            list.push_str(&format!(
                "<url {reply_id}timestamp=\"{at}+0300\">{host}/opt/out/{}/{number}</url>",
                incoming.path
            ));
        }
        list
    });
    said(StatusCode::OK, &list)
}

/// `GET /opt/out/<Type>/<n>`: read, left in place.
pub(super) async fn incoming(
    State(emulator): State<Arc<Emulator>>,
    Path((utm, kind, number)): Place,
) -> Response {
    let body = with(&emulator, &utm, |books| {
        let found = books.inbox.iter_mut().find(|i| i.number == number && i.path == kind)?;
        found.read = true;
        Some(found.body.clone())
    });
    body.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |b| answers::xml(StatusCode::OK, b))
}

/// `DELETE /opt/out/<Type>/<n>`.
pub(super) async fn delete(
    State(emulator): State<Arc<Emulator>>,
    Path((utm, kind, number)): Place,
) -> Response {
    with(&emulator, &utm, |books| {
        let place = books.inbox.iter().position(|i| i.number == number && i.path == kind);
        let Some(place) = place else { return StatusCode::NOT_FOUND.into_response() };
        if !books.inbox.remove(place).read {
            books.breach("a document is deleted unread");
        }
        said(StatusCode::OK, "")
    })
}

/// `POST /opt/out/<Type>/<n>` reads and deletes: who crashes after it has lost the document.
pub(super) async fn read_and_delete(
    State(emulator): State<Arc<Emulator>>,
    Path((utm, ..)): Place,
) -> Response {
    with(&emulator, &utm, |books| books.breach("a document is read and deleted in one call"));
    StatusCode::METHOD_NOT_ALLOWED.into_response()
}

/// `POST /xml`: the old way of a cheque. Not served: which UTM takes ChequeV3 here is not settled.
pub(super) async fn cheque(
    State(emulator): State<Arc<Emulator>>,
    Path(utm): Module,
    _body: Bytes,
) -> Response {
    with(&emulator, &utm, |books| books.breach("POST /xml"));
    answers::refused("unknown document")
}

pub(super) async fn diagnosis(Path(utm): Module) -> Response {
    let body = format!("<CERTIFICATE><CN>{}</CN></CERTIFICATE>", safe(&utm));
    answers::xml(StatusCode::OK, body)
}

pub(super) async fn version() -> &'static str {
    "4.2.0"
}

/// `GET /home`: how it is, in a text for people.
pub(super) async fn home(State(emulator): State<Arc<Emulator>>) -> Response {
    let settings = emulator.settings();
    let key = if settings.utm.key_holds {
        format!("Сертификат RSA с 2025-01-01 00:00:00 по {} 00:00:00", settings.utm.key_until)
    } else {
        "Проблемы с RSA".to_owned()
    };
    Html(format!("<html><body><p>Продуктивный контур</p><p>{key}</p></body></html>"))
        .into_response()
}

/// `GET /api/info/list`: the same for programs.
pub(super) async fn info(State(emulator): State<Arc<Emulator>>, Path(utm): Module) -> Response {
    let settings = emulator.settings();
    let key = json!({
        "expireDate": format!("{} 00:00:00", settings.utm.key_until),
        "isValid": if settings.utm.key_holds { "valid" } else { "invalid" },
    });
    let body = json!({
        "version": "4.2.0", "contour": "production", "ownerId": utm, "license": true,
        "rsa": key, "gost": key, "db": {"createDate": "2025-01-01 00:00:00", "ownerId": utm},
    });
    json_answer(StatusCode::OK, body.to_string())
}
