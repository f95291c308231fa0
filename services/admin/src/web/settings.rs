//! Settings as they are. Secrets are told from the rest by their type and never reach this page.

use maud::{Markup, html};

use super::{Problem, layout::View};
use crate::config::Config;

/// The page.
pub(super) async fn page(view: View) -> Result<Markup, Problem> {
    let workers = view.admin.kit.desk().workers().await?;
    let body = html! {
        h1 { (view.t("Настройки", "Settings")) }
        section.card {
            h2 { "admin" }
            p.quiet { (view.t("Меняются переменными окружения или флагами при запуске.", "Changed by environment variables or flags at the start.")) }
            dl.pairs { @for (name, value) in shown(&view.admin.config) { dt { code { (name) } } dd { (value) } } }
        }
        section.card {
            h2 { (view.t("Очереди", "Queues")) }
            ul { @for worker in &workers { li { code { (view.admin.kit.desk().names().queue(worker)) } ": " (view.admin.waiting(worker)) } } }
        }
    };
    Ok(view.page("/settings", view.t("Настройки", "Settings"), &body))
}

fn shown(config: &Config) -> Vec<(&'static str, String)> {
    let time = |time| humantime::format_duration(time).to_string();
    let given = |text: Option<&String>| text.cloned().unwrap_or_else(|| "—".to_owned());
    let set = |set: bool| if set { "•••" } else { "—" }.to_owned();
    vec![
        ("ADMIN_PUBLIC_URL", config.admin_public_url.clone()),
        ("ADMIN_ADDRESS_HEADER", given(config.admin_address_header.as_ref())),
        ("ADMIN_SESSION_IDLE", time(config.admin_session_idle)),
        ("ADMIN_SESSION_LONGEST", time(config.admin_session_longest)),
        ("ADMIN_EDIT", config.admin_edit.to_string()),
        ("ADMIN_REPLAY_RATE", config.admin_replay_rate.to_string()),
        ("ADMIN_KEEP", time(config.admin_keep)),
        ("ADMIN_SERVICES", config.admin_services.join(", ")),
        ("ADMIN_SERVICES_EVERY", time(config.admin_services_every)),
        ("ADMIN_CALM", time(config.admin_calm)),
        ("ADMIN_REPLAY_WHEN_BACK", config.admin_replay_when_back.to_string()),
        ("ADMIN_MARKING_URL", given(config.admin_marking_url.as_ref())),
        ("ADMIN_LOYALTY_URL", given(config.admin_loyalty_url.as_ref())),
        ("ADMIN_LOYALTY_KEY", set(config.admin_loyalty_key.is_some())),
        ("ADMIN_PASSWORDS", config.admin_passwords.to_string()),
        ("ADMIN_OIDC_ISSUER", given(config.admin_oidc_issuer.as_ref())),
        ("ADMIN_OIDC_CLIENT", given(config.admin_oidc_client.as_ref())),
        ("ADMIN_OIDC_SECRET", set(config.admin_oidc_secret.is_some())),
        ("ADMIN_OIDC_SCOPE", config.admin_oidc_scope.clone()),
        ("ADMIN_OIDC_LOGIN", config.admin_oidc_login.clone()),
        ("ADMIN_OIDC_ROLES", config.admin_oidc_roles.clone()),
        ("ADMIN_OIDC_ADMINS", config.admin_oidc_admins.join(", ")),
        ("ADMIN_OIDC_OPERATORS", config.admin_oidc_operators.join(", ")),
        ("ADMIN_OIDC_VIEWERS", config.admin_oidc_viewers.join(", ")),
        ("ADMIN_NOTIFY_AWAY", time(config.admin_notify_away)),
        ("ADMIN_NOTIFY_SILENT", time(config.admin_notify_silent)),
        ("ADMIN_NOTIFY_CERTIFICATE", time(config.admin_notify_certificate)),
        ("ADMIN_NOTIFY_QUIET", time(config.admin_notify_quiet)),
        ("ADMIN_NOTIFY_EVERY", time(config.admin_notify_every)),
        ("ADMIN_NOTIFY_WEBHOOK", set(config.admin_notify_webhook.is_some())),
        ("ADMIN_NOTIFY_BITRIX", set(config.admin_notify_bitrix.is_some())),
        ("ADMIN_NOTIFY_TELEGRAM", set(config.admin_notify_telegram.is_some())),
        ("ADMIN_NOTIFY_MAIL", set(config.admin_notify_mail.is_some())),
        ("ADMIN_NOTIFY_MAIL_TO", config.admin_notify_mail_to.join(", ")),
    ]
}
