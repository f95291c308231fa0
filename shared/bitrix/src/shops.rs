//! Which shops there are, and what their codes mean: the file named by `BITRIX_SHOPS_FILE`.
//!
//! `deploy/demo/bitrix.toml` is the commented example; a test reads it. Secrets are not in the
//! file, only where they are kept.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    path::{Path, PathBuf},
    time::Duration,
};

use events::{MarksBy, ShopId};
use runtime::{Secret, StartError};
use serde::Deserialize;
use time::OffsetDateTime;
use url::Url;

use crate::signature::Key;

mod meaning;

pub use meaning::{Meaning, Moment, StatusCode, Statuses, Writeback};

/// The settings that every service has that talks to a shop.
#[derive(Debug, Clone, clap::Args)]
pub struct BitrixArgs {
    /// The TOML file that names the shops; `deploy/demo/bitrix.toml` is a commented example.
    #[arg(long, env)]
    pub bitrix_shops_file: PathBuf,
    /// How long an answer from Bitrix is waited for: less than half of the jobs' lease, because a
    /// call may also wait for the portal's rate limit.
    #[arg(long, env, default_value = "20s", value_parser = humantime::parse_duration)]
    pub bitrix_timeout: Duration,
}

impl BitrixArgs {
    /// Reads the file.
    ///
    /// # Errors
    /// As [`Shops::load`].
    pub fn shops(&self) -> Result<Shops, StartError> {
        Shops::load(&self.bitrix_shops_file)
    }
}

/// All shops, by our own names for them.
#[derive(Debug, Clone)]
pub struct Shops(BTreeMap<ShopId, Shop>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    shops: BTreeMap<ShopId, Shop>,
}

/// One shop: a Bitrix24 portal, a site, or a site whose orders also live in a portal.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shop {
    /// The Bitrix24 portal, if there is one.
    pub portal: Option<PortalSettings>,
    /// The site with our module, if there is one.
    pub site: Option<SiteSettings>,
    /// What the order statuses mean.
    pub statuses: Statuses,
    /// Under which codes the order properties tell the buyer.
    #[serde(default)]
    pub properties: BuyerProperties,
    /// What is told to the shop, and how.
    #[serde(default)]
    pub writeback: Writeback,
    /// How marking codes leave circulation: `receipt`, which then carries them, or `document`, and then it
    /// carries none. Orders that were seen before keep what was set then.
    #[serde(default)]
    pub marks: MarksBy,
    /// When Parom took over, such as `"2026-12-01T00:00:00+03:00"`: what happened to orders before
    /// that is remembered and not acted upon.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub since: Option<OffsetDateTime>,
}

/// A Bitrix24 portal.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortalSettings {
    /// The portal's address, such as `shop.bitrix24.ru`: for people, and for the log.
    pub domain: String,
    /// `auth[member_id]` of its calls: the portal's identity, which outlives its domain.
    pub member_id: String,
    /// `auth[application_token]`s of its outgoing webhooks; several while one replaces another.
    pub application_tokens: Vec<Secret>,
    /// The incoming webhook, `https://<portal>/rest/<user>/<code>/`. All of it is a secret.
    pub webhook_url: Secret,
    /// Requests per second that the portal allows to one address: 2, and 5 on Enterprise.
    #[serde(default = "two")]
    pub rate: NonZeroU32,
    /// Requests that it allows at once before that: 50, and 250 on Enterprise.
    #[serde(default = "fifty")]
    pub burst: NonZeroU32,
    /// The user who is notified where an order names nobody responsible.
    pub notify_user: Option<u64>,
    /// `CLIENT_ID` for `im.notify.system.add`, which an incoming webhook must give: any text that
    /// stays the same.
    #[serde(default = "parom")]
    pub client_id: String,
}

/// A 1C-Bitrix site with our module.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteSettings {
    /// Secrets by which its calls are signed (`whsec_…`); several while one replaces another.
    pub webhook_secrets: Vec<Secret>,
    /// Where the module takes our answers.
    pub writeback_url: Url,
    /// The secret by which we sign them (`whsec_…`).
    pub writeback_secret: Secret,
    /// How many calls each replica makes to it at once: a site has buyers to serve beside us.
    #[serde(default = "four")]
    pub calls: NonZeroU32,
}

/// Codes of the order properties that tell who buys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BuyerProperties {
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// The phone.
    pub phone: String,
    /// The taxpayer number of a company or an entrepreneur.
    pub inn: String,
    /// The reason code of a company.
    pub kpp: String,
}

