//! One dead letter: what happened, whether a replay is safe, and what a person can do.

use axum::{
    Form,
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Problem,
    layout::View,
    show::time,
    words::{self, state},
};
use crate::{
    config::Language,
    mask,
    people::Role,
    store::{AuditRow, Letter, LetterRow, Note, Passed},
    verdict::{Verdict, verdict},
};

/// The page.
pub(super) async fn page(view: View, Path(id): Path<Uuid>) -> Result<Markup, Problem> {
    let letter = view.admin.letter(id).await?;
    let notes = view.admin.store.notes(id).await?;
    let log = view.admin.store.audit_log(&id.to_string()).await?;
    let way = view.admin.store.way(&letter).await?;
    let row = &letter.row;
    let verdict = verdict(&row.class, row.last_phase.as_deref());
    let number = row.order_number.as_deref().unwrap_or("—");
    let title = format!("{} {number}", view.t("Заказ", "Order"));
    let body = html! {
        h1 {
            @match &row.order_key { Some(key) => a href=(super::orders::link(key)) { (title) }, None => (view.t("Сообщение", "A message")) }
            " " span.badge { (state(view.language, &row.state)) }
        }
        section.card.alert[row.state == "open"] {
            h2 { (words::service(view.language, row.worker.as_deref().unwrap_or("unrouted"))) ": " (words::class(view.language, &row.class)) }
            p.lead { (view.t(&row.reason_ru, &row.reason_en)) }
            p { span.badge.(verdict.name()) { (words::verdict(view.language, verdict)) } " " (words::advice(view.language, verdict)) }
            @if let Some(at) = goes_on(row, &way) {
                p.good { (view.t("Заказ изменили в магазине ", "The order was changed in the shop on ")) (time(at))
                    (view.t(": сервис пробует снова сам, повторять не нужно.", ": the service tries again by itself, there is no need to replay.")) }
            }
            @if let Some(note) = &letter.state_note { p { (state(view.language, &row.state)) ": " (note) " · " (time(letter.state_at)) } }
            @if view.may(Role::Operator) { (actions(&view, &letter, verdict)) }
        }
        (passed(&view, row, &way))
        (facts(&view, &letter))
        @if view.may(Role::Operator) { (payload(&view, &letter)) }
        (beside(&view, id, &notes, &log))
    };
    Ok(view.page("/letters", &title, &body))
}

/// When the order was changed after this letter, if its job goes on by itself for that: what died
/// of the order's own data, or was refused.
fn goes_on(row: &LetterRow, way: &[Passed]) -> Option<OffsetDateTime> {
    let mendable = matches!(row.class.as_str(), "invalid" | "refused") && row.state == "open";
    let changed = way.iter().filter(|step| step.kind == "changed" && step.at > row.arrived_at);
    changed.map(|step| step.at).next_back().filter(|_| mendable)
}

/// That a service is stuck is what its letter says as well.
fn repeats(step: &Passed) -> bool {
    step.kind == "said" && matches!(step.phase.as_deref(), Some("failed" | "unknown"))
}

/// The way of the letter's job.
fn passed(view: &View, row: &LetterRow, way: &[Passed]) -> Markup {
    html! {
        section.card {
            h2 { (view.t("Что было дальше", "Its way")) }
            ol.timeline { @for step in way.iter().filter(|step| !repeats(step)) {
                li.(step.phase.as_deref().unwrap_or(&step.kind)) {
                    div.when { (time(step.at)) }
                    div.what { (step_title(view, row, step)) p { (view.t(&step.text_ru, &step.text_en)) } }
                }
            } }
        }
    }
}

fn step_title(view: &View, row: &LetterRow, step: &Passed) -> Markup {
    match (step.kind.as_str(), step.id) {
        ("died", Some(id)) if id == row.id => {
            html! { strong { (view.t("Остановка", "It stopped")) } }
        }
        ("died", Some(id)) => {
            html! { a href={"/letters/" (id)} { (view.t("Другая остановка", "It stopped another time")) } }
        }
        ("replay", Some(id)) => {
            html! { a href={"/replays/" (id)} { (view.t("Повтор", "A replay")) } }
        }
        ("changed", _) => html! {
            strong { (view.t("Заказ изменён в магазине", "The order was changed in the shop")) }
        },
        _ => html! {
            strong { (words::service(view.language, row.worker.as_deref().unwrap_or("unrouted"))) }
            @if let Some(phase) = &step.phase { " " span.badge.(phase) { (words::phase(view.language, phase)) } }
        },
    }
}

