//! Documents are taken here, and processed by and by: each look at the inbox brings them on.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Multipart, Path, State},
    http::StatusCode,
    response::Response,
};
use time::OffsetDateTime;

use super::{
    answers::{self, Which},
    books::{Books, Fate, Sent},
    brief, judge, schema,
    xml::{self, Element},
};
use crate::{Emulator, faults::Drawn};

/// `POST /opt/in/<Type>`: multipart with the one field `xml_file`.
pub(super) async fn post(
    State(emulator): State<Arc<Emulator>>,
    Path((utm, path)): Path<(String, String)>,
    drawn: Option<Extension<Drawn>>,
    form: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Response {
    let _one = One::begin(&emulator, &utm);
    if !emulator.settings().utm.key_holds {
        return answers::xml(StatusCode::FORBIDDEN, "<html>HTTP ERROR 403</html>".to_owned());
    }
    let body = match field(form).await {
        Ok(body) => body,
        Err(why) => return breach(&emulator, &utm, &why),
    };
    let (kind, document) = match understood(&body, &utm) {
        Ok(understood) => understood,
        Err(why) => return breach(&emulator, &utm, &why),
    };
    if kind != path {
        return breach(&emulator, &utm, &format!("{kind} is posted to {path}"));
    }
    if let Some(root) = emulator.settings().utm.xsd.clone()
        && let Err(why) = schema::check(&root, &body).await
    {
        return breach(&emulator, &utm, &format!("{kind} is not valid: {why}"));
    }
    let drawn = drawn.map(|Extension(drawn)| drawn).unwrap_or_default();
    let looks = emulator.settings().utm.looks;
    let mut all = emulator.utm.books();
    let books = all.entry(utm.clone()).or_default();
    let sent = take(books, &kind, identity(&document), body, (&drawn, looks));
    answers::said(StatusCode::OK, &format!("<url>{sent}</url><sign>{}</sign>", "0F".repeat(64)))
}

/// One who sends: a second at the same time is a breach, for the UTM signs with one key.
struct One<'a>(&'a Emulator, &'a str);

impl<'a> One<'a> {
    fn begin(emulator: &'a Emulator, utm: &'a str) -> Self {
        let mut all = emulator.utm.books();
        let books = all.entry(utm.to_owned()).or_default();
        books.senders += 1;
        if books.senders > 1 {
            books.breach("two documents are sent at a time");
        }
        Self(emulator, utm)
    }
}

impl Drop for One<'_> {
    fn drop(&mut self) {
        if let Some(books) = self.0.utm.books().get_mut(self.1) {
            books.senders = books.senders.saturating_sub(1);
        }
    }
}

fn breach(emulator: &Emulator, utm: &str, why: &str) -> Response {
    emulator.utm.books().entry(utm.to_owned()).or_default().breach(why);
    answers::refused(why)
}

