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
use crate::{people::Role, store::ReplayRow};

/// The last fifty.
pub(super) async fn list(view: View) -> Result<Markup, Problem> {
    let replays = view.admin.store.replays(None).await?;
    let body = html! {
        h1 { (view.t("Повторы", "Replays")) }
        @if replays.is_empty() { section.card { p { (view.t("Ещё ничего не повторяли.", "Nothing has been replayed yet.")) } } }
        div data-live="/replays" { div #live { @for replay in &replays { (card(&view, replay)) } } }
    };
    Ok(view.page("/replays", view.t("Повторы", "Replays"), &body))
}

/// One replay.
pub(super) async fn one(view: View, Path(id): Path<Uuid>) -> Result<Markup, Problem> {
    let replays = view.admin.store.replays(Some(id)).await?;
    let replay = replays.first().ok_or(Problem::NotFound)?;
    let title = view.t("Повтор", "Replay");
    let body = html! {
        h1 { (title) }
        div data-live={"/replays/" (id)} { div #live { (card(&view, replay)) } }
    };
    Ok(view.page("/replays", title, &body))
}

fn card(view: &View, replay: &ReplayRow) -> Markup {
    let left = replay.total - replay.resolved - replay.again;
    html! {
        section.card {
            h2 { a href={"/replays/" (replay.id)} { (replay.why) } " " span.badge { (words::replay(view.language, &replay.state)) } }
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
