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
    /// How long timelines, and closed letters with their notes and replays, are kept: they name the
    /// buyer. The audit log stays.
    #[arg(long, env, default_value = "400d", value_parser = humantime::parse_duration)]
    pub admin_keep: Duration,
    /// Whether Parom replays by itself what stopped because a register was away, once the register
    /// is back: dead letters of the class `unavailable`, and never unknown ones.
    #[arg(long, env, default_value_t = false, action = clap::ArgAction::Set)]
    pub admin_replay_when_back: bool,
    /// Where the services' `/metrics` are, as `fiscal=http://fiscal:8080,status=http://status:8080`;
    /// a service with several replicas is named once for each. The overview then shows who waits
    /// for a register, and people are told of registers, stores and certificates.
    #[arg(long, env, value_delimiter = ',')]
    pub admin_services: Vec<String>,
    /// How often they are looked at.
    #[arg(long, env, default_value = "5s", value_parser = humantime::parse_duration)]
    pub admin_services_every: Duration,
    /// How long a register must be back, or a store be heard, until that counts.
    #[arg(long, env, default_value = "1m", value_parser = humantime::parse_duration)]
    pub admin_calm: Duration,
    /// How long a register may be away before people are told.
    #[arg(long, env, default_value = "5m", value_parser = humantime::parse_duration)]
    pub admin_notify_away: Duration,
    /// How long a store may be silent before people are told.
    #[arg(long, env, default_value = "12h", value_parser = humantime::parse_duration)]
    pub admin_notify_silent: Duration,
    /// How long before the end of a certificate people are told.
    #[arg(long, env, default_value = "30d", value_parser = humantime::parse_duration)]
    pub admin_notify_certificate: Duration,
    /// The storekeeper's page of `marking`, to be linked from the overview.
    #[arg(long, env)]
    pub admin_marking_url: Option<String>,
    /// Where `loyalty` listens, such as <http://loyalty:8080>: the page "Points" asks it.
    #[arg(long, env, requires = "admin_loyalty_key")]
    pub admin_loyalty_url: Option<String>,
    /// A key of `loyalty` with the role `site` or `manager`.
    #[arg(long, env, hide_env_values = true)]
    pub admin_loyalty_key: Option<SecretString>,
    /// Where `egais` listens, such as <http://egais:8080>: the page "EGAIS" asks it where stock differs.
    #[arg(long, env, requires = "admin_egais_key")]
    pub admin_egais_url: Option<String>,
    /// The `key` of `EGAIS_FILE`.
    #[arg(long, env, hide_env_values = true)]
    pub admin_egais_key: Option<SecretString>,
    /// Whether people sign in with passwords. Off, they come from the identity provider alone.
    #[arg(long, env, default_value_t = true, action = clap::ArgAction::Set)]
    pub admin_passwords: bool,
    /// An `OpenID` Connect provider's issuer, such as <https://sso.example/realms/shop>. It must
    /// send people back to `ADMIN_PUBLIC_URL/login/callback`.
    #[arg(long, env, requires_all = ["admin_oidc_client", "admin_oidc_admins"])]
    pub admin_oidc_issuer: Option<String>,
    /// The client id that the provider knows us by.
    #[arg(long, env)]
    pub admin_oidc_client: Option<String>,
    /// The client's secret; without it we are a public client and rely on PKCE alone.
    #[arg(long, env, hide_env_values = true)]
    pub admin_oidc_secret: Option<SecretString>,
    /// What is asked for beside `openid`.
    #[arg(long, env, default_value = "profile email")]
    pub admin_oidc_scope: String,
    /// The claim of the ID token that becomes the login.
    #[arg(long, env, default_value = "preferred_username")]
    pub admin_oidc_login: String,
    /// The claim of the ID token that holds groups or roles; dots lead into it, as in
    /// `realm_access.roles`.
    #[arg(long, env, default_value = "groups")]
    pub admin_oidc_roles: String,
    /// Whose members are admins.
    #[arg(long, env, value_delimiter = ',')]
    pub admin_oidc_admins: Vec<String>,
    /// Whose members are operators.
    #[arg(long, env, value_delimiter = ',')]
    pub admin_oidc_operators: Vec<String>,
    /// Whose members are viewers. Who is in none of the three does not get in.
    #[arg(long, env, value_delimiter = ',')]
    pub admin_oidc_viewers: Vec<String>,
    /// How long people are left alone about dead letters of a service, class and code that they were
    /// told of; of those whose effect nobody knows they are told at once.
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
