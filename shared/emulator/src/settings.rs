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
    /// GIS MT.
    #[command(flatten)]
    pub gismt: GismtSettings,
    /// UTMs of EGAIS.
    #[command(flatten)]
    pub utm: UtmSettings,
    /// Diadoc.
    #[command(flatten)]
    pub diadoc: DiadocSettings,
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
    /// Where the portal's REST cash register is: `/print` and `/check` follow
    /// (`http://…/cashbox/<shop>/<secret>`).
    #[arg(
        long = "bitrix-cashbox-url",
        env = "EMULATOR_BITRIX_CASHBOX_URL",
        hide_env_values = true
    )]
    pub cashbox_url: Option<String>,
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

/// Settings of GIS MT.
#[derive(Debug, Clone, Args)]
pub struct GismtSettings {
    /// INN of the participant; certificates must carry it.
    #[arg(
        id = "gismt-inn",
        long = "gismt-inn",
        env = "EMULATOR_GISMT_INN",
        default_value = "7708806062"
    )]
    pub inn: String,
    /// Product groups the participant has a contract for; empty for all.
    #[arg(
        id = "gismt-groups",
        long = "gismt-groups",
        env = "EMULATOR_GISMT_GROUPS",
        value_delimiter = ','
    )]
    pub groups: Vec<String>,
    /// The way to sign in.
    #[arg(id = "gismt-sign-in", long = "gismt-sign-in", env = "EMULATOR_GISMT_SIGN_IN", value_enum, default_value_t = GismtSignIn::Challenge)]
    pub sign_in: GismtSignIn,
    /// Seconds for which a token holds.
    #[arg(
        id = "gismt-token-s",
        long = "gismt-token-s",
        env = "EMULATOR_GISMT_TOKEN_S",
        default_value_t = 36_000
    )]
    pub token_s: u32,
    /// Requests a second of the participant; one more is answered 429. 0 means no limit.
    #[arg(
        id = "gismt-rate",
        long = "gismt-rate",
        env = "EMULATOR_GISMT_RATE",
        default_value_t = 50
    )]
    pub rate: u32,
    /// How many looks at a document find it in progress.
    #[arg(
        id = "gismt-looks",
        long = "gismt-looks",
        env = "EMULATOR_GISMT_LOOKS",
        default_value_t = 1
    )]
    pub looks: u32,
    /// How many looks do not find a new document at all.
    #[arg(
        id = "gismt-hidden-looks",
        long = "gismt-hidden-looks",
        env = "EMULATOR_GISMT_HIDDEN_LOOKS",
        default_value_t = 0
    )]
    pub hidden_looks: u32,
    /// How many looks at a code still see it as it was before it changed.
    #[arg(
        id = "gismt-code-looks",
        long = "gismt-code-looks",
        env = "EMULATOR_GISMT_CODE_LOOKS",
        default_value_t = 0
    )]
    pub code_looks: u32,
    /// What a new document is answered with.
    #[arg(id = "gismt-answer", long = "gismt-answer", env = "EMULATOR_GISMT_ANSWER", value_enum, default_value_t = GismtAnswer::Bare)]
    pub answer: GismtAnswer,
    /// Whether a document is shown as an object; as a list with one in it otherwise.
    #[arg(
        id = "gismt-info-is-object",
        long = "gismt-info-is-object",
        env = "EMULATOR_GISMT_INFO_IS_OBJECT"
    )]
    pub info_is_object: bool,
    /// OpenSSL's program, with the GOST engine beside it: it checks signatures.
    #[arg(
        id = "gismt-openssl",
        long = "gismt-openssl",
        env = "EMULATOR_GISMT_OPENSSL",
        default_value = "openssl"
    )]
    pub openssl: String,
}

