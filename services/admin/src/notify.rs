//! Tells people on duty what is new: grouped, each group at most once in a while, and what lasts
//! once for each time that it comes.

mod mail;
mod send;

use std::time::Duration;

use runtime::{Metrics, StartError, http::Client};
use secrecy::SecretString;
use time::{OffsetDateTime, macros::format_description};

use crate::{
    Admin,
    config::{Config, Language},
    store::{Condition, Notice},
    web::{MOSCOW, class_word, service_word},
};
use mail::Mail;

/// How many groups one message names.
const NAMED: usize = 10;

/// The ways to people.
pub(crate) struct Notifier {
    client: Client,
    webhook: Option<SecretString>,
    bitrix: Option<(SecretString, u64)>,
    telegram: Option<(SecretString, String, String)>,
    mail: Option<Mail>,
}

/// What people are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub title: String,
    pub text: String,
    pub url: String,
}

impl Notifier {
    /// The ways that the settings name.
    pub(crate) fn open(config: &Config, metrics: &Metrics) -> Result<Self, StartError> {
        let telegram = config.admin_notify_telegram.clone();
        let chat = config.admin_notify_telegram_chat.clone();
        Ok(Self {
            client: Client::new("notify", Duration::from_secs(10), metrics)?,
            webhook: config.admin_notify_webhook.clone(),
            bitrix: config.admin_notify_bitrix.clone().zip(config.admin_notify_bitrix_user),
            telegram: telegram
                .zip(chat)
                .map(|(token, chat)| (token, chat, config.admin_notify_telegram_url.clone())),
            mail: Mail::open(config)?,
        })
    }

    /// Whether there is any.
    pub(crate) fn has_ways(&self) -> bool {
        self.webhook.is_some()
            || self.bitrix.is_some()
            || self.telegram.is_some()
            || self.mail.is_some()
    }
}

/// Tells until the process is to stop.
pub(crate) async fn run(admin: &Admin) {
    if !admin.notifier.has_ways() {
        return;
    }
    while admin.kit.pause(admin.config.admin_notify_every).await {
        if let Err(error) = once(admin).await {
            tracing::warn!(%error, "nobody can be notified just now");
        }
    }
}

/// Tells what is new, if there is anything. What no way took is told the next time.
async fn once(admin: &Admin) -> sqlx::Result<()> {
    let config = &admin.config;
    admin.store.calm().await?;
    let news = admin.store.news(config.admin_notify_quiet, config.admin_notify_away).await?;
    let Some(news) = news else { return Ok(()) };
    let Some(message) = message(config, &news.groups, &news.conditions) else {
        return news.let_go().await;
    };
    if admin.notifier.tell(&message).await {
        return news.told().await;
    }
    tracing::error!(title = message.title, "no way took a notification: nobody is told");
    news.let_go().await
}

/// One message for everything that is new; `None` when nothing is.
fn message(config: &Config, notices: &[Notice], conditions: &[Condition]) -> Option<Message> {
    let language = config.admin_language;
    let t = |ru: &'static str, en: &'static str| language.of(ru, en);
    let open: i64 = notices.iter().map(|notice| notice.open).sum();
    let (title, page) = match (notices.is_empty(), conditions) {
        (true, []) => return None,
        (false, _) => {
            let title = t("Паром: стоит и ждёт вас", "Parom: stuck and waiting for you");
            (format!("{title}: {open}"), "/groups")
        }
        (true, [one]) => {
            (format!("{}: {}", t("Паром", "Parom"), condition_word(language, &one.kind)), "/")
        }
        (true, _) => (t("Паром: требуется внимание", "Parom: please look").to_owned(), "/"),
    };
    let mut lines: Vec<String> =
        notices.iter().take(NAMED).map(|notice| line(language, notice)).collect();
    if notices.len() > NAMED {
        let more = t("и ещё причин:", "and more causes:");
        lines.push(format!("… {more} {}", notices.len() - NAMED));
    }
    lines.extend(conditions.iter().take(NAMED).map(|held| condition(language, held)));
    if conditions.len() > NAMED {
        lines.push(format!("… {} {}", t("и ещё:", "and more:"), conditions.len() - NAMED));
    }
    let url = format!("{}{page}", config.admin_public_url.trim_end_matches('/'));
    Some(Message { title, text: lines.join("\n"), url })
}

fn line(language: Language, notice: &Notice) -> String {
    let worker = service_word(language, notice.worker.as_deref().unwrap_or("unrouted"));
    let class = class_word(language, &notice.class);
    let pattern = language.of(&notice.pattern_ru, &notice.pattern_en);
    format!("{worker} ({class}), {}: {pattern}", notice.open)
}

/// What lasts, in a sentence that says what to do.
pub(crate) fn condition(language: Language, held: &Condition) -> String {
    let Condition { subject, .. } = held;
    let service = service_word(language, &held.service);
    let (since, at) = (moment(held.since), moment(held.at.unwrap_or(held.since)));
    let (ru, en) = match held.kind.as_str() {
        "away" => (
            format!("{service}: внешний сервис недоступен с {since}. Заказы ждут и уйдут сами."),
            format!(
                "{service}: its register has been away since {since}. Orders wait and go out by themselves."
            ),
        ),
        "silent" => (
            format!("{service}: магазин {subject} молчит с {at}. Проверьте обмен 1С и связь."),
            format!(
                "{service}: the store {subject} has been silent since {at}. Check 1C's exchange and the line."
            ),
        ),
        "certificate" if held.at.is_some_and(|at| at < OffsetDateTime::now_utc()) => (
            format!(
                "{service}: сертификат подписи ({subject}) закончился {at}. Документы не подписываются: замените его."
            ),
            format!(
                "{service}: the certificate that signs ({subject}) ended on {at}. Nothing is signed: replace it."
            ),
        ),
        "certificate" => (
            format!(
                "{service}: сертификат подписи ({subject}) заканчивается {at}. Замените его до этого дня."
            ),
            format!(
                "{service}: the certificate that signs ({subject}) ends on {at}. Replace it before that day."
            ),
        ),
        other => (format!("{service}: {other} {subject}"), format!("{service}: {other} {subject}")),
    };
    language.of(&ru, &en).to_owned()
}

/// A condition in a word or two.
pub(crate) fn condition_word(language: Language, kind: &str) -> &str {
    let (ru, en) = match kind {
        "away" => ("сервис недоступен", "a register is away"),
        "silent" => ("магазин молчит", "a store is silent"),
        "certificate" => ("сертификат заканчивается", "a certificate ends"),
        other => (other, other),
    };
    language.of(ru, en)
}

/// Moscow time, as on the pages.
fn moment(at: OffsetDateTime) -> String {
    let shown =
        at.to_offset(MOSCOW).format(format_description!("[day].[month].[year] [hour]:[minute]"));
    shown.unwrap_or_default()
}
