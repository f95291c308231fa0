//! Users, tokens, and who did what: for admins.

use axum::response::{IntoResponse, Redirect, Response};
use axum::{
    Form,
    extract::{Path, Query},
};
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;

use super::{Problem, layout::View, show::time, words};
use crate::{
    people::{self, Fresh, Role},
    store::{AuditRow, Changed, UserRow},
};

const ROLES: [Role; 3] = [Role::Viewer, Role::Operator, Role::Admin];

/// Users and tokens.
pub(super) async fn page(view: View) -> Result<Markup, Problem> {
    view.person.may_manage(&view.admin, "see access", "", None).await?;
    shown(&view, None).await
}

/// What was made up just now and is not shown again.
enum Made<'a> {
    Token(&'a str),
    Password { login: &'a str, password: &'a str },
}

async fn shown(view: &View, made: Option<Made<'_>>) -> Result<Markup, Problem> {
    let (users, tokens) = (view.admin.store.users().await?, view.admin.store.tokens().await?);
    let body = html! {
        h1 { (view.t("Доступ", "Access")) }
        @if let Some(made) = made {
            section.card.alert role="alert" { @match made {
                Made::Token(token) => {
                    p { (view.t("Новый ключ. Больше он не будет показан:", "The new token. It is not shown again:")) }
                    pre { (token) }
                }
                Made::Password { login, password } => {
                    p { (view.t("Пароль. Больше он не будет показан: ", "The password. It is not shown again: ")) strong { (login) } }
                    pre { (password) }
                }
            } }
        }
        section.card {
            h2 { (view.t("Люди", "People")) }
            div.scroll { table.stack {
                thead { tr {
                    th { (view.t("Логин", "Login")) } th { (view.t("Роль", "Role")) } th { (view.t("Вход", "Signs in with")) }
                    th { (view.t("С", "Since")) } th { (view.t("Что сделать", "What to do")) }
                } }
                tbody { @for user in &users { (row(view, user)) } }
            } }
        }
        section.card {
            h2 { (view.t("Новый человек", "A new person")) }
            form.filters method="post" action="/access/users" {
                (view.csrf())
                label { (view.t("Логин (a-z, 0-9, . _ @ -)", "Login (a-z, 0-9, . _ @ -)")) input name="login" required maxlength="64" autocapitalize="none" spellcheck="false"; }
                label { (view.t("Роль", "Role")) (roles(view, "viewer")) }
                button type="submit" { (view.t("Добавить", "Add")) }
            }
            p.quiet { (view.t("Пароль придумает Паром и покажет один раз.", "Parom makes the password up and shows it once.")) }
        }
        section.card {
            h2 { (view.t("Ключи API", "API tokens")) }
            ul { @for token in &tokens { li {
                strong { (token.name) } " — " (Role::named(&token.role).map_or(token.role.as_str(), |role| words::role(view.language, role))) ", " (token.made_by) ", " (time(token.created_at)) " "
                @if let Some(used) = token.used_at { (view.t("использован ", "used ")) (time(used)) " " }
                @if token.revoked_at.is_some() { span.badge.bad { (view.t("отозван", "revoked")) } }
                @else { form.inline method="post" action={"/access/tokens/" (token.id) "/revoke"} { (view.csrf()) button type="submit" { (view.t("Отозвать", "Revoke")) } } }
            } } }
            form.filters method="post" action="/access/tokens" {
                (view.csrf())
                label { (view.t("Для чего", "What for")) input name="name" required maxlength="60"; }
                label { (view.t("Роль", "Role")) (roles(view, "viewer")) }
                button type="submit" { (view.t("Создать ключ", "Make a token")) }
            }
        }
    };
    Ok(view.page("/access", view.t("Доступ", "Access"), &body))
}

fn roles(view: &View, chosen: &str) -> Markup {
    html! { select name="role" aria-label=(view.t("Роль", "Role")) {
        @for role in ROLES { option value=(role.name()) selected[role.name() == chosen] { (words::role(view.language, role)) } }
    } }
}

