//! Settings as they are. Secrets are told from the rest by their type and never reach this page.

use std::time::Duration;

use maud::{Markup, html};

use super::{Problem, layout::View, show::span};
use crate::config::Config;

/// The page.
pub(super) async fn page(view: View) -> Result<Markup, Problem> {
    let workers = view.admin.kit.desk().workers().await?;
    let body = html! {
        h1 { (view.t("Настройки", "Settings")) }
        section.card {
            h2 { "admin" }
            p.quiet { (view.t("Меняются переменными окружения или флагами при запуске.", "Changed by environment variables or flags at the start.")) }
            dl.pairs { @for (name, value) in shown(&view.admin.config) {
                dt { code { (name) } }
                dd { @match value {
                    Shown::Text(text) => (text),
                    Shown::Flag(true) => (view.t("да", "yes")),
                    Shown::Flag(false) => (view.t("нет", "no")),
                    // The same as it can be written into a setting.
                    Shown::Time(time) => span title=(humantime::format_duration(time)) { (span(view.language, time)) },
                } }
            } }
        }
        section.card {
            h2 { (view.t("Очереди", "Queues")) }
            ul { @for worker in &workers { li { code { (view.admin.kit.desk().names().queue(worker)) } ": " (view.admin.waiting(worker)) } } }
        }
    };
    Ok(view.page("/settings", view.t("Настройки", "Settings"), &body))
}

/// A setting's value.
enum Shown {
    Text(String),
    Flag(bool),
    Time(Duration),
}

fn shown(config: &Config) -> Vec<(&'static str, Shown)> {
    let time = Shown::Time;
    let text = |text: &dyn std::fmt::Display| Shown::Text(text.to_string());
    let given = |given: Option<&String>| Shown::Text(given.map_or("—", String::as_str).to_owned());
    let list = |all: &[String]| {
        Shown::Text(if all.is_empty() { "—".to_owned() } else { all.join(", ") })
    };
    let set = |set: bool| Shown::Text(if set { "•••" } else { "—" }.to_owned());
    vec![
        ("ADMIN_PUBLIC_URL", text(&config.admin_public_url)),
        ("ADMIN_ADDRESS_HEADER", given(config.admin_address_header.as_ref())),
        ("ADMIN_SESSION_IDLE", time(config.admin_session_idle)),
        ("ADMIN_SESSION_LONGEST", time(config.admin_session_longest)),
        ("ADMIN_EDIT", Shown::Flag(config.admin_edit)),
        ("ADMIN_REPLAY_RATE", text(&config.admin_replay_rate)),
        ("ADMIN_KEEP", time(config.admin_keep)),
        ("ADMIN_SERVICES", list(&config.admin_services)),
        ("ADMIN_SERVICES_EVERY", time(config.admin_services_every)),
        ("ADMIN_CALM", time(config.admin_calm)),
        ("ADMIN_REPLAY_WHEN_BACK", Shown::Flag(config.admin_replay_when_back)),
        ("ADMIN_MARKING_URL", given(config.admin_marking_url.as_ref())),
        ("ADMIN_LOYALTY_URL", given(config.admin_loyalty_url.as_ref())),
        ("ADMIN_LOYALTY_KEY", set(config.admin_loyalty_key.is_some())),
        ("ADMIN_EGAIS_URL", given(config.admin_egais_url.as_ref())),
        ("ADMIN_EGAIS_KEY", set(config.admin_egais_key.is_some())),
        ("ADMIN_PASSWORDS", Shown::Flag(config.admin_passwords)),
        ("ADMIN_OIDC_ISSUER", given(config.admin_oidc_issuer.as_ref())),
        ("ADMIN_OIDC_CLIENT", given(config.admin_oidc_client.as_ref())),
        ("ADMIN_OIDC_SECRET", set(config.admin_oidc_secret.is_some())),
        ("ADMIN_OIDC_SCOPE", text(&config.admin_oidc_scope)),
        ("ADMIN_OIDC_LOGIN", text(&config.admin_oidc_login)),
        ("ADMIN_OIDC_ROLES", text(&config.admin_oidc_roles)),
        ("ADMIN_OIDC_ADMINS", list(&config.admin_oidc_admins)),
        ("ADMIN_OIDC_OPERATORS", list(&config.admin_oidc_operators)),
        ("ADMIN_OIDC_VIEWERS", list(&config.admin_oidc_viewers)),
        ("ADMIN_NOTIFY_AWAY", time(config.admin_notify_away)),
        ("ADMIN_NOTIFY_SILENT", time(config.admin_notify_silent)),
        ("ADMIN_NOTIFY_CERTIFICATE", time(config.admin_notify_certificate)),
        ("ADMIN_NOTIFY_QUIET", time(config.admin_notify_quiet)),
        ("ADMIN_NOTIFY_EVERY", time(config.admin_notify_every)),
        ("ADMIN_NOTIFY_WEBHOOK", set(config.admin_notify_webhook.is_some())),
        ("ADMIN_NOTIFY_BITRIX", set(config.admin_notify_bitrix.is_some())),
        ("ADMIN_NOTIFY_TELEGRAM", set(config.admin_notify_telegram.is_some())),
        ("ADMIN_NOTIFY_MAIL", set(config.admin_notify_mail.is_some())),
        ("ADMIN_NOTIFY_MAIL_TO", list(&config.admin_notify_mail_to)),
    ]
}