fn actions(view: &View, letter: &Letter, verdict: Verdict) -> Markup {
    let id = letter.row.id;
    html! {
        @if letter.row.state == "open" {
            div.decide {
                form method="post" action={"/letters/" (id) "/settle"} {
                    (view.csrf())
                    label {
                        @if verdict == Verdict::Unknown { (view.t("Нашёл в сервисе. Номер документа:", "It is there. The document's number:")) }
                        @else { (view.t("Сделал в сервисе вручную. Номер документа:", "Done there by hand. The document's number:")) }
                        input name="document" required maxlength="200";
                    }
                    button type="submit" { @if verdict == Verdict::Unknown { (view.t("Оно там есть: закрыть", "It is there: close")) } @else { (view.t("Сделано: закрыть", "Done: close")) } }
                }
                form method="post" action="/letters/replay" {
                    (view.csrf())
                    // The verdict stands above.
                    input type="hidden" name="confirmed" value="yes";
                    input type="hidden" name="ids" value=(id);
                    input type="hidden" name="id" value=(Uuid::new_v4());
                    @if verdict == Verdict::Unknown { input type="hidden" name="unknown" value="yes"; }
                    label { (view.t("Что исправлено, почему повторяем", "What has been mended, and why")) input name="why" required maxlength="500"; }
                    button type="submit" { @if verdict == Verdict::Unknown { (view.t("Его там нет: отправить заново", "It is not there: send it anew")) } @else { (view.t("Повторить", "Replay")) } }
                }
                form method="post" action="/letters/discard" {
                    (view.csrf())
                    input type="hidden" name="ids" value=(id);
                    label { (view.t("Почему отбрасываем", "Why it is given up")) input name="why" required maxlength="500"; }
                    button.danger type="submit" { (view.t("Отбросить", "Discard")) }
                }
            }
        }
        @if letter.row.state == "discarded" {
            form method="post" action={"/letters/" (id) "/restore"} { (view.csrf()) button type="submit" { (view.t("Вернуть", "Take back")) } }
        }
        @if letter.row.state == "sent" {
            form method="post" action={"/letters/" (id) "/restore"} {
                (view.csrf())
                p.quiet { (view.t("Передано сервису, ответа пока нет. Если его нет долго, откройте снова: дважды ничего не выполнится.", "It was handed back, and there is no word yet. If there is none for long, open it again: nothing is done twice.")) }
                button type="submit" { (view.t("Открыть снова", "Open again")) }
            }
        }
    }
}

/// What went wrong first, where that is something else than the reason, and in the page's language.
fn first_error<'a>(view: &View, letter: &'a Letter) -> Option<&'a str> {
    let other = letter.first_error.as_ref().filter(|first| **first != letter.row.reason_en)?;
    match view.language {
        Language::Ru => letter.first_error_ru.as_deref(),
        Language::En => Some(other),
    }
}

fn facts(view: &View, letter: &Letter) -> Markup {
    let row = &letter.row;
    html! {
        section.card {
            h2 { (view.t("Подробности", "Details")) }
            dl.pairs {
                dt { (view.t("Пришло", "Arrived")) } dd { (time(row.arrived_at)) }
                dt { (view.t("Код", "Code")) } dd { a href={"/letters?group=" (letter.group_id)} { code { (row.code) } } }
                dt { (view.t("Попыток подряд", "Attempts in a row")) } dd { (row.attempts) }
                @if let Some(first) = first_error(view, letter) { dt { (view.t("Первая ошибка", "First error")) } dd { (first) } }
                @if view.may(Role::Operator) && let Some(evidence) = letter.evidence.as_deref().filter(|text| !text.trim().is_empty()) { dt { (view.t("Ответ сервиса", "The register's answer")) } dd { pre { (mask::codes(evidence)) } } }
                dt { (view.t("Событие", "Event")) } dd { code { (letter.topic.as_deref().unwrap_or("?")) " " (letter.event_id) } }
                dt { (view.t("Откуда", "From")) } dd { code { (letter.exchange) " → " (letter.routing_key) } }
            }
        }
    }
}