/// Settings of UTMs.
#[derive(Debug, Clone, Args)]
pub struct UtmSettings {
    /// How many looks at the inbox bring no ticket, before the first and between the two.
    #[arg(id = "utm-looks", long = "utm-looks", env = "EMULATOR_UTM_LOOKS", default_value_t = 1)]
    pub looks: u32,
    /// The host that lists name: the UTM's own idea of itself.
    #[arg(
        id = "utm-host",
        long = "utm-host",
        env = "EMULATOR_UTM_HOST",
        default_value = "http://localhost:8080"
    )]
    pub host: String,
    /// Whether lists of the inbox tell which document is answered.
    #[arg(
        id = "utm-names-replies",
        long = "utm-names-replies",
        env = "EMULATOR_UTM_NAMES_REPLIES",
        default_value_t = true,
        action = clap::ArgAction::Set
    )]
    pub names_replies: bool,
    /// Whether the key in the module holds; every document is answered 403 otherwise.
    #[arg(
        id = "utm-key-holds",
        long = "utm-key-holds",
        env = "EMULATOR_UTM_KEY_HOLDS",
        default_value_t = true,
        action = clap::ArgAction::Set
    )]
    pub key_holds: bool,
    /// The last day of the key.
    #[arg(
        id = "utm-key-until",
        long = "utm-key-until",
        env = "EMULATOR_UTM_KEY_UNTIL",
        default_value = "2099-01-01"
    )]
    pub key_until: String,
    /// The root of the official schemas that documents are held against; none are without.
    #[arg(id = "utm-xsd", long = "utm-xsd", env = "EMULATOR_UTM_XSD")]
    pub xsd: Option<std::path::PathBuf>,
}

