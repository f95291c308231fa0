//! Settings: the programme's rules, the registers with their keys, the shops.

mod form;
mod read;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use clap::Args;
use events::{Money, ShopId};
use runtime::Secret;
use secrecy::SecretString;
use serde::Deserialize;
use time::UtcOffset;
use url::Url;

pub use self::read::read;
use crate::{
    ledger::{Beyond, Lapse},
    rules::Rules,
};

/// How `loyalty` is told about the programme.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// The programme, the registers and the shops: a TOML file, see the service's README.
    #[arg(long, env)]
    pub loyalty_file: PathBuf,
    /// The language of messages: ru or en.
    #[arg(long, env, value_enum, default_value = "ru")]
    pub loyalty_language: Language,
    /// How often points that mature or expire, holds that end and operations that wait are looked
    /// for.
    #[arg(long, env, default_value = "10s", value_parser = humantime::parse_duration)]
    pub loyalty_tick: Duration,
    /// How long the log of requests is kept.
    #[arg(long, env, default_value = "90d", value_parser = humantime::parse_duration)]
    pub loyalty_log_keep: Duration,
    /// How long closed exceptions are kept.
    #[arg(long, env, default_value = "365d", value_parser = humantime::parse_duration)]
    pub loyalty_exceptions_keep: Duration,
    /// How long an operation waits for its customer or its original before it is forgotten, with an
    /// exception. Points of guests wait so long for them.
    #[arg(long, env, default_value = "1095d", value_parser = humantime::parse_duration)]
    pub loyalty_parked_keep: Duration,
    /// How long a request may take before it is answered 503: a batch of ten thousand on a busy
    /// machine.
    #[arg(long, env, default_value = "120s", value_parser = humantime::parse_duration)]
    pub loyalty_patience: Duration,
    /// Where a notification (JSON: kind, store, text) is posted when a store falls silent; without
    /// it there are only a metric, a line of the log and an exception.
    #[arg(long, env)]
    pub loyalty_alert_url: Option<Url>,
    /// Where 1C's HTTP service is, such as <https://1c.example/base/hs/parom>; needed when 1C is
    /// the master.
    #[arg(long, env)]
    pub onec_base_url: Option<Url>,
    /// 1C's user.
    #[arg(long, env, default_value = "parom")]
    pub onec_user: String,
    /// Its password.
    #[arg(long, env, hide_env_values = true, default_value = "")]
    pub onec_password: SecretString,
    /// How long 1C may take to answer.
    #[arg(long, env, default_value = "10s", value_parser = humantime::parse_duration)]
    pub onec_timeout: Duration,
    /// With 1C as master and redemptions refused while it is away: for how long it is told again of
    /// one that it does not answer, before that is refused.
    #[arg(long, env, default_value = "10m", value_parser = humantime::parse_duration)]
    pub onec_refuse_after: Duration,
    /// How long a balance must be at rest before it is compared with 1C's.
    #[arg(long, env, default_value = "5m", value_parser = humantime::parse_duration)]
    pub onec_compare_after: Duration,
}

/// A language for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    /// Russian.
    Ru,
    /// English.
    En,
}

impl Language {
    /// The sentence in this language.
    #[must_use]
    pub fn of(self, text: &events::Text) -> String {
        match self {
            Self::Ru => text.ru.clone(),
            Self::En => text.en.clone(),
        }
    }
}

/// The file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The programme.
    pub program: Program,
    /// The registers and other callers, by name.
    pub registers: BTreeMap<String, Register>,
    /// The shops on the site.
    #[serde(default)]
    pub shops: BTreeMap<ShopId, Shop>,
}

/// The programme's rules.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Whose balance counts.
    pub master: Master,
    /// With 1C as master: what becomes of a redemption on the site while 1C is away.
    #[serde(default)]
    pub when_1c_is_away: Away,
    /// What a register's debit may do beyond the balance when it comes late.
    pub offline: Offline,
    /// What becomes of points given back to a lot whose time is over.
    #[serde(deserialize_with = "form::lapse")]
    pub lapsed: Lapse,
    /// How long points live; for ever without.
    #[serde(default, with = "form::humantime_option")]
    pub expires_after: Option<Duration>,
    /// How long points of an order on the site are pending: the time for returns.
    #[serde(deserialize_with = "form::duration")]
    pub return_window: Duration,
    /// How long an order on the site may hold points.
    #[serde(deserialize_with = "form::duration")]
    pub hold_for: Duration,
    /// How long a register may hold points.
    #[serde(deserialize_with = "form::duration")]
    pub register_hold_for: Duration,
    /// How far a register's clock may be ahead. Within it, the time is set to ours.
    #[serde(deserialize_with = "form::duration")]
    pub clock_ahead: Duration,
    /// How old an operation may be.
    #[serde(deserialize_with = "form::duration")]
    pub clock_behind: Duration,
}

/// Whose balance counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Master {
    /// Ours: 1C asks us.
    #[serde(rename = "parom")]
    Parom,
    /// 1C's: we keep a copy and write to 1C through a queue.
    #[serde(rename = "1c")]
    OneC,
}

/// What becomes of a redemption on the site while 1C is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Away {
    /// It is refused.
    #[default]
    Refuse,
    /// It is decided by our copy of the balance and told to 1C later.
    Queue,
}

/// `"refuse"`, `"part"`, or `{ allow = "300.00" }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Offline {
    /// Refused as a whole.
    Refuse,
    /// As much as there is.
    Part,
    /// The rest is owed, up to this.
    #[serde(deserialize_with = "form::money")]
    Allow(Money),
}

impl From<Offline> for Beyond {
    fn from(offline: Offline) -> Self {
        match offline {
            Offline::Refuse => Self::Refuse,
            Offline::Part => Self::Part,
            Offline::Allow(limit) => Self::Allow(limit.kopecks()),
        }
    }
}

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Balances and operations.
    #[default]
    Register,
    /// Balances, histories, who has which phone.
    Site,
    /// Everything: adjustments and exceptions too.
    Manager,
}

/// A caller with a key of its own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// The key that it sends as `X-API-Key`; at least 16 characters.
    pub key: Secret,
    /// What it may do.
    #[serde(default)]
    pub role: Role,
    /// Whose names its operations have: the 1C base.
    #[serde(default = "retail")]
    pub source: String,
    /// The store that it stands in.
    pub store: Option<String>,
    /// The store's address, shown to customers where an operation has no description.
    pub address: Option<String>,
    /// The offset of times that come without one.
    #[serde(default = "moscow", deserialize_with = "form::offset")]
    pub utc_offset: UtcOffset,
    /// Another policy for offline debits than the programme's.
    pub offline: Option<Offline>,
    /// Requests a second in the long run; a batch is one.
    #[serde(default = "rate")]
    pub rate: u32,
    /// Requests at once.
    #[serde(default = "burst")]
    pub burst: u32,
    /// After how long without an operation its store counts as silent; never without.
    #[serde(default, with = "form::humantime_option")]
    pub silent_after: Option<Duration>,
}

/// A shop on the site.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shop {
    /// The order property that says how many points the buyer spends, such as `LOYALTY_POINTS`.
    /// The order's price is already that much lower.
    pub points_property: String,
    /// How points are earned.
    pub accrual: Rules,
}

fn retail() -> String {
    "1c_retail".to_owned()
}

fn rate() -> u32 {
    50
}

fn burst() -> u32 {
    200
}

fn moscow() -> UtcOffset {
    UtcOffset::from_hms(3, 0, 0).unwrap_or(UtcOffset::UTC)
}