/// One user, and what can be done to him.
fn row(view: &View, user: &UserRow) -> Markup {
    let login = &user.login;
    let form = |what: &str, inner: Markup| {
        html! { form.inline method="post" action={"/access/users/" (what)} {
            (view.csrf()) input type="hidden" name="login" value=(login); (inner)
        } }
    };
    let button = |ru, en| html! { button type="submit" { (view.t(ru, en)) } };
    html! { tr {
        th scope="row" { (login) @if user.disabled_at.is_some() { " " span.badge.bad { (view.t("закрыт", "blocked")) } } }
        td { @match Role::named(&user.role) { Some(role) => (words::role(view.language, role)), None => (user.role) } }
        td { @if user.issuer.is_some() { (view.t("учётная запись компании", "company's account")) } @else { (view.t("пароль", "password")) } }
        td { (time(user.created_at)) }
        td { div.row {
            @if user.disabled_at.is_some() { (form("unblock", button("Открыть", "Unblock"))) }
            @else {
                // The provider says the role anew at each sign-in.
                @if user.issuer.is_none() {
                    (form("role", html! { (roles(view, &user.role)) " " (button("Сменить роль", "Change role")) }))
                    (form("password", button("Новый пароль", "New password")))
                }
                (form("block", html! { button.danger type="submit" { (view.t("Закрыть", "Block")) } }))
            }
        } }
    } }
}

/// What the forms about users send.
#[derive(Deserialize)]
pub(super) struct About {
    #[serde(default)]
    csrf: String,
    login: String,
    #[serde(default)]
    role: String,
}

/// The login as the table takes it.
fn login(given: &str) -> Result<String, Problem> {
    people::login(given).ok_or_else(|| {
        Problem::wrong(
            "Логин состоит из букв a-z, цифр и знаков . _ @ - и начинается с буквы или цифры.",
            "A login is made of a-z, 0-9 and . _ @ -, and begins with a letter or digit.",
        )
    })
}

fn role(given: &str) -> Result<Role, Problem> {
    Role::named(given).ok_or_else(|| Problem::wrong("Такой роли нет.", "There is no such role."))
}

/// A password of 32 random bytes, and its hash; hashing takes a while and a thread.
async fn password() -> Result<(String, String), Problem> {
    let password = Fresh::new("").text;
    let given = password.clone();
    let hash = tokio::task::spawn_blocking(move || people::hash(&given)).await;
    let hash = hash.ok().and_then(Result::ok).ok_or(Problem::Away)?;
    Ok((password, hash))
}

/// Makes a user and shows the password, once.
pub(super) async fn make_user(view: View, Form(about): Form<About>) -> Result<Markup, Problem> {
    let (admin, who) = (&view.admin, &view.person.who);
    may(&view, "make user", &about).await?;
    let (login, role) = (login(&about.login)?, role(&about.role)?);
    let (password, hash) = password().await?;
    if !admin.store.make_user(who, &login, role.name(), &hash).await? {
        return Err(Problem::conflict(
            "Такой логин уже есть.",
            "There is a user of this login already.",
        ));
    }
    shown(&view, Some(Made::Password { login: &login, password: &password })).await
}

/// Changes a role, blocks, unblocks, or gives a new password.
pub(super) async fn change_user(
    view: View,
    Path(what): Path<String>,
    Form(about): Form<About>,
) -> Result<Response, Problem> {
    let (store, who) = (&view.admin.store, &view.person.who);
    let action = match what.as_str() {
        "role" => "change role",
        "block" => "block user",
        "unblock" => "unblock user",
        "password" => "reset password",
        _ => return Err(Problem::NotFound),
    };
    may(&view, action, &about).await?;
    let login = login(&about.login)?;
    let changed = match what.as_str() {
        "role" => {
            let role = role(&about.role)?;
            store.change_role(who, &login, role.name(), &role.above()).await?
        }
        "block" => store.block_user(who, &login).await?,
        "unblock" => store.unblock_user(who, &login).await?,
        _ => {
            let (password, hash) = password().await?;
            let changed = store.reset_password(who, &login, &hash).await?;
            if changed == Changed::Done {
                // Also where it is one's own, whose session has ended with it.
                let made = Made::Password { login: &login, password: &password };
                return Ok(shown(&view, Some(made)).await?.into_response());
            }
            changed
        }
    };
    match changed {
        Changed::Done => Ok(Redirect::to("/access").into_response()),
        Changed::Nobody => Err(Problem::conflict(
            "С этим человеком так не получится: его нет, он закрыт или входит иначе.",
            "That cannot be done to this person: there is none, he is blocked, or signs in another way.",
        )),
        Changed::LastAdmin => Err(Problem::conflict(
            "Это последний администратор: после него никто никого не впустит.",
            "This is the last admin: nobody could let anybody in afterwards.",
        )),
    }
}

