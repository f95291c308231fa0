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
    actions::{Choice, ChoiceFlat, DryRun, ReplayWish},
    filter::{Fields, Filter},
    letter::CLASSES,
    people::Role,
    store::LetterRow,
    verdict::verdict,
};

/// How many letters a page has.
const PAGE: i64 = 100;
/// How many letters that were chosen by name are shown before they are replayed.
const SOME: i64 = 10;
/// How many can be chosen by name in an address.
const MOST_NAMED: usize = 100;
const STATES: [&str; 7] = ["open", "queued", "sent", "resolved", "again", "discarded", "settled"];

/// The list.
pub(super) async fn page(view: View, RawQuery(query): RawQuery) -> Result<Markup, Problem> {
    let asked = Fields::read(query.unwrap_or_default().as_bytes());
    let filter = asked.filter();
    let number = asked.one("page").and_then(|page| page.parse().ok()).unwrap_or(0).clamp(0, 10_000);
    let letters = view.admin.store.letters(&filter, PAGE, number * PAGE).await?;
    let count = view.admin.store.count_letters(&filter).await?;
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
            @if (number + 1) * PAGE < count { a rel="next" href={"/letters?" (query) "&page=" (number + 1)} { (view.t("старее", "older")) " →" } }
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
            button type="submit" formaction="/letters/replay" { (view.t("Повторить", "Replay")) }
            button.danger type="submit" { (view.t("Отбросить", "Discard")) }
            input type="hidden" name="id" value=(Uuid::new_v4());
            a.button href={"/letters/replay?" (query)} { (view.t("Повторить всё по фильтру…", "Replay all that fit…")) }
        }
    }
}

/// Shows what a replay of a choice would do, before it is begun.
pub(super) async fn confirm_replay(
    view: View,
    RawQuery(query): RawQuery,
) -> Result<Markup, Problem> {
    let asked = Fields::read(query.unwrap_or_default().as_bytes());
    let ids = asked.ids().map(|ids| ids.into_iter().take(MOST_NAMED).collect());
    let choice = ChoiceFlat { ids, filter: asked.filter() };
    view.person.may(&view.admin, Role::Operator, "replay", "").await?;
    let run = view.admin.dry_run(&choice).await?;
    let unknown = unknown_ones(&view, &choice).await?;
    let title = view.t("Повторить отправку", "Replay");
    let body = html! {
        h1 { (title) }
        section.card {
            @if run.letters == 0 {
                p { (view.t("Повторять нечего: это уже повторено, закрыто или решилось само.", "There is nothing to replay: it was replayed, closed, or has gone on by itself.")) }
                p { a.button href="/groups" { (view.t("Что ещё стоит", "What else is stuck")) } }
            } @else {
                (named_ones(&view, &choice).await?)
                (what_it_does(&view, &run))
                (confirm(&view, &choice, &run, &unknown))
            }
        }
    };
    Ok(view.page("/letters", title, &body))
}

/// What the letters say, where they were chosen by name.
async fn named_ones(view: &View, choice: &ChoiceFlat) -> Result<Markup, Problem> {
    let ids = choice.ids.as_deref().unwrap_or_default();
    let letters = view.admin.store.letters_named(ids, SOME).await?;
    Ok(html! {
        @if !letters.is_empty() { ul.plain { @for letter in &letters { li {
            strong { @match &letter.order_key {
                Some(key) => a href=(super::orders::link(key)) { (view.t("Заказ ", "Order ")) (letter.order_number.as_deref().unwrap_or("—")) },
                None => (view.t("Сообщение", "A message")),
            } }
            " · " (words::service(view.language, letter.worker.as_deref().unwrap_or("unrouted"))) br;
            (view.t(&letter.reason_ru, &letter.reason_en))
        } } } }
        @if ids.len() > letters.len() && !letters.is_empty() { p.quiet { "…" } }
    })
}

fn what_it_does(view: &View, run: &DryRun) -> Markup {
    html! {
        @if run.letters > 1 { p { (view.t("Остановок, которые сейчас открыты: ", "Letters that are open now: ")) strong { (run.letters) } "." } }
        ul.plain { @for (name, count) in &run.verdicts { @if let Some(verdict) = named(name) {
            li { span.badge.(name) { (words::verdict(view.language, verdict)) } " " @if run.letters > 1 { strong { (count) } " — " } (words::advice(view.language, verdict)) }
        } } }
    }
}

