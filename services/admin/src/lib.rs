#![doc = include_str!("../README.md")]

mod actions;
mod api;
mod back;
mod choice;
pub mod config;
pub mod ctl;
mod egais;
mod exposition;
mod filter;
mod gauges;
mod giving_up;
mod group;
mod intake;
mod letter;
mod loyalty;
mod mask;
mod notify;
mod oidc;
mod people;
mod runner;
mod scrape;
mod services;
mod shared;
mod store;
mod timeline;
mod verdict;
mod watch;
mod web;
mod words;

use std::{sync::Arc, time::Duration};

use events::Event;
use runtime::{Failure, Kit, StartError, Step, Worker};
use sqlx::migrate::Migrator;

pub use config::{Config, Language};

use notify::Notifier;
use store::Store;

/// The service's own tables.
pub static MIGRATIONS: Migrator = sqlx::migrate!();

/// How often old data are forgotten.
const FORGET: Duration = Duration::from_secs(600);
/// How long after a replay's end its letters may still be heard of.
const OVER: Duration = Duration::from_secs(24 * 3_600);
/// How old what many people look at may be: it is fetched once for all of them.
const FRESH: Duration = Duration::from_secs(2);

/// The worker that writes timelines, and all that the people on duty use.
pub struct Admin {
    config: Config,
    kit: Kit,
    store: Store,
    gauges: gauges::Gauges,
    notifier: Notifier,
    scraper: scrape::Scraper,
    loyalty: Option<loyalty::Accounts>,
    egais: Option<egais::Stocks>,
    oidc: Option<oidc::Provider>,
    picture: shared::Shared<store::Picture>,
    replays: shared::Shared<Vec<store::ReplayRow>>,
}

impl Worker for Admin {
    const NAME: &'static str = "admin";
    const TOPICS: &'static [&'static str] = &["order.#", "status.#"];
    /// PostgreSQL takes a few lines at once; more jobs in hand would only stand in line.
    const AT_ONCE: u16 = 32;
    const MIGRATIONS: Option<&'static Migrator> = Some(&MIGRATIONS);

    type Config = Config;
    type State = ();

    async fn build(config: Config, kit: Kit) -> Result<Self, StartError> {
        let store = Store::new(kit.pool());
        let gauges = gauges::Gauges::new(kit.metrics())?;
        let notifier = Notifier::open(&config, kit.metrics())?;
        let scraper = scrape::Scraper::open(&config, kit.metrics())?;
        let loyalty = loyalty::Accounts::open(&config, kit.metrics())?;
        let egais = egais::Stocks::open(&config, kit.metrics())?;
        let oidc = oidc::Provider::open(&config, kit.metrics())?;
        if config.admin_marking_url.as_deref().is_some_and(|url| !url.starts_with("http")) {
            return Err(StartError::new("ADMIN_MARKING_URL is not https://… or http://…"));
        }
        if oidc.is_none() && !config.admin_passwords {
            return Err(StartError::new(
                "ADMIN_PASSWORDS is off and there is no ADMIN_OIDC_ISSUER: nobody could sign in",
            ));
        }
        Ok(Self {
            config,
            kit,
            store,
            gauges,
            notifier,
            scraper,
            loyalty,
            egais,
            oidc,
            picture: shared::Shared::new(FRESH),
            replays: shared::Shared::new(FRESH),
        })
    }

    async fn step(&self, event: &Event, (): ()) -> Result<Step<()>, Failure> {
        if let Some(entry) = timeline::entry(event) {
            self.store.enter(&entry).await.map_err(|error| words::store_away(event, &error))?;
        }
        Ok(Step::done(()))
    }

    fn routes(self: Arc<Self>) -> axum::Router {
        web::router(self)
    }

    async fn background(self: Arc<Self>) {
        let drain = self.kit.desk().drain(|letters| intake::keep(&self.store, letters));
        let replay = runner::run(&self.kit, &self.store);
        let give_up = giving_up::run(&self.kit, &self.store);
        let notify = notify::run(&self);
        let scrape = self.scraper.run(&self.kit, &self.store);
        let count = self.gauges.run(&self.kit, &self.store);
        tokio::join!(
            drain,
            replay,
            give_up,
            notify,
            self.forget(),
            scrape,
            back::run(&self),
            count
        );
    }
}

impl Admin {
    async fn forget(&self) {
        // At the start too: a process may never live for as long as a pause.
        loop {
            let old = self.store.forget(self.config.admin_keep).await;
            let over = self.store.sweep_people(self.config.admin_session_longest).await;
            let begun = self.store.sweep_sign_ins().await;
            let counted = self.store.count_replays(OVER).await;
            if let Err(error) = old.and(over).and(begun).and(counted) {
                tracing::warn!(%error, "old data are not forgotten this time");
            }
            if !self.kit.pause(FORGET).await {
                return;
            }
        }
    }
}
