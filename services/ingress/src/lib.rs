#![doc = include_str!("../README.md")]

mod body;
pub mod content;
pub mod diff;
mod door;
mod gauges;
mod http;
mod keeper;
mod reader;
mod reconcile;
mod store;
mod words;

use std::{collections::HashMap, sync::Arc, time::Duration};

use bitrix::{
    BitrixArgs,
    rest::{Limiter, Portal},
};
use events::{Event, ShopId};
use runtime::{Failure, Kit, StartError, Step, Worker};
use sqlx::migrate::Migrator;
use time::OffsetDateTime;
use tokio::sync::Semaphore;

pub use http::SHOP_HEADER;
pub use reader::State;

use door::Door;
use gauges::Gauges;
use keeper::Keeper;
use reader::Reader;
use reconcile::Reconcile;
use store::Store;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// How long is remembered what a webhook led to: longer than its job can live.
const REMEMBER: Duration = Duration::from_secs(14 * 24 * 3600);
/// How often what is older is forgotten.
const FORGET: Duration = Duration::from_secs(3600);

/// The settings of ingress.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// The shops.
    #[command(flatten)]
    pub bitrix: BitrixArgs,
    /// How often each portal is asked for the orders that changed, for the webhooks that were
    /// lost; `0s` leaves it out.
    #[arg(long, env, default_value = "5m", value_parser = humantime::parse_duration)]
    pub reconcile_every: Duration,
    /// How far each poll reaches back before the end of the last one: more than a poll may take
    /// and clocks may differ.
    #[arg(long, env, default_value = "10m", value_parser = humantime::parse_duration)]
    pub reconcile_overlap: Duration,
    /// How often webhooks that were taken while the broker was away are offered to it.
    #[arg(long, env, default_value = "1s", value_parser = humantime::parse_duration)]
    pub ingress_spool_every: Duration,
    /// How many webhooks are taken at once; a call beyond that is told to come again. Each may hold
    /// a megabyte for as long as its caller takes to send it.
    #[arg(long, env, default_value_t = 256)]
    pub ingress_calls: usize,
}

/// The service: the two doors, and the reader behind them.
pub struct Ingress {
    kit: Kit,
    door: Door,
    keeper: Keeper,
    reader: Reader,
    reconcile: Reconcile,
    store: Store,
    gauges: Gauges,
    spool_every: Duration,
    places: Semaphore,
}

impl Worker for Ingress {
    const NAME: &'static str = "webhooks";
    const TOPICS: &'static [&'static str] = &[];
    const SERVICE: &'static str = "ingress";
    const GIVE_UP: Duration = Duration::from_secs(3 * 24 * 3600);
    const MIGRATIONS: Option<&'static Migrator> = Some(&MIGRATIONS);

    type Config = Config;
    type State = State;

    async fn build(config: Config, kit: Kit) -> Result<Self, StartError> {
        let shops = Arc::new(config.bitrix.shops()?);
        let door = Door::new(&shops)?;
        let gauges = Gauges::new(&kit.metrics().registry)?;
        let store = Store::new(kit.pool());
        let limiter = Limiter::new(kit.pool());
        let mut portals: HashMap<ShopId, Portal> = HashMap::new();
        for (id, _, portal) in shops.portals() {
            let portal = Portal::open(portal, &config.bitrix, &limiter, kit.metrics())?;
            portals.insert(id.clone(), portal);
        }
        let reconcile = Reconcile {
            kit: kit.clone(),
            store: store.clone(),
            gauges: gauges.clone(),
            portals: portals.clone(),
            since: reconcile::beginnings(&shops),
            every: config.reconcile_every,
            overlap: config.reconcile_overlap,
        };
        let keeper = Keeper::new(kit.clone(), store.clone(), gauges.clone());
        let reader = Reader { store: store.clone(), shops, portals, gauges: gauges.clone() };
        let spool_every = config.ingress_spool_every;
        let places = Semaphore::new(config.ingress_calls);
        Ok(Self { kit, door, keeper, reader, reconcile, store, gauges, spool_every, places })
    }

    async fn step(&self, event: &Event, state: State) -> Result<Step<State>, Failure> {
        self.reader.step(event, state).await
    }

    fn routes(self: Arc<Self>) -> axum::Router {
        http::routes(self)
    }

    async fn background(self: Arc<Self>) {
        tokio::join!(self.keeper.forward(self.spool_every), self.reconcile.run(), self.forget());
    }
}

impl Ingress {
    /// Forgets what webhooks led to that cannot come back.
    async fn forget(&self) {
        while self.kit.pause(FORGET).await {
            if let Err(error) = self.store.forget(OffsetDateTime::now_utc() - REMEMBER).await {
                tracing::warn!(%error, "old notes are not forgotten");
            }
        }
    }
}
