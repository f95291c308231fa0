//! The frame of every page.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};
use maud::{DOCTYPE, Markup, html};

use super::Problem;
use crate::{
    Admin,
    config::Language,
    people::{Person, Role, cookie},
};

/// Who looks at a page, and in which language.
pub(crate) struct View {
    pub admin: Arc<Admin>,
    pub person: Person,
    pub language: Language,
}

impl FromRequestParts<Arc<Admin>> for View {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, admin: &Arc<Admin>) -> Result<Self, Problem> {
        let person = Person::from_request_parts(parts, admin).await?;
        let language = language(admin, &parts.headers);
        Ok(Self { admin: Arc::clone(admin), person, language })
    }
}

/// The language of a caller: the chosen one, or the setting's.
pub(super) fn language(admin: &Admin, headers: &HeaderMap) -> Language {
    match cookie(headers, "parom_language") {
        Some("ru") => Language::Ru,
        Some("en") => Language::En,
        _ => admin.config.admin_language,
    }
}

impl View {
    /// One of two texts.
    pub(super) fn t<'a>(&self, ru: &'a str, en: &'a str) -> &'a str {
        self.language.of(ru, en)
    }

    /// Whether this person may.
    pub(super) fn may(&self, role: Role) -> bool {
        self.person.role >= role
    }

    /// The hidden field that every form has.
    pub(super) fn csrf(&self) -> Markup {
        html! { input type="hidden" name="csrf" value=(self.person.csrf.as_deref().unwrap_or("")); }
    }

    /// A page of this title.
    pub(super) fn page(&self, here: &str, title: &str, body: &Markup) -> Markup {
        let links = [
            ("/", "Обзор", "Overview"),
            ("/orders", "Заказы", "Orders"),
            ("/groups", "Причины", "Causes"),
            ("/letters", "Остановки", "Dead letters"),
            ("/replays", "Повторы", "Replays"),
            ("/settings", "Настройки", "Settings"),
        ];
        let frame = html! {
            header.top {
                a.brand href="/" { img src="/static/icon.svg" alt="" width="28" height="28"; span { (self.t("Паром", "Parom")) } }
                nav aria-label=(self.t("Разделы", "Sections")) {
                    @for (address, ru, en) in links {
                        a href=(address) aria-current=[(address == here).then_some("page")] { (self.t(ru, en)) }
                    }
                    @if self.admin.egais.is_some() {
                        a href="/stock" aria-current=[(here == "/stock").then_some("page")] { (self.t("ЕГАИС", "EGAIS")) }
                    }
                    @if self.may(Role::Operator) && self.admin.loyalty.is_some() {
                        a href="/points" aria-current=[(here == "/points").then_some("page")] { (self.t("Баллы", "Points")) }
                    }
                    @if self.may(Role::Admin) {
                        a href="/access" aria-current=[(here == "/access").then_some("page")] { (self.t("Доступ", "Access")) }
                        a href="/audit" aria-current=[(here == "/audit").then_some("page")] { (self.t("Журнал", "Audit log")) }
                    }
                }
                form.search action="/orders" method="get" role="search" {
                    label.away for="q" { (self.t("Найти заказ", "Find an order")) }
                    input #q type="search" name="q" placeholder=(self.t("№ заказа…", "Order no.…"));
                }
                div.who {
                    a href=(format!("/language?to={}", self.t("en", "ru"))) { (self.t("English", "Русский")) }
                    form action="/logout" method="post" {
                        (self.csrf())
                        button.plain type="submit" title=(self.person.who) { (self.t("Выйти", "Sign out")) }
                    }
                }
            }
            main #main { (body) }
        };
        document(self.language, title, &frame)
    }
}

/// A page without anybody signed in.
pub(super) fn bare(language: Language, title: &str, body: &Markup) -> Markup {
    document(language, title, &html! { main.bare #main { (body) } })
}

fn document(language: Language, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(language.of("ru", "en")) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · " (language.of("Паром", "Parom")) }
                link rel="icon" href="/static/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/static/admin.css";
                script src="/static/live.js" defer {}
            }
            body {
                a.skip href="#main" { (language.of("К содержанию", "To the content")) }
                (body)
            }
        }
    }
}