fn payload(view: &View, letter: &Letter) -> Markup {
    html! {
        section.card {
            details {
                summary { (view.t("Сообщение (секреты и коды скрыты)", "The message (secrets and codes masked)")) }
                pre { (mask::body(&letter.body)) }
                h3 { (view.t("Заголовки", "Headers")) }
                dl.pairs { @for (name, value) in letter.headers.as_object().into_iter().flatten() { dt { (name) } dd { (value.as_str().unwrap_or("")) } } }
            }
            @if let Some(edited) = &letter.edited {
                p.bad { (view.t("Повтор отправит исправленное сообщение.", "A replay sends the edited message.")) }
                pre { (mask::body(edited.as_bytes())) }
            }
            @if view.admin.config.admin_edit && view.may(Role::Admin) && letter.row.state == "open" {
                details {
                    summary { (view.t("Исправить сообщение", "Edit the message")) }
                    p.bad { (view.t("Здесь сообщение показано целиком: с кодами маркировки, секретами и данными покупателя.", "Here the message is shown whole: with its mark codes, its secrets and what it says of the buyer.")) }
                    form method="post" action={"/letters/" (letter.row.id) "/edit"} {
                        (view.csrf())
                        textarea name="edited" rows="20" spellcheck="false" { (letter.edited.clone().unwrap_or_else(|| String::from_utf8_lossy(&letter.body).into_owned())) }
                        label { (view.t("Причина", "Reason")) input name="why" required maxlength="500"; }
                        button type="submit" { (view.t("Сохранить правку", "Keep the edit")) }
                    }
                }
            }
        }
    }
}

fn beside(view: &View, id: Uuid, notes: &[Note], log: &[AuditRow]) -> Markup {
    html! {
        section.card {
            h2 { (view.t("Заметки и действия", "Notes and actions")) }
            ul.notes { @for note in notes { li { strong { (note.who) } " " (time(note.at)) p { (note.text) } } } }
            @if view.may(Role::Operator) {
                form method="post" action={"/letters/" (id) "/note"} {
                    (view.csrf())
                    label { (view.t("Новая заметка", "A new note")) textarea name="text" rows="2" required maxlength="2000" {} }
                    button type="submit" { (view.t("Записать", "Write down")) }
                }
            }
            ul.quiet { @for line in log { li { (time(line.at)) " " (line.who) ": " (words::action(view.language, &line.action)) @match line.outcome.as_str() { "refused" => { " — " (view.t("отказано", "refused")) }, "failed" => { " — " (view.t("не вышло", "failed")) }, _ => {} } @if !line.why.is_empty() { " — " (words::why(view.language, &line.why)) } } } }
        }
    }
}

/// What the forms of this page send.
#[derive(Deserialize)]
pub(super) struct Given {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    document: String,
    #[serde(default)]
    edited: String,
    #[serde(default)]
    why: String,
}

fn back(id: Uuid) -> Response {
    Redirect::to(&format!("/letters/{id}")).into_response()
}

/// Writes a note.
pub(super) async fn note(
    view: View,
    Path(id): Path<Uuid>,
    Form(given): Form<Given>,
) -> Result<Response, Problem> {
    let (admin, person, subject) = (&view.admin, &view.person, id.to_string());
    person.may_change(admin, Role::Operator, "note", &subject, Some(&given.csrf)).await?;
    admin.annotate(&person.who, id, &given.text).await.map(|()| back(id))
}

/// Closes a letter: the effect is there.
pub(super) async fn settle(
    view: View,
    Path(id): Path<Uuid>,
    Form(given): Form<Given>,
) -> Result<Response, Problem> {
    let (admin, person, subject) = (&view.admin, &view.person, id.to_string());
    person.may_change(admin, Role::Operator, "settle", &subject, Some(&given.csrf)).await?;
    admin.settle(&person.who, id, &given.document).await.map(|()| back(id))
}

/// Takes a discarded letter back.
pub(super) async fn restore(
    view: View,
    Path(id): Path<Uuid>,
    Form(given): Form<Given>,
) -> Result<Response, Problem> {
    let (admin, person, subject) = (&view.admin, &view.person, id.to_string());
    person.may_change(admin, Role::Operator, "restore", &subject, Some(&given.csrf)).await?;
    admin.restore(&person.who, id).await.map(|()| back(id))
}

/// Has a replay send something else; the original again when nothing is given.
pub(super) async fn edit(
    view: View,
    Path(id): Path<Uuid>,
    Form(given): Form<Given>,
) -> Result<Response, Problem> {
    let (admin, person, subject) = (&view.admin, &view.person, id.to_string());
    person.may_change(admin, Role::Admin, "edit", &subject, Some(&given.csrf)).await?;
    let edited = Some(given.edited.trim()).filter(|text| !text.is_empty());
    admin.edit(&person.who, id, edited, &given.why).await.map(|()| back(id))
}
