//! Settings: the register's interface, and what each shop says about its receipts.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use clap::Args;
use events::ShopId;
use runtime::{Metrics, Secret, StartError, http::Client};
use serde::Deserialize;
use url::Url;

use crate::{
    desk::Desk,
    receipt::Rules,
    registers::{
        Line,
        cloudkassir::{Account, CloudKassir},
    },
};

/// The window in which the register knows a repeated request (documented: one hour), less a
/// minute for the request itself.
const WINDOW: Duration = Duration::from_secs(59 * 60);

/// How `fiscal` is told about shops and `CloudKassir`.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// The shops and how their receipts are made: a TOML file, see the service's README.
    #[arg(long, env = "FISCAL_SHOPS_FILE")]
    pub fiscal_shops_file: PathBuf,
    /// Where CloudKassir's interface is.
    #[arg(long, env, default_value = "https://api.cloudpayments.ru")]
    pub cloudkassir_base_url: Url,
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
    /// Public id of the site in CloudPayments' cabinet.
    pub public_id: String,
    /// API secret of the site: the calls' password and the callbacks' key.
    pub api_secret: Secret,
    /// How its receipts are made.
    pub receipt: Rules,
}

/// The cash desks of these shops.
///
/// # Errors
/// [`StartError`] when there is no HTTP client.
pub(crate) fn desks(
    config: &Config,
    shops: BTreeMap<ShopId, Shop>,
    metrics: &Metrics,
) -> Result<BTreeMap<ShopId, Desk>, StartError> {
    let http = Client::new("cloudkassir", config.cloudkassir_timeout, metrics)?;
    let (base, at_once) = (&config.cloudkassir_base_url, config.cloudkassir_concurrency);
    let desk = |shop: Shop| {
        let Shop { public_id, api_secret, receipt } = shop;
        let line = Line::new(http.clone(), base, "CloudKassir", at_once);
        let account = Account { public_id, api_secret: api_secret.clone() };
        let register = CloudKassir::new(line, account, config.cloudkassir_resend_within);
        Desk {
            rules: receipt,
            first: Box::new(register),
            others: Vec::new(),
            callback_secret: Some(api_secret),
        }
    };
    Ok(shops.into_iter().map(|(id, shop)| (id, desk(shop))).collect())
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
        if shop.public_id.is_empty() || shop.api_secret.expose().is_empty() {
            return Err(wrong(&name, &"public_id and api_secret must not be empty"));
        }
        shop.receipt.check().map_err(|error| wrong(&name, &error))?;
        shops.insert(id, shop);
    }
    Ok(shops)
}
