//! What the emulator is told at its start; most of it can be changed while it runs (`PUT /_settings`).

use std::net::{Ipv4Addr, SocketAddr};

use clap::{Args, Command, FromArgMatches, ValueEnum, builder::Resettable};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// All settings. [`Settings::default`] is the command line's default on a free port.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, env = "EMULATOR_LISTEN", default_value = "127.0.0.1:8090")]
    pub listen: SocketAddr,
    /// Seconds after which a hung request is released and its connection closed.
    #[arg(long, env = "EMULATOR_HANG_S", default_value_t = 120)]
    pub hang_s: u64,
    /// Seconds to wait for the answer to a webhook or a notification.
    #[arg(long, env = "EMULATOR_SEND_TIMEOUT_S", default_value_t = 30)]
    pub send_timeout_s: u64,
    /// The Bitrix24 portal.
    #[command(flatten)]
    pub bitrix: BitrixSettings,
    /// The 1C-Bitrix site with our module.
    #[command(flatten)]
    pub site: SiteSettings,
    /// The fiscal cloud.
    #[command(flatten)]
    pub cloudkassir: CloudKassirSettings,
    /// The 1C base.
    #[command(flatten)]
    pub onec: OneCSettings,
    /// The other registers: ATOL Online, OrangeData, the brief's contract.
    #[command(flatten)]
    pub registers: RegisterSettings,
}

/// Settings of the Bitrix24 portal.
#[derive(Debug, Clone, Args)]
pub struct BitrixSettings {
    /// User id in the incoming webhook's address.
    #[arg(long = "bitrix-user", env = "EMULATOR_BITRIX_USER", default_value = "1")]
    pub user: String,
    /// Secret code in the incoming webhook's address.
    #[arg(
        long = "bitrix-code",
        env = "EMULATOR_BITRIX_CODE",
        default_value = "emulatorrestcode",
        hide_env_values = true
    )]
    pub code: SecretString,
    /// Domain of the portal, sent as `auth[domain]`.
    #[arg(
        long = "bitrix-domain",
        env = "EMULATOR_BITRIX_DOMAIN",
        default_value = "shop.bitrix24.example"
    )]
    pub domain: String,
    /// Id of the portal, sent as `auth[member_id]`.
    #[arg(
        long = "bitrix-member-id",
        env = "EMULATOR_BITRIX_MEMBER_ID",
        default_value = "00000000000000000000000000000002"
    )]
    pub member_id: String,
    /// Token of the outgoing webhook, sent as `auth[application_token]`.
    #[arg(
        long = "bitrix-application-token",
        env = "EMULATOR_BITRIX_APPLICATION_TOKEN",
        default_value = "00000000000000000000000000000003",
        hide_env_values = true
    )]
    pub application_token: SecretString,
    /// Where the outgoing webhook goes (`http://…/webhooks/bitrix24`); none are sent without it.
    #[arg(
        long = "bitrix-webhook-url",
        env = "EMULATOR_BITRIX_WEBHOOK_URL",
        hide_env_values = true
    )]
    pub webhook_url: Option<String>,
    /// How often each event is told (Bitrix does tell some twice).
    #[arg(
        long = "bitrix-webhook-copies",
        env = "EMULATOR_BITRIX_WEBHOOK_COPIES",
        default_value_t = 1
    )]
    pub webhook_copies: u32,
    /// Requests the leaky bucket holds.
    #[arg(long = "bitrix-burst", env = "EMULATOR_BITRIX_BURST", default_value_t = 50)]
    pub burst: u32,
    /// Requests that leak out of it each second; 0 means no limit.
    #[arg(long = "bitrix-rate", env = "EMULATOR_BITRIX_RATE", default_value_t = 2)]
    pub rate: u32,
    /// Ids of the person types that exist.
    #[arg(
        long = "bitrix-person-types",
        env = "EMULATOR_BITRIX_PERSON_TYPES",
        value_delimiter = ',',
        default_value = "1,2,3"
    )]
    pub person_types: Vec<u64>,
    /// Codes of the order properties that exist for each person type, beside the usual ones.
    #[arg(
        long = "bitrix-properties",
        env = "EMULATOR_BITRIX_PROPERTIES",
        value_delimiter = ',',
        default_value = "CLOUDKASSIR_FN,CLOUDKASSIR_FD,CLOUDKASSIR_FPD"
    )]
    pub properties: Vec<String>,
}

/// Settings of the site module.
#[derive(Debug, Clone, Args)]
pub struct SiteSettings {
    /// Secrets of the signatures (`whsec_<base64>`, comma separated). The site signs with the first and accepts all.
    #[arg(
        long = "site-secrets",
        env = "EMULATOR_SITE_SECRETS",
        value_delimiter = ',',
        default_value = "whsec_cGFyb20gZW11bGF0b3Igc2l0ZSBzZWNyZXQgMDE=",
        hide_env_values = true
    )]
    pub secrets: Vec<SecretString>,
    /// How many seconds a signature's time may be off.
    #[arg(long = "site-tolerance-s", env = "EMULATOR_SITE_TOLERANCE_S", default_value_t = 300)]
    pub tolerance_s: u32,
}