impl Shops {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// [`StartError`] names the file and the place: a name that nobody knows, a secret that is
    /// not there, a status that would mean two things, two shops with one `member_id`.
    pub fn load(path: &Path) -> Result<Self, StartError> {
        let File { shops } = runtime::settings::file(path)?;
        check(&shops).map_err(|wrong| StartError(format!("{}: {wrong}", path.display())))?;
        Ok(Self(shops))
    }

    /// The shop of this name.
    #[must_use]
    pub fn by_id(&self, id: &ShopId) -> Option<&Shop> {
        self.0.get(id)
    }

    /// The shop whose portal has this `member_id`.
    #[must_use]
    pub fn by_member_id(&self, member_id: &str) -> Option<(&ShopId, &Shop, &PortalSettings)> {
        self.portals().find(|(.., portal)| portal.member_id == member_id)
    }

    /// The shops that are portals.
    pub fn portals(&self) -> impl Iterator<Item = (&ShopId, &Shop, &PortalSettings)> {
        self.iter().filter_map(|(id, shop)| Some((id, shop, shop.portal.as_ref()?)))
    }

    /// The shops that are sites.
    pub fn sites(&self) -> impl Iterator<Item = (&ShopId, &Shop, &SiteSettings)> {
        self.iter().filter_map(|(id, shop)| Some((id, shop, shop.site.as_ref()?)))
    }

    /// All shops, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&ShopId, &Shop)> {
        self.0.iter()
    }
}

impl Default for BuyerProperties {
    fn default() -> Self {
        let [name, email, phone, inn, kpp] =
            ["FIO", "EMAIL", "PHONE", "INN", "KPP"].map(Into::into);
        Self { name, email, phone, inn, kpp }
    }
}

/// What the types cannot say. The reasons are for the operator and hold no secret.
fn check(shops: &BTreeMap<ShopId, Shop>) -> Result<(), String> {
    let mut members = BTreeSet::new();
    for (id, shop) in shops {
        let wrong = |what: &str| Err(format!("the shop {id:?}: {what}", id = id.as_str()));
        if shop.portal.is_some() && shop.site.is_some() {
            return wrong(
                "names both a portal and a site; an order in both would be fiscalised twice, \
                 so name the one that sells",
            );
        }
        if shop.portal.is_none() && shop.site.is_none() {
            return wrong("it has neither [portal] nor [site]");
        }
        if let Some(status) = shop.statuses.ambiguous() {
            return wrong(&format!("the status {} stands in two lists", status.as_str()));
        }
        let set = shop.writeback.order_status.values();
        if let Some(status) = set.into_iter().find(|s| shop.statuses.meaning(s.as_str()).is_none())
        {
            let status = status.as_str();
            return wrong(&format!(
                "writeback sets the status {status}, which [statuses] does not know"
            ));
        }
        if let Some(portal) = &shop.portal {
            check_portal(portal).or_else(|what| wrong(&what))?;
            if !members.insert(portal.member_id.clone()) {
                return wrong("another shop has the same portal.member_id");
            }
        }
        if let Some(site) = &shop.site {
            check_site(site).or_else(|what| wrong(&what))?;
        }
    }
    Ok(())
}

fn check_portal(portal: &PortalSettings) -> Result<(), String> {
    if portal.application_tokens.iter().all(|token| token.expose().is_empty()) {
        return Err("portal.application_tokens holds no token".into());
    }
    let rest = Url::parse(portal.webhook_url.expose())
        .is_ok_and(|url| url.scheme().starts_with("http") && url.path().contains("/rest/"));
    if !rest {
        return Err(
            "portal.webhook_url is not of the form https://<portal>/rest/<user>/<code>/".into()
        );
    }
    Ok(())
}

fn check_site(site: &SiteSettings) -> Result<(), String> {
    let wrong = |secret: &Secret| Key::parse(secret.expose()).err();
    if site.webhook_secrets.is_empty() {
        return Err("site.webhook_secrets holds no secret".into());
    }
    if let Some(error) = site.webhook_secrets.iter().find_map(wrong) {
        return Err(format!("site.webhook_secrets: {error}"));
    }
    wrong(&site.writeback_secret)
        .map_or(Ok(()), |error| Err(format!("site.writeback_secret: {error}")))
}

fn two() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(1)
}

fn four() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(3)
}

fn fifty() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(49)
}

fn parom() -> String {
    "parom".to_owned()
}

#[cfg(test)]
mod tests;
