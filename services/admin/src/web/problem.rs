//! What can go wrong with a request, as a page and as JSON.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use events::Text;
use maud::html;

use super::layout;
use crate::config::Language;

/// Why a request is not answered as its caller wished.
#[derive(Debug, Clone)]
pub(crate) enum Problem {
    /// Nobody is signed in.
    SignIn,
    /// The API token is not known, or revoked.
    Token,
    /// The caller's role does not reach so far.
    Role,
    /// Only somebody who has signed in may, not a token.
    InPerson,
    /// The identity provider does not vouch for the caller, or the way in is closed.
    Denied(Text),
    /// The request does not come from our own page.
    Forged,
    /// Too many failed attempts to sign in.
    TooMany,
    /// There is no such thing.
    NotFound,
    /// What was given cannot be.
    Wrong(Text),
    /// It is no longer as the caller believed.
    Conflict(Text),
    /// PostgreSQL or the broker is away.
    Away,
}

impl Problem {
    pub(crate) fn wrong(ru: &str, en: &str) -> Self {
        Self::Wrong(Text::new(ru, en))
    }

    pub(crate) fn conflict(ru: &str, en: &str) -> Self {
        Self::Conflict(Text::new(ru, en))
    }

    pub(crate) fn denied(ru: &str, en: &str) -> Self {
        Self::Denied(Text::new(ru, en))
    }

    /// The problem behind an answer that no page of ours made: an address or a form that cannot be
    /// read.
    pub(super) fn unsaid(status: StatusCode) -> Option<Self> {
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Some(Self::wrong("Слишком большой запрос.", "The request is too large."))
            }
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_FOUND => Some(Self::NotFound),
            status if status.is_client_error() => Some(Self::wrong(
                "Адрес или форма не читается. Вернитесь назад и попробуйте ещё раз.",
                "The address or the form cannot be read. Go back and try again.",
            )),
            _ => None,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::SignIn | Self::Token => StatusCode::UNAUTHORIZED,
            Self::Role | Self::InPerson | Self::Forged | Self::Denied(_) => StatusCode::FORBIDDEN,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Wrong(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Away => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn text(&self) -> Text {
        let (ru, en) = match self {
            Self::SignIn => ("Войдите, чтобы продолжить.", "Sign in to go on."),
            Self::Token => ("Ключ API неизвестен или отозван.", "The API token is not known."),
            Self::Role => (
                "Вашей роли это не разрешено. Попросите администратора.",
                "Your role does not allow this. Ask an admin.",
            ),
            Self::InPerson => (
                "Людей и ключи меняет только тот, кто вошёл сам: ключу API это не разрешено.",
                "Only somebody who has signed in manages people and tokens: an API token may not.",
            ),
            Self::Forged => (
                "Запрос пришёл не с этой страницы. Обновите страницу и повторите.",
                "The request does not come from this page. Reload it and try again.",
            ),
            Self::TooMany => (
                "Слишком много неудачных попыток войти. Подождите 15 минут.",
                "Too many failed attempts to sign in. Wait for 15 minutes.",
            ),
            Self::NotFound => ("Такой страницы нет.", "There is no such page."),
            Self::Away => (
                "База данных или брокер недоступны. Попробуйте ещё раз через минуту.",
                "The database or the broker is away. Try again in a minute.",
            ),
            Self::Wrong(text) | Self::Conflict(text) | Self::Denied(text) => return text.clone(),
        };
        Text::new(ru, en)
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        tracing::warn!(%error, "a page waits for PostgreSQL");
        Self::Away
    }
}

impl IntoResponse for Problem {
    /// Bare; `dress` makes a page or JSON of it, which only it knows.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The problem for the caller of `path`.
pub(super) fn render(problem: &Problem, path: &str, language: Language) -> Response {
    let text = problem.text();
    if path.starts_with("/api/") {
        let body = serde_json::json!({ "error": text.en, "error_ru": text.ru });
        return (problem.status(), Json(body)).into_response();
    }
    if matches!(problem, Problem::SignIn) {
        let next: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
        return Redirect::to(&format!("/login?next={next}")).into_response();
    }
    let body = html! {
        section.card.problem {
            h1 { (problem.status().as_u16()) }
            p { (language.of(&text.ru, &text.en)) }
            p { a href="/" { (language.of("На главную", "To the overview")) } }
        }
    };
    let page = layout::bare(language, language.of("Не получилось", "That did not work"), &body);
    (problem.status(), page).into_response()
}
