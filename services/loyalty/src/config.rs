//! Settings: the programme's rules, the registers with their keys, the shops.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use clap::Args;
use events::{Money, ShopId};
use runtime::{Secret, StartError};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::Error as _};
use time::UtcOffset;
use url::Url;

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
    /// How often is looked for points that mature or expire, holds that end, operations that wait.
    #[arg(long, env, default_value = "10s", value_parser = humantime::parse_duration)]
    pub loyalty_tick: Duration,
    /// How long the log of requests is kept.
    #[arg(long, env, default_value = "90d", value_parser = humantime::parse_duration)]
    pub loyalty_log_keep: Duration,
    /// Where a notification is posted when a store falls silent; only metric and log without it.
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
    #[serde(deserialize_with = "lapse")]
    pub lapsed: Lapse,
    /// How long points live; for ever without.
    #[serde(default, with = "humantime_option")]
    pub expires_after: Option<Duration>,
    /// How long points of an order on the site are pending: the time for returns.
    #[serde(deserialize_with = "duration")]
    pub return_window: Duration,
    /// How long an order on the site may hold points.
    #[serde(deserialize_with = "duration")]
    pub hold_for: Duration,
    /// How long a register may hold points.
    #[serde(deserialize_with = "duration")]
    pub register_hold_for: Duration,
    /// How far a register's clock may be ahead. Within it, the time is set to ours.
    #[serde(deserialize_with = "duration")]
    pub clock_ahead: Duration,
    /// How old an operation may be.
    #[serde(deserialize_with = "duration")]
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
    #[serde(deserialize_with = "money")]
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
    #[serde(default = "moscow", deserialize_with = "offset")]
    pub utc_offset: UtcOffset,
    /// Another policy for offline debits than the programme's.
    pub offline: Option<Offline>,
    /// Requests a second in the long run; a batch is one.
    #[serde(default = "rate")]
    pub rate: u32,
    /// Requests at once.
    #[serde(default = "burst")]
    pub burst: u32,
    /// After how long without a request its store counts as silent; never without.
    #[serde(default, with = "humantime_option")]
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

/// Reads the file and looks for what cannot be right.
///
/// # Errors
/// [`StartError`] names the file and the place.
pub fn read(config: &Config) -> Result<File, StartError> {
    let path = &config.loyalty_file;
    let file: File = runtime::settings::file(path)?;
    let wrong = |why: String| StartError::new(format!("{}: {why}", path.display()));
    let mut keys = std::collections::BTreeSet::new();
    for (name, register) in &file.registers {
        let key = register.key.expose();
        if key.len() < 16 {
            return Err(wrong(format!("register {name}: the key has less than 16 characters")));
        }
        if !keys.insert(key.to_owned()) {
            return Err(wrong(format!("register {name}: another one has the same key")));
        }
        if register.rate == 0 || register.burst == 0 {
            return Err(wrong(format!("register {name}: rate and burst must be above zero")));
        }
        if register.source == crate::ledger::OWN_SOURCE || register.source.starts_with("shop:") {
            return Err(wrong(format!("register {name}: the source is one of our own")));
        }
    }
    if file.registers.is_empty() {
        return Err(wrong("there are no registers".to_owned()));
    }
    if file.program.master == Master::OneC && config.onec_base_url.is_none() {
        return Err(wrong("master is \"1c\", so ONEC_BASE_URL must say where it is".to_owned()));
    }
    Ok(file)
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

fn offset<'de, D: Deserializer<'de>>(input: D) -> Result<UtcOffset, D::Error> {
    let text = String::deserialize(input)?;
    let form = time::macros::format_description!("[offset_hour sign:mandatory]:[offset_minute]");
    UtcOffset::parse(&text, form).map_err(|_| D::Error::custom("an offset is written as +03:00"))
}

fn money<'de, D: Deserializer<'de>>(input: D) -> Result<Money, D::Error> {
    let amount: Money = String::deserialize(input)?.parse().map_err(D::Error::custom)?;
    if amount.is_negative() { Err(D::Error::custom("the limit is below zero")) } else { Ok(amount) }
}

fn duration<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    humantime::parse_duration(&String::deserialize(input)?).map_err(D::Error::custom)
}

fn lapse<'de, D: Deserializer<'de>>(input: D) -> Result<Lapse, D::Error> {
    let text = String::deserialize(input)?;
    match text.strip_prefix("grace ") {
        None if text == "burn" => Ok(Lapse::Burn),
        Some(time) => match humantime::parse_duration(time) {
            Ok(time) if !time.is_zero() => Ok(Lapse::Grace(time)),
            _ => Err(D::Error::custom("a grace is a time such as \"grace 14d\"")),
        },
        None => Err(D::Error::custom("lapsed is \"burn\" or \"grace 14d\"")),
    }
}

mod humantime_option {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, de::Error as _};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Option<Duration>, D::Error> {
        let text = Option::<String>::deserialize(input)?;
        text.map(|text| humantime::parse_duration(&text).map_err(D::Error::custom)).transpose()
    }
}