/// Settings of the fiscal cloud.
#[derive(Debug, Clone, Args)]
pub struct CloudKassirSettings {
    /// Public id: the login of Basic authentication.
    #[arg(
        long = "cloudkassir-public-id",
        env = "EMULATOR_CLOUDKASSIR_PUBLIC_ID",
        default_value = "pk_emulator"
    )]
    pub public_id: String,
    /// API secret: the password, and the key of the notifications' HMAC.
    #[arg(
        long = "cloudkassir-api-secret",
        env = "EMULATOR_CLOUDKASSIR_API_SECRET",
        default_value = "emulator_api_secret",
        hide_env_values = true
    )]
    pub api_secret: SecretString,
    /// INN of the organisation the registers belong to; another INN is refused with code 2. Empty takes any.
    #[arg(long = "cloudkassir-inn", env = "EMULATOR_CLOUDKASSIR_INN", default_value = "")]
    pub inn: String,
    /// How many looks at the status still see a receipt queued.
    #[arg(long = "cloudkassir-looks", env = "EMULATOR_CLOUDKASSIR_LOOKS", default_value_t = 1)]
    pub looks: u32,
    /// How the "Receipt" notification is sent.
    #[arg(long = "cloudkassir-notify", env = "EMULATOR_CLOUDKASSIR_NOTIFY", value_enum, default_value_t = Notify::Once)]
    pub notify: Notify,
    /// Where the notification goes (`http://…/callbacks/cloudkassir`); none are sent without it.
    #[arg(long = "cloudkassir-callback-url", env = "EMULATOR_CLOUDKASSIR_CALLBACK_URL")]
    pub callback_url: Option<String>,
    /// Seconds for which an `X-Request-ID` is remembered.
    #[arg(
        long = "cloudkassir-idempotency-s",
        env = "EMULATOR_CLOUDKASSIR_IDEMPOTENCY_S",
        default_value_t = 3600
    )]
    pub idempotency_s: u32,
    /// Requests served at once; one more is answered 429. 0 means no limit.
    #[arg(
        long = "cloudkassir-concurrency",
        env = "EMULATOR_CLOUDKASSIR_CONCURRENCY",
        default_value_t = 30
    )]
    pub concurrency: u32,
    /// Number of the fiscal drive (ФН).
    #[arg(
        long = "cloudkassir-fn",
        env = "EMULATOR_CLOUDKASSIR_FN",
        default_value = "9999078900006211"
    )]
    pub fiscal_number: String,
}

/// Settings of the 1C base.
#[derive(Debug, Clone, Args)]
pub struct OneCSettings {
    /// The user that Parom is in 1C.
    #[arg(
        id = "onec_user",
        long = "onec-user",
        env = "EMULATOR_ONEC_USER",
        default_value = "parom"
    )]
    pub user: String,
    /// Its password.
    #[arg(
        id = "onec_password",
        long = "onec-password",
        env = "EMULATOR_ONEC_PASSWORD",
        default_value = "emulator_onec_password",
        hide_env_values = true
    )]
    pub password: SecretString,
}

/// Settings of the registers beside CloudKassir.
#[derive(Debug, Clone, Args)]
pub struct RegisterSettings {
    /// Login at ATOL Online and at the brief's contract.
    #[arg(
        id = "register-login",
        long = "register-login",
        env = "EMULATOR_REGISTER_LOGIN",
        default_value = "emulator"
    )]
    pub login: String,
    /// Password at both.
    #[arg(
        id = "register-password",
        long = "register-password",
        env = "EMULATOR_REGISTER_PASSWORD",
        default_value = "emulator_password",
        hide_env_values = true
    )]
    pub password: SecretString,
    /// Group code at ATOL Online.
    #[arg(
        id = "register-group",
        long = "register-group",
        env = "EMULATOR_REGISTER_GROUP",
        default_value = "group"
    )]
    pub group: String,
    /// How many looks at a receipt still see it waiting.
    #[arg(
        id = "register-looks",
        long = "register-looks",
        env = "EMULATOR_REGISTER_LOOKS",
        default_value_t = 1
    )]
    pub looks: u32,
    /// The least time between two receipts in milliseconds; an earlier one is answered 429 or 503. 0 means none.
    #[arg(
        id = "register-pace-ms",
        long = "register-pace-ms",
        env = "EMULATOR_REGISTER_PACE_MS",
        default_value_t = 0
    )]
    pub pace_ms: u32,
    /// How callbacks are sent.
    #[arg(id = "register-notify", long = "register-notify", env = "EMULATOR_REGISTER_NOTIFY", value_enum, default_value_t = Notify::Once)]
    pub notify: Notify,
}

/// How CloudKassir tells that a receipt has been processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Notify {
    /// Not at all: only looks show it.
    Never,
    /// Once, when it is processed.
    Once,
    /// Twice, when it is processed.
    Twice,
    /// At once, before the request that creates the receipt is answered.
    Before,
    /// A false one with a wrong signature and false fiscal data when the receipt is accepted, and no true one.
    Forged,
}

impl Default for Settings {
    fn default() -> Self {
        let command = Self::augment_args(Command::new("emulator"));
        let command = command.mut_args(|arg| arg.env(Resettable::Reset));
        let parsed = command.try_get_matches_from(["emulator"]);
        let parsed = parsed.and_then(|matches| Self::from_arg_matches(&matches));
        let defaults = parsed.unwrap_or_else(|error| error.exit());
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), ..defaults }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_command_line_on_a_free_port() {
        let settings = Settings::default();
        assert_eq!(settings.listen.port(), 0);
        assert_eq!(settings.bitrix.burst, 50);
        assert_eq!(settings.bitrix.properties.len(), 3);
        assert_eq!(settings.cloudkassir.notify, Notify::Once);
    }

    #[test]
    fn secrets_do_not_show() {
        let shown = format!("{:?}", Settings::default());
        assert!(!shown.contains("emulatorrestcode") && !shown.contains("emulator_api_secret"));
    }
}
