//! Writes what the services say about an order back to its shop: order properties, the order's
//! status, a comment in its timeline, a notification of the responsible user.
//!
//! Statuses of one order that wait at the same time are written in one go. Each job notes its
//! status in the order's book and then asks for the order; who gets it writes all that is new
//! and closes it, and the others find their statuses written. The truth is in the book, so a job
//! has no state of its own.
//!
//! No loops: our own writes come back as webhooks, but they change nothing that facts are made
//! of. Only the order's status is, and it is set where the configuration says so, when it differs,
//! and once for a cause.

mod book;
mod check;
mod flow;
mod news;
mod plan;
mod portal;
mod store;
mod words;

use std::{collections::HashMap, sync::Arc, time::Duration};

use bitrix::{
    BitrixArgs, Shop, Shops,
    rest::{Limiter, Portal},
    site::Site,
};
use events::{Event, Fact, OrderRef, ShopId};
use runtime::{Failure, Kit, Metrics, StartError, Step, Worker};
use sqlx::{PgPool, migrate::Migrator};
use tokio_util::sync::CancellationToken;

pub use words::Language;

use portal::PortalSide;
use store::Store;

/// The service's own tables.
pub static MIGRATIONS: Migrator = sqlx::migrate!();

/// How often old statuses are forgotten.
const PRUNE: Duration = Duration::from_secs(3600);

/// The settings of `status`.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// What every service has that talks to a shop.
    #[command(flatten)]
    pub bitrix: BitrixArgs,
    /// The language of comments and notifications.
    #[arg(long, env, value_enum, default_value = "ru")]
    pub status_language: Language,
    /// How long a portal may go on working on a request that it did not answer: Bitrix ends
    /// requests after 60s. Only then can be seen whether a comment was written.
    #[arg(long, env, default_value = "60s", value_parser = humantime::parse_duration)]
    pub status_settle: Duration,
    /// How long one job has an order for itself: longer than the longest step.
    #[arg(long, env, default_value = "90s", value_parser = humantime::parse_duration)]
    pub status_lease: Duration,
    /// How long is kept what was said about an order.
    #[arg(long, env, default_value = "90d", value_parser = humantime::parse_duration)]
    pub status_keep: Duration,
}

/// The worker.
#[derive(Debug)]
pub struct StatusWriter {
    config: Config,
    shops: Shops,
    portals: HashMap<ShopId, Portal>,
    sites: HashMap<ShopId, Site>,
    store: Store,
    shutdown: CancellationToken,
}

/// Where an order is kept.
#[derive(Debug)]
enum Side<'a> {
    Portal(PortalSide<'a>),
    Site(&'a Site, &'a Shop),
}

impl Worker for StatusWriter {
    const NAME: &'static str = "status";
    const TOPICS: &'static [&'static str] = &["status.#"];
    /// Shops take a few calls at once; more jobs in hand would only stand in line.
    const AT_ONCE: u16 = 32;
    const MIGRATIONS: Option<&'static Migrator> = Some(&MIGRATIONS);

    type Config = Config;
    type State = ();

    async fn build(config: Config, kit: Kit) -> Result<Self, StartError> {
        Self::open(config, kit.pool(), kit.metrics(), kit.shutdown().clone())
    }

    async fn step(&self, event: &Event, (): ()) -> Result<Step<()>, Failure> {
        if let Fact::CheckIssued(issued) = &event.fact {
            return self.enter(issued).await;
        }
        let Fact::StatusChanged(status) = &event.fact else {
            return Err(words::no_status(event));
        };
        let order = &status.order;
        let side = self.side(order).ok_or_else(|| words::no_shop(order));
        let outcome = match side {
            Ok(side) => self.write(event, status, &side).await,
            Err(failure) => Err(failure),
        };
        outcome.map_err(|failure| words::about(order, failure))
    }

    async fn background(self: Arc<Self>) {
        let mut hours = tokio::time::interval(PRUNE);
        while self.shutdown.run_until_cancelled(hours.tick()).await.is_some() {
            if let Err(error) = self.store.prune(self.config.status_keep).await {
                tracing::warn!(%error, "old statuses are not forgotten yet");
            }
        }
    }
}

impl StatusWriter {
    /// The worker of these settings, on tables that [`MIGRATIONS`] sets up in the pool's schema.
    ///
    /// # Errors
    /// [`StartError`] names what is wrong with the settings.
    pub fn open(
        config: Config,
        pool: &PgPool,
        metrics: &Metrics,
        shutdown: CancellationToken,
    ) -> Result<Self, StartError> {
        let shops = config.bitrix.shops()?;
        let limiter = Limiter::new(pool);
        let portals = shops
            .portals()
            .map(|(id, _, portal)| {
                Ok((id.clone(), Portal::open(portal, &config.bitrix, &limiter, metrics)?))
            })
            .collect::<Result<_, StartError>>()?;
        let sites = shops
            .sites()
            .map(|(id, _, site)| {
                Ok((id.clone(), Site::open(site, config.bitrix.bitrix_timeout, metrics)?))
            })
            .collect::<Result<_, StartError>>()?;
        Ok(Self { config, shops, portals, sites, store: Store::new(pool), shutdown })
    }

    fn side(&self, order: &OrderRef) -> Option<Side<'_>> {
        let shop = self.shops.by_id(&order.shop)?;
        if order.site {
            return Some(Side::Site(self.sites.get(&order.shop)?, shop));
        }
        let (portal, settings) = (self.portals.get(&order.shop)?, shop.portal.as_ref()?);
        Some(Side::Portal(PortalSide { portal, settings, shop }))
    }
}
