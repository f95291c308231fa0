#![doc = include_str!("../README.md")]

mod actions;
mod api;
pub mod config;
pub mod ctl;
mod filter;
mod group;
mod intake;
mod letter;
mod mask;
mod notify;
mod people;
mod runner;
mod scrape;
mod services;
mod store;
mod timeline;
mod verdict;
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

/// The worker that writes timelines, and all that the people on duty use.
pub struct Admin {
    config: Config,
    kit: Kit,
    store: Store,
    notifier: Notifier,
    scraper: scrape::Scraper,
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
        let notifier = Notifier::open(&config, kit.metrics())?;
        let scraper = scrape::Scraper::open(&config.admin_services, kit.metrics())?;
        Ok(Self { config, kit, store, notifier, scraper })
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
        let notify = notify::run(&self);
        tokio::join!(drain, replay, notify, self.forget(), self.scraper.run(&self.kit));
    }
}

impl Admin {
    async fn forget(&self) {
        while self.kit.pause(FORGET).await {
            let old = self.store.forget(self.config.admin_keep).await;
            let over = self.store.sweep_people(self.config.admin_session_longest).await;
            if let Err(error) = old.and(over) {
                tracing::warn!(%error, "old data are not forgotten this time");
            }
        }
    }
}
