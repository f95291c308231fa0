//! The settings of `admin`.

use std::time::Duration;

use secrecy::SecretString;

/// The settings of `admin`.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// The address under which people reach this service, such as <https://parom.example>. With
    /// https the session's cookie is sent over https alone.
    #[arg(long, env, default_value = "http://127.0.0.1:8080")]
    pub admin_public_url: String,
    /// The language of pages until somebody chooses another.
    #[arg(long, env, value_enum, default_value = "ru")]
    pub admin_language: Language,
    /// Where the address of a caller stands behind a proxy, such as `x-forwarded-for` (its last
    /// entry counts). Without it the connection's own address counts.
    #[arg(long, env)]
    pub admin_address_header: Option<String>,
    /// How long an idle session holds.
    #[arg(long, env, default_value = "8h", value_parser = humantime::parse_duration)]
    pub admin_session_idle: Duration,
    /// How long any session holds.
    #[arg(long, env, default_value = "7d", value_parser = humantime::parse_duration)]
    pub admin_session_longest: Duration,
    /// Whether admins may edit what a replay sends.
    #[arg(long, env, default_value_t = false, action = clap::ArgAction::Set)]
    pub admin_edit: bool,
    /// How many letters a replay hands back in a second, unless it says otherwise.
    #[arg(long, env, default_value_t = 50, value_parser = clap::value_parser!(i32).range(1..=1000))]
    pub admin_replay_rate: i32,
    /// How long timelines and closed letters are kept: they name the buyer.
    #[arg(long, env, default_value = "400d", value_parser = humantime::parse_duration)]
    pub admin_keep: Duration,
    /// Where the services' `/metrics` are, as `fiscal=http://fiscal:8080,status=http://status:8080`:
    /// the overview then shows who waits for a register.
    #[arg(long, env, value_delimiter = ',')]
    pub admin_services: Vec<String>,
    /// How long people are left alone about a group of dead letters that they were told of.
    #[arg(long, env, default_value = "1h", value_parser = humantime::parse_duration)]
    pub admin_notify_quiet: Duration,
    /// How often it is looked whether there is something to tell.
    #[arg(long, env, default_value = "30s", value_parser = humantime::parse_duration)]
    pub admin_notify_every: Duration,
    /// An address that gets each notification as JSON: `{"title", "text", "url"}`.
    #[arg(long, env, hide_env_values = true)]
    pub admin_notify_webhook: Option<SecretString>,
    /// A Bitrix24 incoming webhook with the right `im`, as <https://portal/rest/1/secret/>.
    #[arg(long, env, hide_env_values = true, requires = "admin_notify_bitrix_user")]
    pub admin_notify_bitrix: Option<SecretString>,
    /// The portal's user who gets the notifications.
    #[arg(long, env)]
    pub admin_notify_bitrix_user: Option<u64>,
    /// The token of a Telegram bot.
    #[arg(long, env, hide_env_values = true, requires = "admin_notify_telegram_chat")]
    pub admin_notify_telegram: Option<SecretString>,
    /// The chat that the bot writes to.
    #[arg(long, env)]
    pub admin_notify_telegram_chat: Option<String>,
    /// Telegram's Bot API.
    #[arg(long, env, default_value = "https://api.telegram.org")]
    pub admin_notify_telegram_url: String,
    /// A mail server, as <smtps://user:password@host:465> or
    /// <smtp://user:password@host:587?tls=required>.
    #[arg(long, env, hide_env_values = true, requires_all = ["admin_notify_mail_from", "admin_notify_mail_to"])]
    pub admin_notify_mail: Option<SecretString>,
    /// The sender of mails.
    #[arg(long, env)]
    pub admin_notify_mail_from: Option<String>,
    /// Who gets mails.
    #[arg(long, env, value_delimiter = ',')]
    pub admin_notify_mail_to: Vec<String>,
}

/// The language of pages and notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    /// Russian.
    Ru,
    /// English.
    En,
}

impl Language {
    /// The one of two texts that is in this language.
    #[must_use]
    pub fn of<'a>(self, ru: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Ru => ru,
            Self::En => en,
        }
    }
}
