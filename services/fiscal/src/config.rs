//! Settings: the register's interface, and what each shop says about its receipts.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use clap::Args;
use events::ShopId;
use runtime::{Secret, StartError};
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use crate::{
    cashbox::Cashbox,
    receipt::{Rules, Seller},
    registers::{RegisterName, atol, cloudkassir, cloudkassir_v1, orangedata},
};

/// The window in which the register knows a repeated request (documented: one hour), less a
/// minute for the request itself.
const WINDOW: Duration = Duration::from_secs(59 * 60);

/// The least time that a ledger is kept: papers for taxes are kept for five years (Tax Code, article
/// 23, paragraph 1, item 8), and no buyer's claim is older.
const LEDGER_LEAST: Duration = Duration::from_secs(5 * 366 * 86_400);

/// How `fiscal` is told about shops and `CloudKassir`.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// The shops and how their receipts are made: a TOML file, see the service's README.
    #[arg(long, env = "FISCAL_SHOPS_FILE")]
    pub fiscal_shops_file: PathBuf,
    /// Where CloudKassir's interface is.
    #[arg(long, env, default_value = "https://api.cloudpayments.ru")]
    pub cloudkassir_base_url: Url,
    /// Where ATOL Online's interface is; the version of the shop's account follows.
    #[arg(long, env, default_value = "https://online.atol.ru/possystem")]
    pub atol_base_url: Url,
    /// Where OrangeData's interface is.
    #[arg(long, env, default_value = "https://api.orangedata.ru:12003")]
    pub orangedata_base_url: Url,
    /// Where a service with the contract CloudKassir v1 is.
    #[arg(long, env, default_value = "https://api.cloudkassir.ru/v1")]
    pub cloudkassir_v1_base_url: Url,
    /// Where registers reach this service, as <https://receipts.example>: their callbacks go to
    /// /callbacks/… below it. Without it receipts are found by looking.
    #[arg(long, env)]
    pub fiscal_callback_base_url: Option<Url>,
    /// The token of the interface for corrections and refunds by hand (`Authorization: Bearer …`).
    /// Without it there is no such interface.
    #[arg(long, env, hide_env_values = true)]
    pub fiscal_api_token: Option<SecretString>,
    /// How long what was receipted for an order is kept after its last receipt, such as `2200d`; five
    /// years at least, and for ever without it. A refund of what is forgotten is for a person.
    #[arg(long, env, value_parser = humantime::parse_duration)]
    pub fiscal_keep_ledger: Option<Duration>,
    /// How long after its settlement a receipt that is not issued counts as overdue: an alert.
    #[arg(long, env, default_value = "10m", value_parser = humantime::parse_duration)]
    pub fiscal_overdue_after: Duration,
    /// How long a call may take: well below the lease of a job.
    #[arg(long, env, default_value = "30s", value_parser = humantime::parse_duration)]
    pub cloudkassir_timeout: Duration,
    /// How many calls are under way at once for one shop. CloudKassir serves 30 for a site, 5 in
    /// test mode, all replicas together.
    #[arg(long, env, default_value_t = 20)]
    pub cloudkassir_concurrency: usize,
    /// First pause between two looks at an accepted receipt; each further one is twice as long.
    #[arg(long, env, default_value = "5s", value_parser = humantime::parse_duration)]
    pub cloudkassir_poll: Duration,
    /// Longest pause between two looks.
    #[arg(long, env, default_value = "10m", value_parser = humantime::parse_duration)]
    pub cloudkassir_poll_longest: Duration,
    /// How long after its first sending a request without an answer may be sent again.
    /// CloudKassir knows it again for one hour; afterwards nobody could tell, and a person must.
    #[arg(long, env, default_value = "50m", value_parser = humantime::parse_duration)]
    pub cloudkassir_resend_within: Duration,
}

impl Config {
    /// Looks for values that are each right and together wrong.
    ///
    /// # Errors
    /// [`StartError`] names the setting.
    pub fn check(&self) -> Result<(), StartError> {
        if self.cloudkassir_resend_within + self.cloudkassir_timeout > WINDOW {
            return Err(StartError::new(
                "--cloudkassir-resend-within and --cloudkassir-timeout together must be below 59m: \
                 CloudKassir forgets a request after an hour",
            ));
        }
        if self.fiscal_keep_ledger.is_some_and(|keep| keep < LEDGER_LEAST) {
            return Err(StartError::new(
                "--fiscal-keep-ledger must be at least five years (1830d): refunds and the tax \
                 service ask for what was sold",
            ));
        }
        if self.cloudkassir_concurrency == 0 || self.cloudkassir_poll.is_zero() {
            return Err(StartError::new(
                "--cloudkassir-concurrency and --cloudkassir-poll must be above zero",
            ));
        }
        Ok(())
    }
}

/// The file of shops.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    shops: BTreeMap<String, Shop>,
}