async fn field(
    form: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<String, String> {
    let mut form = form.map_err(|error| error.to_string())?;
    let mut body = None;
    while let Some(field) = form.next_field().await.map_err(|error| error.to_string())? {
        if field.name() != Some("xml_file") || body.is_some() {
            return Err("there must be one field, xml_file".to_owned());
        }
        let media = field.content_type().unwrap_or("text/xml").to_owned();
        if !["text/xml", "application/xml"].contains(&media.as_str()) {
            return Err(format!("xml_file is {media}"));
        }
        body = Some(field.text().await.map_err(|error| error.to_string())?);
    }
    body.ok_or_else(|| "there is no xml_file".to_owned())
}

/// The name of the one document within, and its element.
fn understood(body: &str, utm: &str) -> Result<(String, Element), String> {
    let root = xml::read(body)?;
    if root.name != "Documents" {
        return Err(format!("the root is {}", root.name));
    }
    let owner = root.at(&["Owner", "FSRAR_ID"]);
    if owner != utm {
        return Err(format!("the owner is {owner:?}, and the key is {utm}'s"));
    }
    let mut documents = root.children.into_iter().filter(|child| child.name == "Document");
    let (document, other) = (documents.next(), documents.next());
    match document.map(|document| document.children).as_deref() {
        Some([document]) if other.is_none() => Ok((document.name.clone(), document.clone())),
        _ => Err("there must be exactly one document".to_owned()),
    }
}

fn identity(document: &Element) -> String {
    // A request of repeal has no identity; its number stands for it.
    let own = document.at(&["Identity"]);
    let number = document.at(&["RequestNumber"]);
    if own.is_empty() { number.to_owned() } else { own.to_owned() }
}

pub(super) fn take(
    books: &mut Books,
    kind: &str,
    identity: String,
    body: String,
    (drawn, looks): (&Drawn, u32),
) -> String {
    if identity.is_empty() && !kind.starts_with("Query") && kind != brief::KIND {
        books.breach(format!("{kind} has no identity"));
    }
    let number = books.next();
    let reply_id = super::uuid();
    let fate = match (drawn.expires, drawn.fails_later) {
        (true, _) => Fate::CheckFails,
        (_, true) => Fate::OperationFails,
        _ => Fate::Judged,
    };
    books.sent.push(Sent {
        reply_id: reply_id.clone(),
        number,
        kind: kind.to_owned(),
        identity,
        state: "taken".to_owned(),
        reg_id: String::new(),
        words: String::new(),
        body,
        looks,
        copies: drawn.copies,
        fate,
    });
    reply_id
}

/// A look at the inbox: what was taken goes on, each document by one step at most.
pub(super) fn go_on(books: &mut Books, looks: u32, now: OffsetDateTime) {
    let at = super::moment(now);
    for place in 0..books.sent.len() {
        let Some(sent) = books.sent.get_mut(place) else { continue };
        if sent.state == "done" || sent.state == "rejected" {
            continue;
        }
        if sent.looks > 0 {
            sent.looks -= 1;
            continue;
        }
        sent.looks = looks;
        let sent = sent.clone();
        match sent.state.as_str() {
            "taken" => checked(books, place, &sent, &at),
            _ => operated(books, place, &sent, &at),
        }
    }
}

fn checked(books: &mut Books, place: usize, sent: &Sent, at: &str) {
    if sent.kind == brief::KIND {
        return ended(books, place, "checked", "", "");
    }
    let refusal = (sent.fate == Fate::CheckFails).then_some("Документ не прошёл проверку");
    tell(books, sent, Which::Check, at, refusal);
    let is_query = sent.kind.starts_with("Query");
    let state = match refusal {
        Some(_) => "rejected",
        None if is_query => "done",
        None => "checked",
    };
    if is_query && refusal.is_none() {
        reply(books, sent, at);
    }
    ended(books, place, state, refusal.unwrap_or_default(), "");
}

fn operated(books: &mut Books, place: usize, sent: &Sent, at: &str) {
    let document = xml::read(&sent.body).ok();
    let document = document.as_ref().and_then(|root| root.child("Document")?.children.first());
    let judged = match (sent.fate, document) {
        (Fate::OperationFails, _) => Err("Операция отклонена".to_owned()),
        (_, None) => Err("Документ не прочитан".to_owned()),
        (_, Some(document)) => judge::carry_out(books, document, &sent.identity),
    };
    let mut sent = sent.clone();
    match judged {
        Ok(()) => {
            sent.reg_id = format!("REG-{:010}", sent.number);
            tell(books, &sent, Which::Operation, at, None);
            ended(books, place, "done", "", &sent.reg_id);
        }
        Err(why) => {
            tell(books, &sent, Which::Operation, at, Some(&why));
            ended(books, place, "rejected", &why, "");
        }
    }
}

fn ended(books: &mut Books, place: usize, state: &str, words: &str, reg_id: &str) {
    if let Some(sent) = books.sent.get_mut(place) {
        sent.state = state.to_owned();
        sent.words = words.to_owned();
        sent.reg_id = reg_id.to_owned();
    }
}

fn tell(books: &mut Books, sent: &Sent, which: Which, at: &str, refusal: Option<&str>) {
    if sent.kind == brief::KIND {
        return brief::tell(books, sent, refusal, at);
    }
    for _ in 0..sent.copies {
        let ticket = answers::ticket(sent, which, at, refusal);
        books.deliver("Ticket", Some(&sent.reply_id), ticket);
    }
}

/// The answer to a query.
fn reply(books: &mut Books, sent: &Sent, at: &str) {
    let (path, body) = match sent.kind.as_str() {
        "QueryRests_v2" => ("ReplyRests_v2", answers::rests(books, &sent.kind, at)),
        "QueryRestsShop_v2" => ("ReplyRestsShop_v2", answers::rests(books, &sent.kind, at)),
        "QueryRestBCode" => {
            let root = xml::read(&sent.body).unwrap_or_default();
            let mut values = Vec::new();
            root.all("Value", &mut values);
            let f2 = values.first().map_or("", |value| value.text.trim());
            let none = Vec::new();
            let marks = books.marks.get(f2).unwrap_or(&none);
            ("ReplyRestBCode", answers::bottles(f2, marks, at))
        }
        "QueryResendDoc" => {
            let root = xml::read(&sent.body).unwrap_or_default();
            let mut values = Vec::new();
            root.all("Value", &mut values);
            let waybill = values.first().map(|value| value.text.trim().to_owned());
            books.send_waybill(&waybill.unwrap_or_default());
            return;
        }
        _ => return,
    };
    for _ in 0..sent.copies {
        books.deliver(path, Some(&sent.reply_id), body.clone());
    }
}
