//! The overview: each service at a glance, and the last day.

use axum::extract::Query;
use maud::{Markup, html};
use serde::Deserialize;
use time::OffsetDateTime;

use super::{
    MOSCOW, Problem,
    layout::View,
    show::{age, seconds, time},
    words,
};
use crate::{
    notify,
    services::worker_of,
    store::{Condition, Hour, Picture, ServiceRow},
};

/// The page.
pub(super) async fn page(view: View) -> Result<Markup, Problem> {
    let body = html! {
        h1 { (view.t("Обзор", "Overview")) }
        div data-live="/live" { (numbers(&view).await?) }
    };
    Ok(view.page("/", view.t("Обзор", "Overview"), &body))
}

/// What the script asks for.
#[derive(Deserialize)]
pub(super) struct Nothing {}

/// The part of the page that lives.
pub(super) async fn live(view: View, _: Query<Nothing>) -> Result<Markup, Problem> {
    numbers(&view).await
}

async fn numbers(view: &View) -> Result<Markup, Problem> {
    let picture = view.admin.picture().await?;
    let Picture { services, hours, conditions, at } = &*picture;
    let open: i64 = services.iter().map(|service| service.dead).sum();
    let unknown: i64 = services.iter().map(|service| service.unknown).sum();
    let done: i64 = services.iter().map(|service| service.done_hour).sum();
    Ok(html! {
        div.tiles {
            a.tile.(if open > 0 { "bad" } else { "good" }) href="/groups" {
                strong { (open) } span { (view.t("стоит и ждёт вас", "stuck and waiting for you")) }
            }
            a.tile.(if unknown > 0 { "bad" } else { "good" }) href="/letters?state=open&class=unknown" {
                strong { (unknown) } span { (view.t("неизвестно, выполнено ли", "nobody knows whether done")) }
            }
            div.tile { strong { (done) } span { (view.t("выполнено за час", "done in the last hour")) } }
        }
        @if !conditions.is_empty() { (holds(view, conditions)) }
        section.card {
            h2 { (view.t("Сервисы", "Services")) }
            (table(view, services))
        }
        (counts(view))
        section.card {
            h2 { (view.t("Последние сутки", "The last day")) }
            (chart(view, hours, *at))
        }
    })
}

/// What lasts and somebody should look at.
fn holds(view: &View, conditions: &[Condition]) -> Markup {
    html! {
        section.card.alert {
            h2 { (view.t("Требует внимания", "Please look")) }
            ul { @for held in conditions { li { (notify::condition(view.language, held)) } } }
        }
    }
}

/// What services count: stock of codes, what is overdue, what waits for a person.
fn counts(view: &View) -> Markup {
    let counts = view.admin.scraper.counts();
    let page = view.admin.config.admin_marking_url.as_deref();
    html! {
        @if !counts.is_empty() || page.is_some() || view.admin.egais.is_some() {
            section.card {
                h2 { (view.t("Склад и счётчики", "Stock and counts")) }
                dl.pairs { @for (service, name, label, count) in &counts {
                    dt { (words::counted(view.language, name)) @if !label.is_empty() { ": " (words::label(view.language, label)) } }
                    dd { strong { (count) } " " span.quiet { (words::service(view.language, service)) } }
                } }
                @if view.admin.egais.is_some() {
                    p { a.button href="/stock" { (view.t("Расхождения остатков с ЕГАИС", "Stock that differs from EGAIS")) } }
                }
                @if let Some(page) = page {
                    p { a.button href=(page) rel="noreferrer" { (view.t("Страница кладовщика: коды маркировки", "The storekeeper's page: marking codes")) } }
                }
            }
        }
    }
}

fn table(view: &View, services: &[ServiceRow]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr {
                th { (view.t("Сервис", "Service")) }
                th { (view.t("Состояние", "State")) }
                th.number { (view.t("За час", "Last hour")) }
                th.number { (view.t("В очереди", "Waiting")) }
                th.number { (view.t("Повторяет", "Retrying")) }
                th.number { (view.t("Стоит", "Stuck")) }
                th { (view.t("Самое старое", "Oldest")) }
                th.number title=(view.t("От события до готового: половина и 95 из 100 быстрее", "From the fact to the finished job: half and 95 in 100 are quicker")) {
                    (view.t("Время до готового", "Time to done"))
                }
                th { (view.t("Последнее слово", "Last word")) }
            } }
            tbody { @for service in services { (row(view, service)) } }
        } }
    }
}

fn row(view: &View, service: &ServiceRow) -> Markup {
    let name = service.service.as_str();
    let language = view.language;
    let away = view.admin.scraper.away(name);
    html! {
        tr {
            th scope="row" title=(name) { (words::service(language, name)) }
            td { @match away {
                Some(true) => span.badge.bad { (view.t("сервис недоступен", "register away")) },
                Some(false) => span.badge.good { (view.t("работает", "at work")) },
                None => span.quiet { "—" },
            } }
            td.number { (service.done_hour) }
            td.number { (view.admin.waiting(name)) }
            td.number { (service.retrying) }
            td.number { @if service.dead > 0 { a.bad href={"/letters?state=open&worker=" (worker_of(name))} { (service.dead) } } @else { "0" } }
            td { @if let Some(oldest) = service.oldest_dead { (age(language, oldest)) } @else { "—" } }
            td.number { (seconds(language, service.critical_p50)) " / " (seconds(language, service.critical_p95)) }
            td { @if let Some(last) = service.last_at { (time(last)) } @else { "—" } }
        }
    }
}

/// Bars of the last 24 hours, and the same as a table for who cannot see them.
fn chart(view: &View, hours: &[Hour], at: OffsetDateTime) -> Markup {
    let highest = hours.iter().map(|hour| hour.done + hour.failed).max().unwrap_or(0).max(1);
    let height = |count: i64| (count * 100 + highest - 1) / highest;
    html! {
        svg.chart viewBox="0 0 480 112" preserveAspectRatio="none" role="img" aria-label=(view.t("Выполнено и остановлено по часам", "Done and stuck by the hour")) {
            @for (place, hour) in hours.iter().enumerate() {
                @let (done, failed) = (height(hour.done), height(hour.failed));
                g {
                    title { (hour.hour.to_offset(MOSCOW).hour()) ":00: " (view.t("выполнено ", "done ")) (hour.done) ", " (view.t("остановлено ", "stuck ")) (hour.failed) }
                    rect.done x=(place * 20 + 2) y=(110 - done) width="16" height=(done) rx="2" {}
                    rect.failed x=(place * 20 + 2) y=(110 - done - failed) width="16" height=(failed) rx="2" {}
                }
            }
            line.axis x1="0" y1="110.5" x2="480" y2="110.5" {}
        }
        p.quiet {
            span.key.done {} (view.t("выполнено ", "done ")) (hours.iter().map(|hour| hour.done).sum::<i64>()) " · "
            span.key.failed {} (view.t("остановлено ", "stuck ")) (hours.iter().map(|hour| hour.failed).sum::<i64>()) " · "
            (view.t("обновлено ", "as of ")) (time(at))
        }
    }
}