fn confirm(view: &View, choice: &ChoiceFlat, run: &DryRun, unknown: &[LetterRow]) -> Markup {
    html! {
        form.confirm method="post" action="/letters/replay" {
            (view.csrf())
            input type="hidden" name="id" value=(Uuid::new_v4());
            @for id in choice.ids.iter().flatten() { input type="hidden" name="ids" value=(id); }
            @for (name, value) in pairs(&choice.filter) { input type="hidden" name=(name) value=(value); }
            label { (view.t("Что исправлено, почему повторяем", "What has been mended, and why"))
                input name="why" required maxlength="500" autofocus placeholder=(view.t("например: указали ставку НДС", "such as: the VAT rate is set")); }
            @if run.letters > 1 {
                label { (view.t("Сколько отправлять в секунду", "Letters in a second"))
                    input type="number" name="rate" min="1" max="1000" value=(view.admin.config.admin_replay_rate); }
            }
            @if !unknown.is_empty() { (looked_for(view, unknown)) }
            p { button type="submit" { (view.t("Повторить", "Replay")) @if run.letters > 1 { ": " (run.safe) } } }
        }
    }
}

/// Unknown ones are sent anew by name only: those that are on this page. Of more than that nobody
/// has looked for each.
async fn unknown_ones(view: &View, choice: &ChoiceFlat) -> Result<Vec<LetterRow>, Problem> {
    if let Some(ids) = &choice.ids {
        let named = view.admin.store.letters_named(ids, PAGE).await?;
        return Ok(named
            .into_iter()
            .filter(|l| l.class == "unknown" && l.state == "open")
            .collect());
    }
    let filter = &choice.filter;
    let fits = |chosen: &Option<String>, own| chosen.as_deref().is_none_or(|one| one == own);
    if !fits(&filter.class, "unknown") || !fits(&filter.state, "open") {
        return Ok(Vec::new());
    }
    let (class, state) = (Some("unknown".to_owned()), Some("open".to_owned()));
    let filter = Filter { class, state, ..filter.clone() };
    Ok(view.admin.store.letters(&filter, PAGE, 0).await?)
}

fn looked_for(view: &View, unknown: &[LetterRow]) -> Markup {
    html! {
        div.looked {
            label.check { input type="checkbox" name="unknown" value="yes"; " "
                (view.t("Отправить заново и те, о которых неизвестно, выполнены ли. Я проверил каждый в личном кабинете сервиса: их там нет.", "Also send anew those of which nobody knows whether they are done. I have looked for each in the register's cabinet: they are not there.")) }
            ul { @for letter in unknown { li {
                input type="hidden" name="looked" value=(letter.id);
                a href={"/letters/" (letter.id)} { (letter.order_number.as_deref().unwrap_or("—")) } " — " (view.t(&letter.reason_ru, &letter.reason_en))
            } } }
        }
    }
}

fn named(name: &str) -> Option<crate::verdict::Verdict> {
    use crate::verdict::Verdict::{Accepted, NotSent, Refused, Unknown, Unsure};
    [NotSent, Accepted, Refused, Unsure, Unknown].into_iter().find(|verdict| verdict.name() == name)
}

/// Begins a replay.
pub(super) async fn replay(view: View, RawForm(form): RawForm) -> Result<Response, Problem> {
    let sent = Fields::read(&form);
    let (admin, person) = (&view.admin, &view.person);
    person.may_change(admin, Role::Operator, "replay", "", sent.one("csrf")).await?;
    let choice = Choice { ids: sent.ids(), filter: sent.filter() };
    let wish = ReplayWish {
        id: sent.one("id").and_then(|id| id.parse().ok()).unwrap_or_else(Uuid::new_v4),
        choice: ChoiceFlat { ids: choice.ids, filter: choice.filter },
        why: sent.one("why").unwrap_or_default().to_owned(),
        rate: sent.one("rate").and_then(|rate| rate.parse().ok()),
        unknown: sent.one("unknown").is_some() && sent.one("ids").is_some(),
        looked: sent.one("unknown").map(|_| sent.all("looked")).unwrap_or_default(),
    };
    let started = admin.replay(&person.who, &wish).await?;
    Ok(Redirect::to(&format!("/replays/{}", started.id)).into_response())
}

/// Gives letters up.
pub(super) async fn discard(view: View, RawForm(form): RawForm) -> Result<Response, Problem> {
    let sent = Fields::read(&form);
    let (admin, person) = (&view.admin, &view.person);
    person.may_change(admin, Role::Operator, "discard", "", sent.one("csrf")).await?;
    let choice = Choice { ids: sent.ids(), filter: sent.filter() };
    let back = match choice.ids.as_deref() {
        Some([one]) => format!("/letters/{one}"),
        _ => "/letters?state=open".to_owned(),
    };
    admin.discard(&person.who, &choice, sent.one("why").unwrap_or_default()).await?;
    Ok(Redirect::to(&back).into_response())
}

fn pairs(filter: &Filter) -> Vec<(&'static str, String)> {
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
