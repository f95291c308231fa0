//! Replays and their progress.

use axum::{
    Form,
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;

use super::{Problem, layout::View, show::time, words};
use crate::{
    people::Role,
    store::{ItemRow, ReplayRow},
};

/// The last fifty.
pub(super) async fn list(view: View) -> Result<Markup, Problem> {
    let replays = view.admin.replays.get(view.admin.store.replays(None)).await;
    let replays = replays.ok_or(Problem::Away)?;
    let body = html! {
        h1 { (view.t("Повторы", "Replays")) }
        @if replays.is_empty() { section.card { p { (view.t("Ещё ничего не повторяли.", "Nothing has been replayed yet.")) } } }
        div data-live="/replays" { div #live { @for replay in replays.iter() { (card(&view, replay)) } } }
    };
    Ok(view.page("/replays", view.t("Повторы", "Replays"), &body))
}

/// One replay.
pub(super) async fn one(view: View, Path(id): Path<Uuid>) -> Result<Markup, Problem> {
    let replays = view.admin.store.replays(Some(id)).await?;
    let replay = replays.first().ok_or(Problem::NotFound)?;
    let items = view.admin.store.replay_items(id, SOME).await?;
    let title = view.t("Повтор", "Replay");
    let body = html! {
        h1 { (title) }
        div data-live={"/replays/" (id)} { div #live { (card(&view, replay)) (what_became(&view, replay, &items)) } }
    };
    Ok(view.page("/replays", title, &body))
}

/// How many letters are shown with what became of them.
const SOME: i64 = 20;

fn what_became(view: &View, replay: &ReplayRow, items: &[ItemRow]) -> Markup {
    html! {
        section.card {
            h2 { (view.t("Что получилось", "What became of it")) }
            ul.plain { @for item in items { li {
                @match (&item.order_key, &item.order_number) {
                    (Some(key), Some(number)) => a href=(super::orders::link(key)) { (view.t("Заказ ", "Order ")) (number) },
                    _ => a href={"/letters/" (item.letter)} { (view.t("Сообщение", "A message")) },
                }
                " " span.badge.(badge(&item.state)) { (words::state(view.language, &item.state)) }
                @if let (Some(ru), Some(en)) = (&item.done_ru, &item.done_en) { br; (view.t(ru, en)) }
                @else if item.state == "again" { br; a href={"/letters/" (item.letter)} { (view.t("Почему не помогло", "Why it did not help")) } }
            } } }
            @if replay.total > SOME { p.quiet { (view.t("Показаны первые ", "The first are shown: ")) (SOME) "." } }
        }
    }
}

/// The colour of a state.
fn badge(state: &str) -> &'static str {
    match state {
        "resolved" | "settled" => "done",
        "again" | "open" => "failed",
        _ => "retrying",
    }
}

fn card(view: &View, replay: &ReplayRow) -> Markup {
    let left = replay.total - replay.resolved - replay.again;
    html! {
        section.card {
            h2 { a href={"/replays/" (replay.id)} { (words::why(view.language, &replay.why)) } " " span.badge { (words::replay(view.language, &replay.state)) } }
            progress max=(replay.total) value=(replay.sent) aria-label=(view.t("Отправлено", "Handed back")) {}
            p {
                (view.t("Всего: ", "Letters: ")) strong { (replay.total) } " · "
                (view.t("отправлено: ", "handed back: ")) strong { (replay.sent) } " · "
                (view.t("решено: ", "resolved: ")) strong.good { (replay.resolved) } " · "
                (view.t("не помогло: ", "failed again: ")) strong.bad[replay.again > 0] { (replay.again) } " · "
                (view.t("ещё нет ответа: ", "no word yet: ")) strong { (left) }
            }
            @if let Some(error) = &replay.error { p.bad { (view.t("Ждёт брокера: ", "Waits for the broker: ")) (error) } }
            p.quiet { (replay.who) ", " (time(replay.created_at)) ", " (replay.rate) " " (view.t("в секунду", "a second")) }
            @if view.may(Role::Operator) { (turns(view, replay)) }
        }
    }
}

fn turns(view: &View, replay: &ReplayRow) -> Markup {
    let turns: &[(&str, &str, &str)] = match replay.state.as_str() {
        "running" => {
            &[("pause", "Пауза", "Pause"), ("cancel", "Отменить остаток", "Cancel the rest")]
        }
        "paused" => {
            &[("resume", "Продолжить", "Resume"), ("cancel", "Отменить остаток", "Cancel the rest")]
        }
        _ => &[],
    };
    html! {
        @for (turn, ru, en) in turns {
            form.inline method="post" action={"/replays/" (replay.id) "/" (turn)} { (view.csrf()) button type="submit" { (view.t(ru, en)) } }
        }
    }
}

/// What the forms send.
#[derive(Deserialize)]
pub(super) struct Given {
    #[serde(default)]
    csrf: String,
}

/// Pauses, resumes or cancels.
pub(super) async fn turn(
    view: View,
    Path((id, turn)): Path<(Uuid, String)>,
    Form(given): Form<Given>,
) -> Result<Response, Problem> {
    let (admin, person, subject) = (&view.admin, &view.person, id.to_string());
    let action = format!("{} replay", turn.chars().take(10).collect::<String>());
    person.may_change(admin, Role::Operator, &action, &subject, Some(&given.csrf)).await?;
    admin.turn(&person.who, id, &turn).await?;
    Ok(Redirect::to(&format!("/replays/{id}")).into_response())
}
