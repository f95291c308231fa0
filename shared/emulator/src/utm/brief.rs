//! The dialect of the customer's brief: raw XML in, `ReplyId` back, and one answer under that name. No UTM speaks it;
//! a middleware before one may.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};

use super::{
    answers,
    books::{Books, Sent},
    send, xml,
    xml::safe,
};
use crate::{Emulator, faults::Drawn};

/// The name of its element and of its paths.
pub(super) const KIND: &str = "TTNInformF2Reg";

/// `POST /opt/in/TTNInformF2Reg`: `application/xml`, no form.
pub(super) async fn post(
    State(emulator): State<Arc<Emulator>>,
    Path(utm): Path<String>,
    drawn: Option<Extension<Drawn>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let drawn = drawn.map(|Extension(drawn)| drawn).unwrap_or_default();
    let looks = emulator.settings().utm.looks;
    let mut all = emulator.utm.books();
    let books = all.entry(utm).or_default();
    let is_xml = headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "application/xml");
    let is_it = body.contains("urn:TNInformF2Reg:Documents") && xml::read(&body).is_ok();
    if !is_xml || !is_it {
        books.breach("no document of the brief's dialect");
        return answers::refused("unknown document");
    }
    let reply = send::take(books, KIND, String::new(), body, (&drawn, looks));
    answers::xml(StatusCode::OK, format!("<Reply><ReplyId>{reply}</ReplyId></Reply>"))
}

/// `GET /opt/out/TTNInformF2Reg/<ReplyId>`.
pub(super) async fn reply(
    State(emulator): State<Arc<Emulator>>,
    Path((utm, reply)): Path<(String, String)>,
) -> Response {
    let mut all = emulator.utm.books();
    let books = all.entry(utm).or_default();
    let found = books.inbox.iter_mut().find(|incoming| is_it(incoming, &reply));
    found.map_or_else(
        || StatusCode::NOT_FOUND.into_response(),
        |incoming| {
            incoming.read = true;
            answers::xml(StatusCode::OK, incoming.body.clone())
        },
    )
}

/// `DELETE /opt/out/TTNInformF2Reg/<ReplyId>`.
pub(super) async fn delete(
    State(emulator): State<Arc<Emulator>>,
    Path((utm, reply)): Path<(String, String)>,
) -> Response {
    let mut all = emulator.utm.books();
    let books = all.entry(utm).or_default();
    let Some(place) = books.inbox.iter().position(|incoming| is_it(incoming, &reply)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if !books.inbox.remove(place).read {
        books.breach("a document is deleted unread");
    }
    answers::said(StatusCode::OK, "")
}

fn is_it(incoming: &super::books::Incoming, reply: &str) -> bool {
    incoming.path == KIND && incoming.reply_id.as_deref() == Some(reply)
}

/// The one answer.
pub(super) fn tell(books: &mut Books, sent: &Sent, refusal: Option<&str>, at: &str) {
    let (verdict, number) = match refusal {
        Some(_) => ("Rejected", ""),
        None => ("Accepted", sent.reg_id.as_str()),
    };
    let body = format!(
        "<TTNInformF2Reg><Result><Conclusion>{verdict}</Conclusion><ConclusionDate>{at}</ConclusionDate>\
         <Comments>{}</Comments><AccisesHeader><EGAISQuntId>{number}</EGAISQuntId></AccisesHeader></Result></TTNInformF2Reg>",
        safe(refusal.unwrap_or_default())
    );
    for _ in 0..sent.copies {
        books.deliver(KIND, Some(&sent.reply_id), body.clone());
    }
}
