//! Signing in and out, and the language.

use std::sync::Arc;

use axum::extract::FromRequest;
use axum::{
    Form,
    extract::{FromRequestParts, Query, Request, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{Problem, layout};
use crate::{
    Admin,
    config::Language,
    people::{self, Fresh, Person, digest},
};

/// After so many wrong passwords in a quarter of an hour a login is closed for the rest of it …
const PER_LOGIN: i64 = 20;
/// … and so is an address.
const PER_ADDRESS: i64 = 10;

/// Where to go afterwards.
#[derive(Deserialize)]
pub(super) struct Afterwards {
    #[serde(default)]
    next: Option<String>,
    #[serde(default)]
    wrong: Option<String>,
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Given {
    login: String,
    password: SecretString,
    #[serde(default)]
    next: Option<String>,
}

/// The form.
pub(super) async fn page(
    State(admin): State<Arc<Admin>>,
    Query(after): Query<Afterwards>,
    headers: HeaderMap,
) -> Markup {
    let language = layout::language(&admin, &headers);
    let t = |ru, en| language.of(ru, en);
    let body = html! {
        form.card.sign-in method="post" action="/login" {
            h1 { img src="/static/icon.svg" alt="" width="40" height="40"; (t("Паром", "Parom")) }
            @if admin.oidc.is_some() {
                a.button href=(format!("/login/oidc?next={}", encoded(after.next.as_deref()))) { (t("Войти через учётную запись компании", "Sign in with your company's account")) }
            }
            @if admin.config.admin_passwords {
            @if after.wrong.is_some() {
                p.bad role="alert" { (t("Логин или пароль не подходят.", "Login or password do not fit.")) }
            }
            label for="login" { (t("Логин", "Login")) }
            input #login name="login" required autofocus autocomplete="username" autocapitalize="none" spellcheck="false";
            label for="password" { (t("Пароль", "Password")) }
            input #password type="password" name="password" required autocomplete="current-password";
            input type="hidden" name="next" value=(inside(after.next.as_deref()));
            button type="submit" { (t("Войти", "Sign in")) }
            }
            p.quiet { a href=(format!("/language?to={}", t("en", "ru"))) { (t("English", "Русский")) } }
        }
    };
    layout::bare(language, t("Вход", "Sign in"), &body)
}

/// Signs in, if the password fits and there were not too many wrong ones.
pub(super) async fn sign_in(
    State(admin): State<Arc<Admin>>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let address = people::address(&admin, &parts);
    if !admin.config.admin_passwords {
        tracing::warn!(address, "a password is not a way in");
        return Err(Problem::denied(
            "Вход по паролю выключен. Войдите через учётную запись компании.",
            "Passwords are off. Sign in with your company's account.",
        ));
    }
    let form = Form::<Given>::from_request(Request::from_parts(parts, body), &()).await;
    let Form(given) = form.map_err(|_| Problem::wrong("Заполните форму.", "Fill in the form."))?;
    let login = given.login.trim().to_lowercase().replace('\0', "");
    let login: String = login.chars().take(64).collect();
    let (at, (by_login, by_address)) = admin.store.begin_attempt(&login, &address).await?;
    if by_login > PER_LOGIN || by_address > PER_ADDRESS {
        admin.store.forget_attempt(&login, &address, at).await?;
        tracing::warn!(address, "too many wrong passwords");
        return Err(Problem::TooMany);
    }
    let known = admin.store.password_hash(&login).await?;
    let is_known = known.is_some();
    let password = given.password.expose_secret().to_owned();
    let fits = people::verify(password, known.unwrap_or_else(people::dummy)).await;
    if !(fits && is_known) {
        return wrong(&admin, &login, is_known, &address, given.next.as_deref()).await;
    }
    admin.store.forget_attempt(&login, &address, at).await?;
    begin_session(&admin, &login, &address, inside(given.next.as_deref())).await
}

/// Notes a wrong password, and shows the form again.
async fn wrong(
    admin: &Admin,
    login: &str,
    is_known: bool,
    address: &str,
    next: Option<&str>,
) -> Result<Response, Problem> {
    tracing::warn!(address, "a wrong password");
    if is_known {
        admin.store.audit(login, "sign in", address, "wrong password", "refused").await?;
    } else {
        // What was typed there may be a password.
        admin.store.audit_stranger("sign in", address, "wrong password").await?;
    }
    let to = format!("/login?wrong=1&next={}", encoded(next));
    Ok(Redirect::to(&to).into_response())
}

/// Lets somebody in: a session, a line in the log, and on to where he wanted to go.
pub(super) async fn begin_session(
    admin: &Admin,
    login: &str,
    address: &str,
    next: &str,
) -> Result<Response, Problem> {
    let (session, csrf) = (Fresh::new(""), Fresh::new(""));
    admin.store.begin_session(&session.hash, login, &csrf.text).await?;
    admin.store.audit(login, "sign in", address, "", "done").await?;
    let longest = admin.config.admin_session_longest.as_secs();
    let cookie = set_cookie(admin, people::cookie_name(admin), &session.text, longest, true);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(next)).into_response())
}

/// Whether this address has failed too often in the last quarter of an hour.
pub(super) async fn is_closed(admin: &Admin, address: &str) -> Result<bool, Problem> {
    Ok(admin.store.failed_attempts("", address).await?.1 >= PER_ADDRESS)
}

fn encoded(next: Option<&str>) -> String {
    url::form_urlencoded::byte_serialize(inside(next).as_bytes()).collect()
}

/// The token of a form without anything else.
#[derive(Deserialize)]
pub(super) struct Signed {
    #[serde(default)]
    csrf: String,
}

/// Ends the session.
pub(super) async fn sign_out(
    State(admin): State<Arc<Admin>>,
    request: Request,
) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let person = Person::from_request_parts(&mut parts, &admin).await?;
    let name = people::cookie_name(&admin);
    let session = people::cookie(&parts.headers, name).map(digest);
    let form = Form::<Signed>::from_request(Request::from_parts(parts, body), &()).await;
    let csrf = form.map_or_else(|_| String::new(), |Form(form)| form.csrf);
    person.may_change(&admin, people::Role::Viewer, "sign out", "", Some(&csrf)).await?;
    if let Some(session) = session {
        admin.store.end_session(&session).await?;
    }
    let gone = set_cookie(&admin, name, "", 0, true);
    Ok(([(header::SET_COOKIE, gone)], Redirect::to("/login")).into_response())
}