/// One shop.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shop {
    /// The register for its new receipts.
    #[serde(default)]
    pub register: RegisterName,
    /// The register for new receipts while the first one is away for long.
    #[serde(default)]
    pub fallback: Option<Fallback>,
    /// The least time between two receipts, such as `1s`, where the register takes no more.
    /// `OrangeData` takes one a second for each register.
    #[serde(default, deserialize_with = "some_duration")]
    pub pace: Option<Duration>,
    /// CloudKassir: public id of the site in CloudPayments' cabinet.
    #[serde(default)]
    pub public_id: Option<String>,
    /// CloudKassir: API secret of the site, the calls' password and the callbacks' key.
    #[serde(default)]
    pub api_secret: Option<Secret>,
    /// The account at ATOL Online.
    #[serde(default)]
    pub atol: Option<atol::Account>,
    /// The account at `OrangeData`.
    #[serde(default)]
    pub orangedata: Option<orangedata::Account>,
    /// The account at a service with the contract `CloudKassir` v1.
    #[serde(default, rename = "cloudkassir-v1")]
    pub cloudkassir_v1: Option<cloudkassir_v1::Account>,
    /// How receipts are made of what happens to orders.
    #[serde(default)]
    pub receipt: Option<Rules>,
    /// How Bitrix composes them instead.
    #[serde(default)]
    pub cashbox: Option<Cashbox>,
}

/// Another register for new receipts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fallback {
    /// Which one.
    pub register: RegisterName,
    /// How long the first one must be away, such as `10m`.
    #[serde(deserialize_with = "duration")]
    pub after: Duration,
}

fn some_duration<'de, D: serde::Deserializer<'de>>(text: D) -> Result<Option<Duration>, D::Error> {
    duration(text).map(Some)
}

fn duration<'de, D: serde::Deserializer<'de>>(text: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(text)?;
    humantime::parse_duration(&text).map_err(serde::de::Error::custom)
}

/// Reads the file of shops and looks for what cannot be right.
///
/// # Errors
/// [`StartError`] names the file and the shop.
pub fn shops(config: &Config) -> Result<BTreeMap<ShopId, Shop>, StartError> {
    let path = &config.fiscal_shops_file;
    let file: File = runtime::settings::file(path)?;
    let wrong = |shop: &str, why: &dyn std::fmt::Display| {
        StartError::new(format!("{}: shop {shop}: {why}", path.display()))
    };
    if file.shops.is_empty() {
        return Err(StartError::new(format!("{}: there are no shops", path.display())));
    }
    let mut shops = BTreeMap::new();
    for (name, shop) in file.shops {
        let id: ShopId = name.parse().map_err(|error| wrong(&name, &error))?;
        shop.check().map_err(|error| wrong(&name, &error))?;
        shops.insert(id, shop);
    }
    Ok(shops)
}

impl Shop {
    /// Looks for a register without an account, and for two ways or none.
    ///
    /// # Errors
    /// In words.
    pub fn check(&self) -> Result<(), String> {
        match (&self.receipt, &self.cashbox) {
            (Some(_), Some(_)) => {
                return Err("it has both [receipt] and [cashbox]: each sale would get two \
                            receipts, one of Parom and one of Bitrix; keep one of them"
                    .to_owned());
            }
            (None, None) => {
                return Err("missing field `receipt`, or `cashbox` where Bitrix composes the \
                            receipts"
                    .to_owned());
            }
            (Some(rules), None) => rules.check().map_err(|error| error.to_string())?,
            (None, Some(cashbox)) => cashbox.check()?,
        }
        let named = self.fallback.iter().map(|fallback| fallback.register);
        for register in named.chain([self.register]) {
            let (there, what) = match register {
                RegisterName::CloudKassir => {
                    (self.cloudkassir().is_some(), "public_id and api_secret")
                }
                RegisterName::Atol => (self.atol.is_some(), "atol"),
                RegisterName::OrangeData => (self.orangedata.is_some(), "orangedata"),
                RegisterName::CloudKassirV1 => (self.cloudkassir_v1.is_some(), "cloudkassir-v1"),
            };
            if !there {
                return Err(format!("{what} must not be empty"));
            }
        }
        match &self.fallback {
            Some(fallback) if fallback.register == self.register => {
                Err("fallback must be another register".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Who sells.
    pub(crate) fn seller(&self) -> Option<Seller> {
        let composed = self.cashbox.as_ref().map(Cashbox::seller);
        composed.or_else(|| self.receipt.as_ref().map(Rules::seller))
    }

    /// The site at CloudKassir, if it is named.
    pub(crate) fn cloudkassir(&self) -> Option<cloudkassir::Account> {
        let public_id = self.public_id.clone().filter(|id| !id.is_empty())?;
        let api_secret = self.api_secret.clone().filter(|secret| !secret.expose().is_empty())?;
        Some(cloudkassir::Account { public_id, api_secret })
    }
}
