//! A shop's cash desk: its rules and its registers.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use events::{OrderRef, ShopId};
use runtime::{Metrics, Secret, StartError, http::Client};
use time::OffsetDateTime;
use url::Url;

use crate::{
    config::{Config, Fallback, Shop},
    receipt::Rules,
    registers::{
        Error, Line, Register, RegisterName, What, atol::Atol, cloudkassir::CloudKassir,
        cloudkassir_v1::CloudKassirV1, orangedata::OrangeData,
    },
};

/// The pace of a register that takes one receipt a second.
const ONE_A_SECOND: Duration = Duration::from_secs(1);

/// The cash desk of one shop.
pub(crate) struct Desk {
    /// How its receipts are made.
    pub(crate) rules: Rules,
    /// With what `CloudKassir` signs its notifications about this shop.
    pub(crate) callback_secret: Option<Secret>,
    registers: BTreeMap<RegisterName, Box<dyn Register>>,
    first: RegisterName,
    fallback: Option<Fallback>,
    pace: Option<Duration>,
    /// Until when this process remembers that a register asked for patience.
    slow_until: Mutex<Option<OffsetDateTime>>,
    /// Since when this process has found the first register away.
    away_since: Mutex<Option<OffsetDateTime>>,
}

/// The cash desks of these shops.
///
/// # Errors
/// [`StartError`] when a key cannot be read, or there is no HTTP client.
pub(crate) fn desks(
    config: &Config,
    shops: BTreeMap<ShopId, Shop>,
    metrics: &Metrics,
) -> Result<BTreeMap<ShopId, Desk>, StartError> {
    let lines = Lines { config, metrics };
    shops.into_iter().map(|(id, shop)| Ok((id, desk(&lines, shop)?))).collect()
}

fn desk(lines: &Lines<'_>, shop: Shop) -> Result<Desk, StartError> {
    let mut registers: BTreeMap<RegisterName, Box<dyn Register>> = BTreeMap::new();
    let config = lines.config;
    if let Some(account) = shop.cloudkassir() {
        let line = lines.line("cloudkassir", "CloudKassir", &config.cloudkassir_base_url)?;
        let register = CloudKassir::new(line, account, config.cloudkassir_resend_within);
        registers.insert(register.name(), Box::new(register));
    }
    if let Some(account) = shop.atol {
        let base = format!("{}/{}", bare(&config.atol_base_url), account.version.path());
        let base: Url = base.parse().map_err(StartError::new)?;
        let line = lines.line("atol", "АТОЛ Онлайн", &base)?;
        let register = Atol::new(line, account, lines.callback("atol"));
        registers.insert(register.name(), Box::new(register));
    }
    if let Some(account) = shop.orangedata {
        let certificate = account.client_certificate.as_ref();
        let http = lines.http("orangedata", certificate)?;
        let base = &config.orangedata_base_url;
        let line = Line::new(http, base, "OrangeData", config.cloudkassir_concurrency);
        let (inn, callback) = (shop.receipt.inn.to_string(), lines.callback("orangedata"));
        let register = OrangeData::new(line, account, inn, callback)?;
        registers.insert(register.name(), Box::new(register));
    }
    if let Some(account) = shop.cloudkassir_v1 {
        let line =
            lines.line("cloudkassir-v1", "CloudKassir v1", &config.cloudkassir_v1_base_url)?;
        let register = CloudKassirV1::new(line, account, lines.callback("cloudkassir-v1"));
        registers.insert(register.name(), Box::new(register));
    }
    Ok(Desk {
        rules: shop.receipt,
        callback_secret: shop.api_secret,
        registers,
        first: shop.register,
        fallback: shop.fallback,
        pace: shop.pace,
        slow_until: Mutex::default(),
        away_since: Mutex::default(),
    })
}

/// What lines to registers are made of.
struct Lines<'a> {
    config: &'a Config,
    metrics: &'a Metrics,
}

