//! A shop's cash desk: its rules and its registers.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use events::ShopId;
use runtime::{Metrics, Secret, StartError, http::Client};
use time::OffsetDateTime;
use url::Url;

use crate::{
    cashbox::Cashbox,
    config::{Config, Fallback, Shop},
    receipt::{Rules, Seller},
    registers::{
        Error, Line, Register, RegisterName, What,
        atol::Atol,
        cloudkassir::CloudKassir,
        cloudkassir_v1::CloudKassirV1,
        orangedata::{self, OrangeData},
    },
    subject::Subject,
};

/// The pace of a register that takes one receipt a second.
const ONE_A_SECOND: Duration = Duration::from_secs(1);

/// The cash desk of one shop.
pub(crate) struct Desk {
    /// How receipts are made of what happens to orders, unless Bitrix composes them.
    pub(crate) rules: Option<Rules>,
    /// How Bitrix composes them.
    pub(crate) cashbox: Option<Cashbox>,
    /// Who sells.
    pub(crate) seller: Seller,
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
    shop.check().map_err(StartError::new)?;
    let seller = shop.seller().ok_or_else(|| StartError::new("a shop has no seller"))?;
    let mut registers: BTreeMap<RegisterName, Box<dyn Register>> = BTreeMap::new();
    let config = lines.config;
    if let Some(account) = shop.cloudkassir() {
        let line = lines.line("cloudkassir", "CloudKassir", &config.cloudkassir_base_url)?;
        let line = line.crowded_at_429();
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
        let http = lines.with_certificates(&account)?;
        let base = &config.orangedata_base_url;
        let line = Line::new(http, base, "OrangeData", config.cloudkassir_concurrency);
        let (inn, callback) = (seller.inn.to_string(), lines.callback("orangedata"));
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
        cashbox: shop.cashbox,
        seller,
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
    /// A client that shows the shop's certificate to OrangeData, and knows its authorities.
    fn with_certificates(&self, account: &orangedata::Account) -> Result<Client, StartError> {
        let identity = account.client_certificate.as_ref().map(|pem| {
            reqwest::Identity::from_pem(pem.expose().as_bytes()).map_err(|_| {
                StartError::new("client_certificate must be a certificate and its key, PEM")
            })
        });
        let authorities = account.authorities.as_ref().map(|pem| {
            reqwest::Certificate::from_pem_bundle(pem.expose().as_bytes())
                .map_err(|_| StartError::new("authorities must be certificates, PEM"))
        });
        let (identity, authorities) = (identity.transpose()?, authorities.transpose()?);
        let timeout = self.config.cloudkassir_timeout;
        Client::with("orangedata", timeout, self.metrics, |builder| {
            let builder = match identity {
                Some(identity) => builder.identity(identity),
                None => builder,
            };
            let authorities = authorities.into_iter().flatten();
            authorities.fold(builder, |builder, one| builder.add_root_certificate(one))
        })
    }

    fn line(
        &self,
        vendor: &'static str,
        title: &'static str,
        base: &Url,
    ) -> Result<Line, StartError> {
        let http = Client::new(vendor, self.config.cloudkassir_timeout, self.metrics)?;
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
        subject: &Subject,
        now: OffsetDateTime,
    ) -> Result<Option<&dyn Register>, Error> {
        let Some(first) = self.named(self.first) else { return Ok(None) };
        let Err(error) = answers(first, subject).await else {
            *self.away_since() = None;
            return Ok(Some(first));
        };
        let since = *self.away_since().get_or_insert(now);
        let fallback = self.fallback.as_ref().filter(|fallback| now - since >= fallback.after);
        let Some(other) = fallback.and_then(|fallback| self.named(fallback.register)) else {
            return Err(error);
        };
        answers(other, subject).await?;
        tracing::warn!(receipt = subject.en, "a receipt goes to the fallback register");
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

    /// The register for new receipts.
    pub(crate) fn first(&self) -> Option<&dyn Register> {
        self.named(self.first)
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
async fn answers(register: &dyn Register, subject: &Subject) -> Result<(), Error> {
    if !register.is_away() {
        return Ok(());
    }
    match register.ping(subject).await {
        Err(error @ Error { what: What::NotSent(_) | What::NoAnswer(_), .. }) => Err(error),
        _ => Ok(()),
    }
}
