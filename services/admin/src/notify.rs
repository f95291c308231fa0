//! Tells people on duty what is new: grouped, each group at most once in a while.

mod mail;
mod send;

use std::{collections::BTreeMap, time::Duration};

use runtime::{Metrics, StartError, http::Client};
use secrecy::SecretString;
use time::OffsetDateTime;

use crate::{
    Admin,
    config::{Config, Language},
    store::Notice,
    web::class_word,
};
use mail::Mail;

/// How long a register may be away before people are told.
const AWAY: Duration = Duration::from_secs(5 * 60);
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
    let mut away = Away::default();
    while admin.kit.pause(admin.config.admin_notify_every).await {
        let notices = match admin.store.notices(admin.config.admin_notify_quiet).await {
            Ok(notices) => notices,
            Err(error) => {
                tracing::warn!(%error, "nobody can be notified just now");
                continue;
            }
        };
        let long_away = away.look(admin.scraper.waiting(), OffsetDateTime::now_utc());
        let Some(message) = message(&admin.config, &notices, &long_away) else { continue };
        if !admin.notifier.tell(&message).await {
            let groups: Vec<_> = notices.iter().map(|notice| notice.group).collect();
            if let Err(error) = admin.store.unnotice(&groups).await {
                tracing::warn!(%error, "a notification may be lost");
            }
            away.untell(&long_away);
        }
    }
}

/// Since when registers are away, and whether people know.
#[derive(Debug, Default)]
struct Away(BTreeMap<String, (OffsetDateTime, bool)>);

impl Away {
    /// The services whose register has just been away for too long.
    fn look(&mut self, waiting: Vec<String>, now: OffsetDateTime) -> Vec<String> {
        self.0.retain(|service, _| waiting.contains(service));
        let mut news = Vec::new();
        for service in waiting {
            let (since, told) = self.0.entry(service.clone()).or_insert((now, false));
            if !*told && now - *since >= AWAY {
                *told = true;
                news.push(service);
            }
        }
        news
    }

    fn untell(&mut self, services: &[String]) {
        for service in services {
            if let Some((_, told)) = self.0.get_mut(service) {
                *told = false;
            }
        }
    }
}

/// One message for everything that is new; `None` when nothing is.
fn message(config: &Config, notices: &[Notice], away: &[String]) -> Option<Message> {
    let language = config.admin_language;
    let t = |ru: &'static str, en: &'static str| language.of(ru, en);
    let open: i64 = notices.iter().map(|notice| notice.open).sum();
    let title = match (notices.is_empty(), away.is_empty()) {
        (true, true) => return None,
        (false, _) => {
            format!("{}: {open}", t("Паром: стоит и ждёт вас", "Parom: stuck and waiting for you"))
        }
        (true, false) => t("Паром: сервис недоступен", "Parom: a register is away").to_owned(),
    };
    let mut lines: Vec<String> =
        notices.iter().take(NAMED).map(|notice| line(language, notice)).collect();
    if notices.len() > NAMED {
        lines.push(format!(
            "… {} {}",
            t("и ещё причин:", "and more causes:"),
            notices.len() - NAMED
        ));
    }
    for service in away {
        lines.push(format!(
            "{service}: {}",
            t(
                "внешний сервис недоступен дольше пяти минут; заказы ждут и уйдут сами.",
                "its register has been away for more than five minutes; orders wait and go out by themselves."
            )
        ));
    }
    let url = format!("{}/groups", config.admin_public_url.trim_end_matches('/'));
    Some(Message { title, text: lines.join("\n"), url })
}

fn line(language: Language, notice: &Notice) -> String {
    let worker = notice.worker.as_deref().unwrap_or("—");
    let class = class_word(language, &notice.class);
    let pattern = language.of(&notice.pattern_ru, &notice.pattern_en);
    format!("{worker} ({class}), {}: {pattern}", notice.open)
}

#[cfg(test)]
mod tests {
    use super::Away;
    use time::{Duration, OffsetDateTime};

    #[test]
    fn an_absence_is_told_once_and_again_after_a_return() {
        let mut away = Away::default();
        let at = |minutes| OffsetDateTime::UNIX_EPOCH + Duration::minutes(minutes);
        let fiscal = || vec!["fiscal".to_owned()];
        assert!(away.look(fiscal(), at(0)).is_empty());
        assert!(away.look(fiscal(), at(4)).is_empty());
        assert_eq!(away.look(fiscal(), at(5)), fiscal());
        assert!(away.look(fiscal(), at(60)).is_empty());
        assert!(away.look(vec![], at(61)).is_empty());
        assert!(away.look(fiscal(), at(62)).is_empty());
        assert_eq!(away.look(fiscal(), at(67)), fiscal());
        away.untell(&fiscal());
        assert_eq!(away.look(fiscal(), at(68)), fiscal(), "told again when telling failed");
    }
}