impl Lines<'_> {
    fn http(&self, vendor: &'static str, pem: Option<&Secret>) -> Result<Client, StartError> {
        let timeout = self.config.cloudkassir_timeout;
        let Some(pem) = pem else { return Client::new(vendor, timeout, self.metrics) };
        let identity = reqwest::Identity::from_pem(pem.expose().as_bytes());
        let identity = identity.map_err(|_| {
            StartError::new("client_certificate must be a certificate and its key, PEM")
        })?;
        Client::with(vendor, timeout, self.metrics, |builder| builder.identity(identity))
    }

    fn line(
        &self,
        vendor: &'static str,
        title: &'static str,
        base: &Url,
    ) -> Result<Line, StartError> {
        let http = self.http(vendor, None)?;
        Ok(Line::new(http, base, title, self.config.cloudkassir_concurrency))
    }

    /// Where a register tells what became of receipts.
    fn callback(&self, vendor: &str) -> Option<String> {
        let base = self.config.fiscal_callback_base_url.as_ref()?;
        Some(format!("{}/callbacks/{vendor}", bare(base)))
    }
}

fn bare(url: &Url) -> &str {
    url.as_str().trim_end_matches('/')
}

impl Desk {
    /// The register for a new receipt: the first one, or the fallback when the first one has been
    /// away for long. While a register was last found away, nothing is begun before it answers.
    pub(crate) async fn register(
        &self,
        order: &OrderRef,
        now: OffsetDateTime,
    ) -> Result<Option<&dyn Register>, Error> {
        let Some(first) = self.named(self.first) else { return Ok(None) };
        let Err(error) = answers(first, order).await else {
            *self.away_since() = None;
            return Ok(Some(first));
        };
        let since = *self.away_since().get_or_insert(now);
        let fallback = self.fallback.as_ref().filter(|fallback| now - since >= fallback.after);
        let Some(other) = fallback.and_then(|fallback| self.named(fallback.register)) else {
            return Err(error);
        };
        answers(other, order).await?;
        tracing::warn!(order.id = order.id, "a receipt goes to the fallback register");
        Ok(Some(other))
    }

    /// The least time between two receipts at a register; zero where there is none. A register that
    /// asked for patience gets one receipt a second for a while.
    pub(crate) fn pace(&self, register: RegisterName, now: OffsetDateTime) -> Duration {
        let slow = self.slow_until.lock().unwrap_or_else(PoisonError::into_inner);
        let own = match (self.pace, register) {
            (Some(pace), _) => pace,
            (None, RegisterName::OrangeData) => ONE_A_SECOND,
            (None, _) => Duration::ZERO,
        };
        if slow.is_some_and(|until| now < until) { own.max(ONE_A_SECOND) } else { own }
    }

    /// A register asked for patience.
    pub(crate) fn slow_down(&self, until: OffsetDateTime) {
        let mut slow = self.slow_until.lock().unwrap_or_else(PoisonError::into_inner);
        *slow = Some(slow.map_or(until, |before| before.max(until)));
    }

    /// The register of this name.
    pub(crate) fn named(&self, name: RegisterName) -> Option<&dyn Register> {
        self.registers.get(&name).map(AsRef::as_ref)
    }

    /// Which registers it has.
    pub(crate) fn names(&self) -> impl Iterator<Item = RegisterName> {
        self.registers.keys().copied()
    }

    fn away_since(&self) -> std::sync::MutexGuard<'_, Option<OffsetDateTime>> {
        self.away_since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks a register that was last found away whether it is back.
async fn answers(register: &dyn Register, order: &OrderRef) -> Result<(), Error> {
    if !register.is_away() {
        return Ok(());
    }
    match register.ping(order).await {
        Err(error @ Error { what: What::NotSent(_) | What::NoAnswer(_), .. }) => Err(error),
        _ => Ok(()),
    }
}
