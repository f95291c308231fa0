//! The page of codes in quarantine: why each is there, and the way back into stock.

use std::sync::Arc;

use axum::{
    Form,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use time::UtcOffset;

use super::{
    access::Visitor,
    page::{Said, Tongue, away, frame, hidden, told},
    release, texts,
};
use crate::{Marking, store::Kept};

/// Codes in quarantine.
pub(super) async fn page(
    State(marking): State<Arc<Marking>>,
    visitor: Visitor,
    headers: HeaderMap,
) -> Response {
    show(&marking, &visitor, Tongue::of(&headers), None).await
}

/// A code that may be sold again.
#[derive(Deserialize)]
pub(super) struct Released {
    csrf: String,
    code: String,
    reason: String,
}

/// Puts one back into stock.
pub(super) async fn release(
    State(marking): State<Arc<Marking>>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(asked): Form<Released>,
) -> Response {
    if let Err(refused) = visitor.check(&asked.csrf) {
        return refused.into_response();
    }
    let tongue = Tongue::of(&headers);
    let done = release::release(&marking, &asked.code, &asked.reason, &visitor.name).await;
    let (status, said) = match done {
        Ok(()) => {
            let text = tongue.t("Код снова на остатке.", "The code is in stock again.").to_owned();
            (StatusCode::OK, Said { is_good: true, text })
        }
        Err(refused) => {
            let text = tongue.text(&refused.text).to_owned();
            (refused.status, Said { is_good: false, text })
        }
    };
    (status, show(&marking, &visitor, tongue, Some(said)).await).into_response()
}

async fn show(
    marking: &Marking,
    visitor: &Visitor,
    tongue: Tongue,
    said: Option<Said>,
) -> Response {
    let kept = match marking.store.quarantined(200).await {
        Ok(kept) => kept,
        Err(error) => return away(&error),
    };
    let body = html! {
        h2 { (tongue.t("Карантин", "Quarantine")) }
        (told(said.as_ref()))
        p.quiet { (tongue.t(
            "Эти коды не продаются, пока их не посмотрел человек. Вернуть на остаток можно то, что и в Честном знаке в обороте.",
            "These codes are not sold until a person has looked. What the register has in circulation may go back into stock.",
        )) }
        @if kept.is_empty() { p.said.good { (tongue.t("Карантин пуст.", "There are none.")) } }
        @for one in &kept { (card(tongue, visitor, one)) }
        p { a href="/" { (tongue.t("На главную", "Back")) } }
    };
    frame(tongue, Some(visitor), &body).into_response()
}

fn card(tongue: Tongue, visitor: &Visitor, kept: &Kept) -> Markup {
    let moscow = UtcOffset::from_hms(3, 0, 0).unwrap_or(UtcOffset::UTC);
    let since = kept.since.to_offset(moscow);
    let (ru, en) = texts::kept(&kept.why);
    let detail = texts::kept_detail(&kept.why, &kept.detail);
    html! {
        section.card {
            p { code { (kept.ki) } }
            p {
                (tongue.t(ru, en)) @if !kept.detail.is_empty() { ": " (tongue.text(&detail)) } ". "
                @if let Some(number) = &kept.number { (tongue.t("Заказ № ", "Order ")) (number) ". " }
                span.quiet { (since.date()) " " (format!("{:02}:{:02}", since.hour(), since.minute())) }
            }
            form method="post" action="/kept" {
                (hidden(visitor))
                input type="hidden" name="code" value=(kept.ki);
                label { (tongue.t("Почему его можно продавать", "Why it may be sold"))
                    input type="text" name="reason" required minlength="3" maxlength="500" autocomplete="off";
                }
                p { button type="submit" { (tongue.t("На остаток", "Into stock")) } }
            }
        }
    }
}