async fn may(view: &View, action: &str, about: &About) -> Result<(), Problem> {
    let subject: String = about.login.chars().take(64).collect::<String>().replace('\0', "");
    view.person.may_manage(&view.admin, action, &subject, Some(&about.csrf)).await
}

/// A wish for a token.
#[derive(Deserialize)]
pub(super) struct Wish {
    #[serde(default)]
    csrf: String,
    name: String,
    role: String,
}

/// Makes a token and shows it, once.
pub(super) async fn make_token(view: View, Form(wish): Form<Wish>) -> Result<Markup, Problem> {
    let (admin, person) = (&view.admin, &view.person);
    let name: String = wish.name.trim().replace('\0', "").chars().take(60).collect();
    person.may_manage(admin, "make token", &name, Some(&wish.csrf)).await?;
    let role = Role::named(&wish.role).filter(|_| !name.is_empty());
    let role =
        role.ok_or_else(|| Problem::wrong("Нужны имя и роль.", "Give a name and a role."))?;
    let fresh = Fresh::new("parom_");
    admin.store.make_token(&fresh.hash, &name, role.name(), &person.who).await?;
    shown(&view, Some(Made::Token(&fresh.text))).await
}

/// The token of a form without anything else.
#[derive(Deserialize)]
pub(super) struct Signed {
    #[serde(default)]
    csrf: String,
}

/// Revokes a token.
pub(super) async fn revoke_token(
    view: View,
    Path(id): Path<Uuid>,
    Form(signed): Form<Signed>,
) -> Result<Response, Problem> {
    let (admin, person, subject) = (&view.admin, &view.person, id.to_string());
    person.may_manage(admin, "revoke token", &subject, Some(&signed.csrf)).await?;
    admin.store.revoke_token(&person.who, id).await?;
    Ok(Redirect::to("/access").into_response())
}

/// Lines of one page of the audit log.
const AUDIT_PAGE: usize = 200;

/// Which page of the audit log: lines older than this one.
#[derive(Deserialize)]
pub(super) struct Older {
    #[serde(default)]
    before: Option<i64>,
}

/// What was done to: a letter and a replay have pages.
fn subject(view: &View, line: &AuditRow) -> Markup {
    let page = match line.action.as_str() {
        "discard" | "restore" | "settle" | "note" | "edit" | "undo edit" => "letters",
        "replay" | "replay with unknown" | "pause" | "resume" | "cancel" => "replays",
        _ => "",
    };
    let short: String = line.subject.chars().take(8).collect();
    match line.subject.parse::<Uuid>() {
        Ok(id) if !page.is_empty() => {
            html! { a href={"/" (page) "/" (id)} { code { (short) "…" } } }
        }
        _ => html! { code { (words::subject(view.language, &line.subject)) } },
    }
}

/// The audit log.
pub(super) async fn audit(view: View, Query(asked): Query<Older>) -> Result<Markup, Problem> {
    view.person.may(&view.admin, Role::Admin, "see audit log", "").await?;
    let log = view.admin.store.audit_page(asked.before.unwrap_or(i64::MAX), AUDIT_PAGE).await?;
    let older = log.last().filter(|_| log.len() == AUDIT_PAGE).map(|line| line.id);
    let body = html! {
        h1 { (view.t("Журнал действий", "Audit log")) }
        div.scroll { table.card.stack {
            thead { tr { th { (view.t("Когда", "When")) } th { (view.t("Кто", "Who")) } th { (view.t("Что", "What")) } th { (view.t("Над чем", "On what")) } th { (view.t("Почему", "Why")) } th { (view.t("Итог", "Outcome")) } } }
            tbody { @for line in &log { tr {
                td { (time(line.at)) } td { (line.who) } td { (words::action(view.language, &line.action)) } td { (subject(&view, line)) } td { (words::why(view.language, &line.why)) }
                td { @match line.outcome.as_str() {
                    "refused" => span.badge.bad { (view.t("отказано", "refused")) },
                    "failed" => span.badge.bad { (view.t("не вышло", "failed")) },
                    _ => (view.t("сделано", "done")),
                } }
            } } }
        } }
        @if let Some(older) = older { nav.pages { a rel="next" href={"/audit?before=" (older)} { (view.t("старее", "older")) " →" } } }
    };
    Ok(view.page("/audit", view.t("Журнал", "Audit log"), &body))
}
