//! Users, tokens, and who did what: for admins.

use axum::response::{IntoResponse, Redirect, Response};
use axum::{Form, extract::Path};
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;

use super::{Problem, layout::View, show::time};
use crate::people::{Fresh, Role};

/// Users and tokens.
pub(super) async fn page(view: View) -> Result<Markup, Problem> {
    view.person.may(&view.admin, Role::Admin, "see access", "").await?;
    shown(&view, None).await
}

async fn shown(view: &View, fresh: Option<&str>) -> Result<Markup, Problem> {
    let (users, tokens) = (view.admin.store.users().await?, view.admin.store.tokens().await?);
    let body = html! {
        h1 { (view.t("Доступ", "Access")) }
        @if let Some(fresh) = fresh {
            section.card.alert role="alert" {
                p { (view.t("Новый ключ. Больше он не будет показан:", "The new token. It is not shown again:")) }
                pre { (fresh) }
            }
        }
        section.card {
            h2 { (view.t("Люди", "People")) }
            ul { @for user in &users { li { strong { (user.login) } " — " (user.role) ", " (time(user.created_at))
                @if user.disabled_at.is_some() { " " span.badge.bad { (view.t("закрыт", "disabled")) } } } } }
            p.quiet { (view.t("Добавить, сменить роль или пароль, закрыть: ", "Add, change role or password, disable: ")) code { "paromctl user put|disable" } }
        }
        section.card {
            h2 { (view.t("Ключи API", "API tokens")) }
            ul { @for token in &tokens { li {
                strong { (token.name) } " — " (token.role) ", " (token.made_by) ", " (time(token.created_at)) " "
                @if let Some(used) = token.used_at { (view.t("использован ", "used ")) (time(used)) " " }
                @if token.revoked_at.is_some() { span.badge.bad { (view.t("отозван", "revoked")) } }
                @else { form.inline method="post" action={"/access/tokens/" (token.id) "/revoke"} { (view.csrf()) button type="submit" { (view.t("Отозвать", "Revoke")) } } }
            } } }
            form method="post" action="/access/tokens" {
                (view.csrf())
                label { (view.t("Для чего", "What for")) input name="name" required maxlength="60"; }
                label { (view.t("Роль", "Role")) select name="role" { @for role in [Role::Viewer, Role::Operator, Role::Admin] { option { (role.name()) } } } }
                button type="submit" { (view.t("Создать ключ", "Make a token")) }
            }
        }
    };
    Ok(view.page("/access", view.t("Доступ", "Access"), &body))
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
    person.may_change(admin, Role::Admin, "make token", &name, Some(&wish.csrf)).await?;
    let role = Role::named(&wish.role).filter(|_| !name.is_empty());
    let role =
        role.ok_or_else(|| Problem::wrong("Нужны имя и роль.", "Give a name and a role."))?;
    let fresh = Fresh::new("parom_");
    admin.store.make_token(&fresh.hash, &name, role.name(), &person.who).await?;
    admin.store.audit(&person.who, "make token", &name, role.name(), "done").await?;
    shown(&view, Some(&fresh.text)).await
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
    person.may_change(admin, Role::Admin, "revoke token", &subject, Some(&signed.csrf)).await?;
    if admin.store.revoke_token(id).await? {
        admin.store.audit(&person.who, "revoke token", &subject, "", "done").await?;
    }
    Ok(Redirect::to("/access").into_response())
}

/// The audit log.
pub(super) async fn audit(view: View) -> Result<Markup, Problem> {
    view.person.may(&view.admin, Role::Admin, "see audit log", "").await?;
    let log = view.admin.store.audit_log(None).await?;
    let body = html! {
        h1 { (view.t("Журнал действий", "Audit log")) }
        div.scroll { table.card {
            thead { tr { th { (view.t("Когда", "When")) } th { (view.t("Кто", "Who")) } th { (view.t("Что", "What")) } th { (view.t("Над чем", "On what")) } th { (view.t("Почему", "Why")) } th { (view.t("Итог", "Outcome")) } } }
            tbody { @for line in &log { tr {
                td { (time(line.at)) } td { (line.who) } td { (line.action) } td { code { (line.subject) } } td { (line.why) }
                td { @if line.outcome == "refused" { span.badge.bad { (view.t("отказано", "refused")) } } @else { (view.t("сделано", "done")) } }
            } } }
        } }
    };
    Ok(view.page("/audit", view.t("Журнал", "Audit log"), &body))
}
