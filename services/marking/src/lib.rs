#![doc = include_str!("../README.md")]

pub mod config;
pub mod ctl;
mod flow;
mod gauges;
pub mod gismt;
mod http;
mod plan;
pub mod sheet;
mod state;
pub mod store;
mod words;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::Router;
use events::{Event, ShopId};
use futures_util::future::BoxFuture;
use runtime::{Failure, Kit, Metrics, RetryPolicy, StartError, Step, Worker};
use signing::Signer;
use sqlx::PgPool;
use time::OffsetDateTime;

pub use state::{New, Paper, Stage, State};

use crate::{
    config::{Config, Settings, Shop},
    gauges::Gauges,
    gismt::{Client, documents::Matrix},
    store::Store,
};

/// How often the numbers are counted.
const MINUTE: Duration = Duration::from_secs(60);

/// The tables of the service.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// The marking codes of the shops' orders.
pub struct Marking {
    config: Config,
    shops: BTreeMap<ShopId, Shop>,
    matrix: Matrix,
    store: Store,
    register: Client,
    gauges: Gauges,
    keys: http::Keys,
    outside: Outside,
}

/// What the service needs of the world beside the register.
pub struct Outside {
    /// PostgreSQL, with the service's schema as search path.
    pub pool: PgPool,
    /// Where metrics are kept.
    pub metrics: Metrics,
    /// Who signs.
    pub signer: Signer,
    /// The clock.
    pub now: Arc<dyn Fn() -> OffsetDateTime + Send + Sync>,
    /// Pauses; `false` when the process is to stop before that.
    pub pause: Pause,
}

/// See [`Outside::pause`].
pub type Pause = Box<dyn Fn(Duration) -> BoxFuture<'static, bool> + Send + Sync>;

impl Worker for Marking {
    const NAME: &'static str = "marking";
    const TOPICS: &'static [&'static str] = &[
        "order.created",
        "order.paid",
        "order.shipped",
        "order.cancelled",
        "order.returned",
        "order.changed",
        "status.fiscal",
    ];
    const RETRY: RetryPolicy = RetryPolicy::DEFAULT;
    /// A withdrawal by receipt shows days later, and the register may be away over long holidays.
    const GIVE_UP: Duration = Duration::from_secs(7 * 24 * 3600);
    /// The register serves fifty calls a second, and a job makes several.
    const AT_ONCE: u16 = 64;
    const MIGRATIONS: Option<&'static sqlx::migrate::Migrator> = Some(&MIGRATOR);

    type Config = Config;
    type State = State;

    async fn build(config: Config, kit: Kit) -> Result<Self, StartError> {
        let settings = config::read(&config)?;
        let outside = Outside {
            pool: kit.pool().clone(),
            metrics: kit.metrics().clone(),
            signer: Signer::new(&config.signer, kit.metrics())?,
            now: Arc::new(OffsetDateTime::now_utc),
            pause: Box::new(move |duration| {
                let kit = kit.clone();
                Box::pin(async move { kit.pause(duration).await })
            }),
        };
        Self::new(config, settings, outside)
    }

    fn absent(state: State) -> State {
        state.absent()
    }

    /// The document is there: its codes are followed to where it puts them, and entered in the stock.
    fn found(state: State) -> Step<State> {
        match state.found() {
            state @ (State::Done | State::Nothing { .. }) => Step::done(state),
            // Nothing was sent: he has seen to it himself.
            State::New(_) => Step::done(State::Nothing { why: "done by hand".to_owned() }),
            state => Step::again(state),
        }
    }

    async fn step(&self, event: &Event, state: State) -> Result<Step<State>, Failure> {
        self.go(event, state).await
    }

    fn routes(self: Arc<Self>) -> Router {
        http::router(self)
    }

    async fn background(self: Arc<Self>) {
        loop {
            match self.store.counts(self.now()).await {
                Ok(counts) => self.gauges.show(&counts),
                Err(error) => tracing::debug!(%error, "codes are counted a minute later"),
            }
            if !(self.outside.pause)(MINUTE).await {
                return;
            }
        }
    }
}

impl Marking {
    /// The service with these settings in this world.
    ///
    /// # Errors
    /// [`StartError`] names the setting that is wrong.
    pub fn new(config: Config, settings: Settings, outside: Outside) -> Result<Self, StartError> {
        let store = Store::new(outside.pool.clone());
        let metrics = &outside.metrics;
        let register = Client::new(&config.gismt, &outside.signer, &outside.pool, metrics)?;
        Ok(Self {
            gauges: Gauges::new(metrics)?,
            keys: http::Keys::new(&settings.people, config.marking_address_header.as_deref()),
            shops: settings.shops,
            matrix: settings.returns,
            store,
            register,
            config,
            outside,
        })
    }

    /// The stock.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    fn now(&self) -> OffsetDateTime {
        (self.outside.now)()
    }
}
