#![doc = include_str!("../README.md")]

mod afterwards;
pub mod config;
pub mod diadoc;
mod feed;
mod flow;
mod format;
mod gauges;
mod http;
pub mod plan;
mod state;
pub mod store;
pub mod upd;
mod words;
pub mod xml;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::Router;
use events::{Event, ShopId};
use futures_util::future::BoxFuture;
use runtime::{Failure, Kit, Metrics, RetryPolicy, StartError, Step, Worker};
use signing::Signer;
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

pub use format::Formats;
pub use state::{Attempt, Refused, Sent, State};

use crate::{
    config::{Config, Shop},
    diadoc::Client,
    gauges::Gauges,
    store::Store,
};

/// The tables of the service.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// The documents of the shops' orders at Diadoc.
pub struct Edo {
    config: Config,
    shops: BTreeMap<ShopId, Shop>,
    formats: Formats,
    store: Store,
    diadoc: Client,
    gauges: Gauges,
    /// This replica, for the lease of the feed.
    holder: Uuid,
    outside: Outside,
}

/// What the service needs of the world beside Diadoc.
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
    /// Has the job known by this message looked at now.
    pub nudge: Nudge,
    /// Tells an event from outside of a step; `false` when it could not be told.
    pub tell: Tell,
}

/// What came of a nudge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nudged {
    /// The job is looked at.
    Job,
    /// There is no open job of this name.
    Nobody,
    /// It could not be asked for.
    Away,
}

/// See [`Outside::pause`].
pub type Pause = Box<dyn Fn(Duration) -> BoxFuture<'static, bool> + Send + Sync>;
/// See [`Outside::nudge`].
pub type Nudge = Box<dyn Fn(String) -> BoxFuture<'static, Nudged> + Send + Sync>;
/// See [`Outside::tell`].
pub type Tell = Box<dyn Fn(Event) -> BoxFuture<'static, bool> + Send + Sync>;

impl Worker for Edo {
    const NAME: &'static str = "edo";
    const TOPICS: &'static [&'static str] =
        &["order.shipped", "order.paid", "order.cancelled", "order.returned"];
    /// Failures are tried again for about a day.
    const RETRY: RetryPolicy = RetryPolicy { attempts: Some(56), ..RetryPolicy::DEFAULT };
    /// Buyers sign within two days on average; who has not signed in three months will not.
    const GIVE_UP: Duration = Duration::from_secs(90 * 24 * 3600);
    /// Four requests at once are recommended, over all replicas.
    const AT_ONCE: u16 = 8;
    const MIGRATIONS: Option<&'static sqlx::migrate::Migrator> = Some(&MIGRATOR);

    type Config = Config;
    type State = State;

    async fn build(config: Config, kit: Kit) -> Result<Self, StartError> {
        let shops = config::read(&config)?;
        let (pauses, words) = (kit.clone(), kit.clone());
        let outside = Outside {
            pool: kit.pool().clone(),
            metrics: kit.metrics().clone(),
            signer: Signer::new(&config.signer, kit.metrics())?,
            now: Arc::new(OffsetDateTime::now_utc),
            pause: Box::new(move |duration| {
                let kit = pauses.clone();
                Box::pin(async move { kit.pause(duration).await })
            }),
            nudge: Box::new(move |message| {
                let kit = kit.clone();
                Box::pin(async move {
                    match kit.nudge(&message).await {
                        Ok(true) => Nudged::Job,
                        Ok(false) => Nudged::Nobody,
                        Err(_) => Nudged::Away,
                    }
                })
            }),
            tell: Box::new(move |event| {
                let kit = words.clone();
                Box::pin(async move { kit.tell(&event).await.is_ok() })
            }),
        };
        Self::new(config, shops, outside)
    }

    fn absent(state: State) -> State {
        state.absent()
    }

    fn found(state: State) -> Step<State> {
        match state.found() {
            state @ State::Found { .. } => Step::again(state),
            other => Step::done(other),
        }
    }

    async fn step(&self, event: &Event, state: State) -> Result<Step<State>, Failure> {
        self.go(event, state).await
    }

    fn routes(self: Arc<Self>) -> Router {
        http::router(self)
    }

    async fn background(self: Arc<Self>) {
        self.follow().await;
    }
}

impl Edo {
    /// The service with these settings in this world.
    ///
    /// # Errors
    /// [`StartError`] names the setting that is wrong.
    pub fn new(
        config: Config,
        shops: BTreeMap<ShopId, Shop>,
        outside: Outside,
    ) -> Result<Self, StartError> {
        Ok(Self {
            formats: Formats::read(config.edo_xsd_dir.as_deref())?,
            store: Store::new(outside.pool.clone()),
            diadoc: Client::new(&config.diadoc, &outside.pool, &outside.metrics)?,
            gauges: Gauges::new(&outside.metrics)?,
            holder: Uuid::new_v4(),
            shops,
            config,
            outside,
        })
    }

    fn now(&self) -> OffsetDateTime {
        (self.outside.now)()
    }
}