/// Settings of Diadoc.
#[derive(Debug, Clone, Args)]
pub struct DiadocSettings {
    /// The seller's box.
    #[arg(
        id = "diadoc-box-id",
        long = "diadoc-box-id",
        env = "EMULATOR_DIADOC_BOX_ID",
        default_value = "db32772b-9256-49a8-a133-fda593fda38a"
    )]
    pub box_id: String,
    /// The seller's INN.
    #[arg(
        id = "diadoc-inn",
        long = "diadoc-inn",
        env = "EMULATOR_DIADOC_INN",
        default_value = "7700000016"
    )]
    pub inn: String,
    /// The seller's identifier as a participant of exchange.
    #[arg(
        id = "diadoc-participant",
        long = "diadoc-participant",
        env = "EMULATOR_DIADOC_PARTICIPANT",
        default_value = "2BM-7700000016-773601001-000000000000000000001"
    )]
    pub participant: String,
    /// The way to sign in.
    #[arg(id = "diadoc-sign-in", long = "diadoc-sign-in", env = "EMULATOR_DIADOC_SIGN_IN", value_enum, default_value_t = DiadocSignIn::Oidc)]
    pub sign_in: DiadocSignIn,
    /// The client id.
    #[arg(
        id = "diadoc-client-id",
        long = "diadoc-client-id",
        env = "EMULATOR_DIADOC_CLIENT_ID",
        default_value = "parom-demo",
        hide_env_values = true
    )]
    pub client_id: SecretString,
    /// The client's secret.
    #[arg(
        id = "diadoc-client-secret",
        long = "diadoc-client-secret",
        env = "EMULATOR_DIADOC_CLIENT_SECRET",
        default_value = "emulator_client_secret",
        hide_env_values = true
    )]
    pub client_secret: SecretString,
    /// The first refresh token.
    #[arg(
        id = "diadoc-refresh-token",
        long = "diadoc-refresh-token",
        env = "EMULATOR_DIADOC_REFRESH_TOKEN",
        default_value = "emulator_refresh_token",
        hide_env_values = true
    )]
    pub refresh_token: SecretString,
    /// The login.
    #[arg(
        id = "diadoc-login",
        long = "diadoc-login",
        env = "EMULATOR_DIADOC_LOGIN",
        default_value = "seller@shop.example"
    )]
    pub login: String,
    /// The password.
    #[arg(
        id = "diadoc-password",
        long = "diadoc-password",
        env = "EMULATOR_DIADOC_PASSWORD",
        default_value = "emulator_diadoc_password",
        hide_env_values = true
    )]
    pub password: SecretString,
    /// Seconds for which a token holds.
    #[arg(
        id = "diadoc-token-s",
        long = "diadoc-token-s",
        env = "EMULATOR_DIADOC_TOKEN_S",
        default_value_t = 3_600
    )]
    pub token_s: u32,
    /// Requests a second; one more is answered 429. 0 means no limit.
    #[arg(
        id = "diadoc-rate",
        long = "diadoc-rate",
        env = "EMULATOR_DIADOC_RATE",
        default_value_t = 100
    )]
    pub rate: u32,
    /// Requests under way at once; one more is answered 429. 0 means no limit.
    #[arg(
        id = "diadoc-at-once",
        long = "diadoc-at-once",
        env = "EMULATOR_DIADOC_AT_ONCE",
        default_value_t = 4
    )]
    pub at_once: usize,
    /// How many asks under its key find a sending still running (204).
    #[arg(
        id = "diadoc-running-asks",
        long = "diadoc-running-asks",
        env = "EMULATOR_DIADOC_RUNNING_ASKS",
        default_value_t = 0
    )]
    pub running_asks: u32,
    /// How many looks at a document find it not delivered.
    #[arg(
        id = "diadoc-delivers-looks",
        long = "diadoc-delivers-looks",
        env = "EMULATOR_DIADOC_DELIVERS_LOOKS",
        default_value_t = 0
    )]
    pub delivers_looks: u32,
    /// After how many looks a buyer signs who does so by himself.
    #[arg(
        id = "diadoc-signs-looks",
        long = "diadoc-signs-looks",
        env = "EMULATOR_DIADOC_SIGNS_LOOKS",
        default_value_t = 1
    )]
    pub signs_looks: u32,
    /// Events on a page of the feed at most.
    #[arg(
        id = "diadoc-page",
        long = "diadoc-page",
        env = "EMULATOR_DIADOC_PAGE",
        default_value_t = 100
    )]
    pub page: usize,
    /// Whether pages of the feed come in no order and repeat what was told.
    #[arg(id = "diadoc-disorder", long = "diadoc-disorder", env = "EMULATOR_DIADOC_DISORDER")]
    pub disorder: bool,
    /// Whether both organisations are for tests: Diadoc then signs itself when it is asked to.
    #[arg(id = "diadoc-is-test", long = "diadoc-is-test", env = "EMULATOR_DIADOC_IS_TEST")]
    pub is_test: bool,
    /// The folder with the tax service's schemas; without it documents are held against the emulator's own rules.
    #[arg(id = "diadoc-xsd-dir", long = "diadoc-xsd-dir", env = "EMULATOR_DIADOC_XSD_DIR")]
    pub xsd_dir: Option<std::path::PathBuf>,
    /// The certificate with which Diadoc signs by itself (`DssSign`), PEM; without certificate and key it has none.
    #[arg(
        id = "diadoc-cloud-certificate",
        long = "diadoc-cloud-certificate",
        env = "EMULATOR_DIADOC_CLOUD_CERTIFICATE"
    )]
    pub cloud_certificate: Option<std::path::PathBuf>,
    /// Its key, PEM.
    #[arg(id = "diadoc-cloud-key", long = "diadoc-cloud-key", env = "EMULATOR_DIADOC_CLOUD_KEY")]
    pub cloud_key: Option<std::path::PathBuf>,
    /// Its thumbprint.
    #[arg(
        id = "diadoc-cloud-thumbprint",
        long = "diadoc-cloud-thumbprint",
        env = "EMULATOR_DIADOC_CLOUD_THUMBPRINT",
        default_value = "0123456789ABCDEF0123456789ABCDEF01234567"
    )]
    pub cloud_thumbprint: String,
    /// For how many asks such a signature waits for its owner.
    #[arg(
        id = "diadoc-cloud-asks",
        long = "diadoc-cloud-asks",
        env = "EMULATOR_DIADOC_CLOUD_ASKS",
        default_value_t = 1
    )]
    pub cloud_asks: u32,
}

/// The ways to sign in to Diadoc; the other is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiadocSignIn {
    /// Refresh tokens.
    Oidc,
    /// Login and password.
    Password,
}

/// The ways to sign in to GIS MT; the others are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GismtSignIn {
    /// A UUID token for the signed challenge with `inn` and `unitedToken`.
    Challenge,
    /// A UUID token for the signed INN with `unitedToken` alone.
    Inn,
    /// A JWT for the signed challenge.
    Jwt,
}

/// What GIS MT answers to a new document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GismtAnswer {
    /// The bare id.
    Bare,
    /// The id as a JSON text.
    Quoted,
    /// An object with `documentId`.
    Object,
    /// Nothing, though the document is taken.
    Empty,
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
