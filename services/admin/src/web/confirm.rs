//! What a replay would do, shown before it is begun.

use std::collections::BTreeSet;

use axum::{
    extract::{RawForm, RawQuery},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use uuid::Uuid;

use super::{
    Problem,
    layout::View,
    letters::{PAGE, pairs},
    words,
};
use crate::{
    actions::DryRun,
    choice::{ChoiceFlat, ReplayWish, Trial},
    filter::{Fields, Filter},
    people::Role,
    store::LetterRow,
    verdict::Verdict,
};

/// How many letters that were chosen by name are shown.
const SOME: usize = 10;
/// How many can be chosen by name in an address.
const MOST_NAMED: usize = 100;

/// What somebody is about to do.
struct Asked<'a> {
    choice: ChoiceFlat,
    why: &'a str,
    /// The replay's id: pressed twice it is one.
    id: Uuid,
}

/// The page for a choice in an address.
pub(super) async fn page(view: View, RawQuery(query): RawQuery) -> Result<Markup, Problem> {
    let sent = Fields::read(query.unwrap_or_default().as_bytes());
    view.person.may(&view.admin, Role::Operator, "replay", "").await?;
    let ids = sent.ids().map(|ids| ids.into_iter().take(MOST_NAMED).collect());
    let choice = ChoiceFlat { ids, filter: sent.filter()? };
    shown(&view, &Asked { choice, why: "", id: Uuid::new_v4() }).await
}

/// Begins a replay; what was only ticked in a list is shown first.
pub(super) async fn replay(view: View, RawForm(form): RawForm) -> Result<Response, Problem> {
    let sent = Fields::read(&form);
    let (admin, person) = (&view.admin, &view.person);
    person.may_change(admin, Role::Operator, "replay", "", sent.one("csrf")).await?;
    let choice = ChoiceFlat { ids: sent.ids(), filter: sent.filter()? };
    let id = sent.one("id").and_then(|id| id.parse().ok()).unwrap_or_else(Uuid::new_v4);
    let why = sent.one("why").unwrap_or_default();
    if sent.one("confirmed").is_none() {
        return Ok(shown(&view, &Asked { choice, why, id }).await?.into_response());
    }
    let ticked = sent.one("unknown").is_some();
    let looked = if ticked { sent.all("looked") } else { Vec::new() };
    let wish = ReplayWish {
        id,
        // Where a page has named those to be looked for, it is those and no others.
        unknown: ticked && choice.ids.is_some() && looked.is_empty(),
        choice,
        why: why.to_owned(),
        rate: sent.one("rate").and_then(|rate| rate.parse().ok()),
        looked,
    };
    let started = admin.replay(&person.who, &wish).await?;
    Ok(Redirect::to(&format!("/replays/{}", started.id)).into_response())
}

async fn shown(view: &View, asked: &Asked<'_>) -> Result<Markup, Problem> {
    let choice = &asked.choice;
    let run = view.admin.dry_run(&Trial { choice: choice.clone(), ..Trial::default() }).await?;
    let ids = choice.ids.as_deref().unwrap_or_default();
    let chosen = ids.iter().collect::<BTreeSet<_>>().len();
    let named = view.admin.store.letters_named(ids, PAGE).await?;
    let unknown = unknown_ones(view, choice, &named).await?;
    let title = view.t("Повторить отправку", "Replay");
    let body = html! {
        h1 { (title) }
        section.card {
            @if run.letters == 0 {
                p { (view.t("Повторять нечего: это уже повторено, закрыто или решилось само.", "There is nothing to replay: it was replayed, closed, or has gone on by itself.")) }
                (left_out(view, chosen, &named))
                p { a.button href="/groups" { (view.t("Что ещё стоит", "What else is stuck")) } }
            } @else {
                (named_ones(view, &named))
                (what_it_does(view, &run))
                (left_out(view, chosen, &named))
                (form(view, asked, &run, &unknown))
            }
        }
    };
    Ok(view.page("/letters", title, &body))
}

