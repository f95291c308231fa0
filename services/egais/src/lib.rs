#![doc = include_str!("../README.md")]

pub mod config;
pub mod documents;
mod flow;
mod gauges;
mod http;
pub mod mark;
mod marks;
mod plan;
mod rests;
mod state;
pub mod store;
pub mod utm;
pub mod waybill;
mod words;
mod xml;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use events::Event;
use futures_util::future::{BoxFuture, join_all};
use runtime::{Failure, Kit, Metrics, RetryPolicy, StartError, Step, Worker};
use schema::Schema;
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::sync::Mutex;

pub use state::{Goods, New, Paper, Stage, State};
pub use xml::XmlError;

use crate::{
    config::{Config, Settings},
    gauges::Gauges,
    marks::Marks,
    store::Store,
    utm::{Away, Client},
};

/// The tables of the service.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// How often UTMs are asked how they are, and documents counted.
const MINUTE: Duration = Duration::from_secs(60);

/// Alcohol in EGAIS.
pub struct Egais {
    config: Config,
    settings: Settings,
    utms: BTreeMap<String, Client>,
    schema: Option<Arc<Schema>>,
    store: Store,
    marks: Marks,
    gauges: Gauges,
    /// Documents in UTMs' inboxes that are not for this service, by UTM: their paths.
    foreign: Mutex<HashMap<String, HashSet<String>>>,
    /// Documents that could not be read and were told of, and when they were first seen.
    unreadable: Mutex<HashMap<(String, String), OffsetDateTime>>,
    away: Away,
    outside: Outside,
}

/// What the service needs of the world beside UTMs.
pub struct Outside {
    /// PostgreSQL, with the service's schema as search path.
    pub pool: PgPool,
    /// Where metrics are kept.
    pub metrics: Metrics,
    /// The clock.
    pub now: Arc<dyn Fn() -> OffsetDateTime + Send + Sync>,
    /// Pauses; `false` when the process is to stop before that.
    pub pause: Pause,
    /// Has the job with this alias looked at now.
    pub nudge: Nudge,
}

/// See [`Outside::pause`].
pub type Pause = Box<dyn Fn(Duration) -> BoxFuture<'static, bool> + Send + Sync>;
/// See [`Outside::nudge`].
pub type Nudge = Box<dyn Fn(String) -> BoxFuture<'static, ()> + Send + Sync>;

impl Worker for Egais {
    const NAME: &'static str = "egais";
    const TOPICS: &'static [&'static str] = &["order.shipped", "order.returned", "order.cancelled"];
    /// The customer's rule: ten minutes, five times.
    const RETRY: RetryPolicy = RetryPolicy {
        first: Duration::from_secs(600),
        longest: Duration::from_secs(600),
        growth: 1.0,
        attempts: Some(5),
    };
    /// EGAIS may be silent for days; who must look hears of it after one.
    const GIVE_UP: Duration = Duration::from_secs(30 * 24 * 3600);
    /// A UTM takes one document at a time.
    const AT_ONCE: u16 = 16;
    const MIGRATIONS: Option<&'static sqlx::migrate::Migrator> = Some(&MIGRATOR);

    type Config = Config;
    type State = State;

    async fn build(config: Config, kit: Kit) -> Result<Self, StartError> {
        let settings = config::read(&config)?;
        config::fits(&config, kit.longest_step())?;
        if config.egais_xsd.is_none() {
            tracing::warn!(
                "EGAIS_XSD is not set: documents are not held against the official schemas"
            );
        }
        let (pausing, nudging) = (kit.clone(), kit.clone());
        let outside = Outside {
            pool: kit.pool().clone(),
            metrics: kit.metrics().clone(),
            now: Arc::new(OffsetDateTime::now_utc),
            pause: Box::new(move |duration| {
                let kit = pausing.clone();
                Box::pin(async move { kit.pause(duration).await })
            }),
            nudge: Box::new(move |alias| {
                let kit = nudging.clone();
                Box::pin(async move {
                    if let Err(error) = kit.nudge(&alias).await {
                        tracing::debug!(%error, "a job looks by itself a minute later");
                    }
                })
            }),
        };
        Self::new(config, settings, outside)
    }

    fn absent(state: State) -> State {
        state.absent()
    }

    fn found(state: State) -> Step<State> {
        match state.found() {
            state @ State::Papers { .. } => Step::again(state),
            state => Step::done(state),
        }
    }

    async fn step(&self, event: &Event, state: State) -> Result<Step<State>, Failure> {
        self.go(event, state).await
    }

    fn routes(self: Arc<Self>) -> Router {
        http::router(self)
    }

    async fn background(self: Arc<Self>) {
        let pollers = self.utms.keys().map(|name| self.watch(name));
        let (_, ()) = tokio::join!(join_all(pollers), self.count());
    }
}

