//! The list of dead letters, and what is done with many of them.

use axum::{
    extract::{RawForm, RawQuery},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use uuid::Uuid;

use super::{
    Problem,
    layout::View,
    show::age,
    words::{self, state},
};
use crate::{
    actions::some_gone,
    choice::Choice,
    filter::{Fields, Filter, STATES},
    letter::CLASSES,
    people::Role,
    store::{COUNTED, LetterRow},
    verdict::verdict,
};

/// How many letters a page has.
pub(super) const PAGE: i64 = 100;

/// The list.
pub(super) async fn page(view: View, RawQuery(query): RawQuery) -> Result<Markup, Problem> {
    let asked = Fields::read(query.unwrap_or_default().as_bytes());
    let filter = asked.filter()?;
    let number = asked.one("page").and_then(|page| page.parse().ok()).unwrap_or(0).clamp(0, 10_000);
    let mut letters = view.admin.store.letters(&filter, PAGE + 1, number * PAGE).await?;
    let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let more = letters.len() > page;
    letters.truncate(page);
    let count = match view.admin.store.count_letters(&filter).await? {
        count if count > COUNTED => "10 000+".to_owned(),
        count => count.to_string(),
    };
    let query = as_query(&filter);
    let body = html! {
        h1 { (view.t("Остановки", "Dead letters")) " " span.quiet { (count) } }
        (filters(&view, &filter))
        form method="post" action="/letters/discard" {
            (view.csrf())
            div.scroll { (table(&view, &letters)) }
            @if view.may(Role::Operator) && !letters.is_empty() { (many(&view, &query)) }
        }
        nav.pages {
            @if number > 0 { a rel="prev" href={"/letters?" (query) "&page=" (number - 1)} { "← " (view.t("новее", "newer")) } }
            " "
            @if more { a rel="next" href={"/letters?" (query) "&page=" (number + 1)} { (view.t("старее", "older")) " →" } }
        }
    };
    Ok(view.page("/letters", view.t("Остановки", "Dead letters"), &body))
}

fn filters(view: &View, filter: &Filter) -> Markup {
    let language = view.language;
    html! {
        form.filters method="get" action="/letters" {
            label { (view.t("Состояние", "State"))
                select name="state" {
                    option value="" { (view.t("все", "all")) }
                    @for one in STATES { option value=(one) selected[filter.state.as_deref() == Some(one)] { (state(language, one)) } }
                } }
            label { (view.t("Почему", "Why"))
                select name="class" {
                    option value="" { (view.t("все", "all")) }
                    @for one in CLASSES { option value=(one) selected[filter.class.as_deref() == Some(one)] { (words::class(language, one)) } }
                } }
            label { (view.t("Сервис", "Service")) input name="worker" value=(filter.worker.as_deref().unwrap_or("")) size="10"; }
            label { (view.t("Заказ", "Order")) input name="order" value=(filter.order.as_deref().unwrap_or("")) size="10"; }
            label { (view.t("В тексте", "In the text")) input type="search" name="text" value=(filter.text.as_deref().unwrap_or("")); }
            @if let Some(group) = filter.group { input type="hidden" name="group" value=(group); }
            button type="submit" { (view.t("Показать", "Show")) }
        }
    }
}

fn table(view: &View, letters: &[LetterRow]) -> Markup {
    let language = view.language;
    html! {
        table.card {
            thead { tr {
                th { span.away { (view.t("Выбор", "Choice")) } }
                th { (view.t("Заказ", "Order")) } th { (view.t("Сервис", "Service")) } th { (view.t("Что случилось", "What happened")) }
                th { (view.t("Выполнено ли", "Is it done")) } th { (view.t("Состояние", "State")) } th { (view.t("Возраст", "Age")) }
            } }
            tbody { @for letter in letters {
                @let verdict = verdict(&letter.class, letter.last_phase.as_deref());
                tr {
                    td { input type="checkbox" name="ids" value=(letter.id) disabled[letter.state != "open"] aria-label=(view.t("Выбрать", "Choose")); }
                    td { @match (&letter.order_key, &letter.order_number) {
                        (Some(key), Some(number)) => a href=(super::orders::link(key)) { (number) },
                        _ => "—",
                    } }
                    td { (words::service(language, letter.worker.as_deref().unwrap_or("unrouted"))) }
                    td { a href={"/letters/" (letter.id)} { (view.t(&letter.reason_ru, &letter.reason_en)) } }
                    td { span.badge.(verdict.name()) { (words::verdict(language, verdict)) } }
                    td { (state(language, &letter.state)) }
                    td { (age(language, letter.arrived_at)) }
                }
            } }
        }
    }
}

/// The same form goes to replay or to discard.
fn many(view: &View, query: &str) -> Markup {
    html! {
        fieldset.actions {
            legend { (view.t("С выбранными", "With the chosen ones")) }
            label { (view.t("Причина", "Reason")) input name="why" maxlength="500" required; }
            button type="submit" formaction="/letters/replay" { (view.t("Повторить…", "Replay…")) }
            button.danger type="submit" { (view.t("Отбросить", "Discard")) }
            input type="hidden" name="id" value=(Uuid::new_v4());
            a.button href={"/letters/replay?" (query)} { (view.t("Повторить всё по фильтру…", "Replay all that fit…")) }
        }
    }
}

/// Gives letters up.
pub(super) async fn discard(view: View, RawForm(form): RawForm) -> Result<Response, Problem> {
    let sent = Fields::read(&form);
    let (admin, person) = (&view.admin, &view.person);
    person.may_change(admin, Role::Operator, "discard", "", sent.one("csrf")).await?;
    let choice = Choice { ids: sent.ids(), filter: sent.filter()? };
    let back = match choice.ids.as_deref() {
        Some([one]) => format!("/letters/{one}"),
        _ => "/letters?state=open".to_owned(),
    };
    let gone = admin.discard(&person.who, &choice, sent.one("why").unwrap_or_default()).await?;
    some_gone(gone)?;
    Ok(Redirect::to(&back).into_response())
}

/// The fields that say this filter again.
pub(super) fn pairs(filter: &Filter) -> Vec<(&'static str, String)> {
    let group = filter.group.map(|group| group.to_string());
    [
        ("worker", filter.worker.clone()),
        ("class", filter.class.clone()),
        ("state", filter.state.clone()),
        ("group", group),
        ("order", filter.order.clone()),
        ("text", filter.text.clone()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

fn as_query(filter: &Filter) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs(filter)).finish()
}