/// What the letters say, where they were chosen by name.
fn named_ones(view: &View, named: &[LetterRow]) -> Markup {
    let open: Vec<&LetterRow> = named.iter().filter(|letter| letter.state == "open").collect();
    html! {
        @if !open.is_empty() { ul.plain { @for letter in open.iter().take(SOME) { li {
            strong { (order(view, letter)) } " · " (words::service(view.language, letter.worker.as_deref().unwrap_or("unrouted"))) br;
            (view.t(&letter.reason_ru, &letter.reason_en))
        } } } }
        @if open.len() > SOME { p.quiet { "…" } }
    }
}

fn order(view: &View, letter: &LetterRow) -> Markup {
    html! { @match &letter.order_key {
        Some(key) => a href=(super::orders::link(key)) { (view.t("Заказ ", "Order ")) (letter.order_number.as_deref().unwrap_or("—")) },
        None => (view.t("Сообщение", "A message")),
    } }
}

fn what_it_does(view: &View, run: &DryRun) -> Markup {
    html! {
        @if run.letters > 1 { p { (view.t("Остановок, которые сейчас открыты: ", "Letters that are open now: ")) strong { (run.letters) } "." } }
        ul.plain { @for (name, count) in &run.verdicts { @if let Some(verdict) = verdict_named(name) {
            li { span.badge.(name) { (words::verdict(view.language, verdict)) } " " @if run.letters > 1 { strong { (count) } " — " } (words::advice(view.language, verdict)) }
        } } }
    }
}

/// What was chosen by name and is not open, and why; of no more than a page.
fn left_out(view: &View, chosen: usize, named: &[LetterRow]) -> Markup {
    let closed: Vec<&LetterRow> = named.iter().filter(|letter| letter.state != "open").collect();
    let gone = if named.len() < usize::try_from(PAGE).unwrap_or(0) {
        chosen.saturating_sub(named.len())
    } else {
        0
    };
    html! { @if !closed.is_empty() || gone > 0 {
        p { (view.t("Не войдут: ", "Left out: ")) strong { (closed.len() + gone) } "." }
        ul.plain {
            @for letter in closed { li { a href={"/letters/" (letter.id)} { (letter.order_number.as_deref().unwrap_or("—")) } " — " (words::state(view.language, &letter.state)) } }
            @if gone > 0 { li { (view.t("Таких остановок нет: ", "There are no such letters: ")) (gone) } }
        }
    } }
}

fn form(view: &View, asked: &Asked<'_>, run: &DryRun, unknown: &[LetterRow]) -> Markup {
    let choice = &asked.choice;
    html! {
        form.confirm method="post" action="/letters/replay" {
            (view.csrf())
            input type="hidden" name="confirmed" value="yes";
            input type="hidden" name="id" value=(asked.id);
            @for id in choice.ids.iter().flatten() { input type="hidden" name="ids" value=(id); }
            @for (name, value) in pairs(&choice.filter) { input type="hidden" name=(name) value=(value); }
            label { (view.t("Что исправлено, почему повторяем", "What has been mended, and why"))
                input name="why" value=(asked.why) required maxlength="500" autofocus placeholder=(view.t("например: указали ставку НДС", "such as: the VAT rate is set")); }
            @if run.letters > 1 {
                label { (view.t("Сколько отправлять в секунду", "Letters in a second"))
                    input type="number" name="rate" min="1" max="1000" value=(view.admin.config.admin_replay_rate); }
            }
            @if run.letters > run.safe {
                p { (view.t("Неизвестно, выполнены ли; без отметки не войдут: ", "Nobody knows whether they are done; left out unless you tick: ")) strong { (run.letters - run.safe) } "." }
                (looked_for(view, unknown))
            }
            p { button type="submit" { (view.t("Повторить", "Replay")) @if run.letters > 1 { ": " (run.safe) } } }
        }
    }
}

/// Unknown ones are sent anew by name only: those that are on this page. Of more than that nobody
/// has looked for each.
async fn unknown_ones(
    view: &View,
    choice: &ChoiceFlat,
    named: &[LetterRow],
) -> Result<Vec<LetterRow>, Problem> {
    if choice.ids.is_some() {
        let unknown = named.iter().filter(|one| one.class == "unknown" && one.state == "open");
        return Ok(unknown.cloned().collect());
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

fn verdict_named(name: &str) -> Option<Verdict> {
    use Verdict::{Accepted, NotSent, Refused, Unknown, Unsure};
    [NotSent, Accepted, Refused, Unsure, Unknown].into_iter().find(|verdict| verdict.name() == name)
}