impl Egais {
    /// The service with these settings in this world.
    ///
    /// # Errors
    /// [`StartError`] names the setting that is wrong.
    pub fn new(config: Config, settings: Settings, outside: Outside) -> Result<Self, StartError> {
        let times = (config.egais_timeout, config.egais_rests_timeout);
        let mut utms = BTreeMap::new();
        for (name, utm) in &settings.utms {
            utms.insert(name.clone(), Client::new(name, utm, times, &outside.metrics)?);
        }
        let schema = config.egais_xsd.as_deref().map(Schema::read).transpose();
        let schema = schema.map_err(|error| StartError::new(format!("--egais-xsd: {error}")))?;
        Ok(Self {
            gauges: Gauges::new(&outside.metrics)?,
            store: Store::new(outside.pool.clone()),
            schema: schema.map(Arc::new),
            marks: Marks::default(),
            foreign: Mutex::default(),
            unreadable: Mutex::default(),
            away: Away::default(),
            utms,
            settings,
            config,
            outside,
        })
    }

    /// The tables.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The UTM with this name in the settings.
    #[must_use]
    pub fn utm(&self, name: &str) -> Option<&Client> {
        self.utms.get(name)
    }

    fn now(&self) -> OffsetDateTime {
        (self.outside.now)()
    }

    /// Holds a document of ours against the official schemas, where there are some.
    async fn valid(&self, body: &str) -> Result<(), String> {
        let Some(schema) = self.schema.clone() else { return Ok(()) };
        let body = body.to_owned();
        let checked = tokio::task::spawn_blocking(move || schema.check(body.as_bytes())).await;
        match checked {
            Ok(Ok(())) => Ok(()),
            Ok(Err(faults)) => {
                Err(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
            }
            Err(error) => Err(format!("not checked: {error}")),
        }
    }

    /// Looks at one UTM's inbox again and again.
    async fn watch(&self, name: &str) {
        let mut is_well = true;
        loop {
            is_well = self.look_in(name, is_well).await;
            if !(self.outside.pause)(self.config.egais_poll).await {
                return;
            }
        }
    }

    /// One look at an inbox, and the questions about stock; whether it could be looked at.
    async fn look_in(&self, name: &str, was_well: bool) -> bool {
        let polled = match self.poll(name).await {
            Ok(polled) => polled,
            Err(error) => {
                fell_ill(&error, was_well);
                return false;
            }
        };
        is_well_again(name, was_well);
        for cause in polled.map(|polled| polled.causes).unwrap_or_default() {
            (self.outside.nudge)(cause.to_string()).await;
        }
        if let Err(error) = self.ask_rests(name).await {
            tracing::warn!(%error, "stock was not asked for; it is asked for again");
        }
        true
    }

    /// Asks how the UTMs are, and counts.
    async fn count(&self) {
        loop {
            for (name, utm) in &self.utms {
                let health = utm.health().await;
                self.gauges.up(name, health.is_ok());
                match health {
                    Ok(health) => {
                        for (key, until) in health.keys {
                            self.gauges.key(name, key, until);
                        }
                    }
                    Err(error) => tracing::warn!(%error, "a UTM is not well"),
                }
            }
            match self.store.open_documents().await {
                Ok(counts) => self.gauges.documents(&counts),
                Err(error) => tracing::debug!(%error, "documents are counted a minute later"),
            }
            if !(self.outside.pause)(MINUTE).await {
                return;
            }
        }
    }
}

/// It is told once that an inbox cannot be looked at.
fn fell_ill(error: &utm::Error, was_well: bool) {
    if was_well {
        tracing::warn!(%error, "the inbox cannot be looked at; it is tried again and again");
    }
}

/// And once that it can again.
fn is_well_again(name: &str, was_well: bool) {
    if !was_well {
        tracing::info!(utm = name, "the inbox can be looked at again");
    }
}