/// Which language.
#[derive(Deserialize)]
pub(super) struct Chosen {
    to: String,
}

/// Remembers a language and goes back to where the caller was.
pub(super) async fn language(
    State(admin): State<Arc<Admin>>,
    Query(chosen): Query<Chosen>,
    headers: HeaderMap,
) -> Response {
    let language = if chosen.to == "en" { Language::En } else { Language::Ru };
    let year = 365 * 24 * 3600;
    let cookie = set_cookie(&admin, "parom_language", language.of("ru", "en"), year, false);
    let referer = headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    let back = referer.and_then(|address| url::Url::parse(address).ok());
    let back = back.map(|url| url[url::Position::BeforePath..].to_owned());
    ([(header::SET_COOKIE, cookie)], Redirect::to(inside(back.as_deref()))).into_response()
}

/// A place on this site; anything else would send people who sign in elsewhere.
pub(super) fn inside(next: Option<&str>) -> &str {
    let fits = |next: &&str| {
        next.starts_with('/')
            && !next.starts_with("//")
            && !next.contains('\\')
            && !next.chars().any(char::is_control)
            && !next.starts_with("/login")
    };
    next.filter(fits).unwrap_or("/")
}

pub(super) fn set_cookie(
    admin: &Admin,
    name: &str,
    value: &str,
    seconds: u64,
    secret: bool,
) -> String {
    let only = if secret { "; HttpOnly" } else { "" };
    let secure = if people::is_https(admin) { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={seconds}; SameSite=Lax{only}{secure}")
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for (next, expected) in [
            ("/letters?state=open", "/letters?state=open"),
            ("//evil.example", "/"),
            ("https://evil.example", "/"),
            ("/\\evil.example", "/"),
            ("/x\r\nSet-Cookie: a=b", "/"),
            ("/login?next=/", "/"),
            ("", "/"),
        ] {
            assert_eq!(inside(Some(next)), expected, "{next}");
        }
        assert_eq!(inside(None), "/");
    }
}
