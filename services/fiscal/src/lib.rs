//! `fiscal`: one receipt for each payment that came in, at CloudKassir.
//!
//! The way of a receipt: [`State::New`] → made of the order and written down with its key
//! ([`State::Sending`]) → sent → accepted ([`State::Sent`]) → looked at until it is fiscalised
//! ([`State::Done`]). Nothing is sent that was not written down before, and what may have been
//! sent is sent again only while the register knows it again.

mod callback;
pub mod client;
pub mod config;
mod flow;
pub mod key;
mod marks;
pub mod receipt;
mod state;
pub mod store;
mod words;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::Router;
use events::{Event, ShopId};
use futures_util::future::BoxFuture;
use prometheus::{IntCounterVec, Opts};
use runtime::{Failure, Kit, Metrics, RetryPolicy, StartError, Step, StoreError, Worker};
use time::OffsetDateTime;

pub use state::{Done, Held, New, Sending, Sent, State};

use crate::{
    client::{Account, Client},
    config::{Config, Shop},
    marks::Marks,
    receipt::Rules,
    store::Hints,
};

/// How often old hints are dropped.
const TIDY: Duration = Duration::from_secs(3600);

/// The receipts of paid orders.
pub struct Fiscal {
    shops: BTreeMap<ShopId, (Account, Rules)>,
    config: Config,
    client: Client,
    marks: Marks,
    outside: Outside,
    callbacks: IntCounterVec,
}

/// What the service needs of the world beside the register.
pub struct Outside {
    /// Where metrics are kept.
    pub metrics: Metrics,
    /// The table of hints.
    pub hints: Hints,
    /// Has the open job with this name looked at now; `false` when there is none.
    pub nudge: Nudge,
    /// The clock.
    pub now: Arc<dyn Fn() -> OffsetDateTime + Send + Sync>,
    /// Ends the work beside the queue.
    pub pause: Pause,
}

/// See [`Outside::nudge`].
pub type Nudge = Box<dyn Fn(String) -> BoxFuture<'static, Result<bool, StoreError>> + Send + Sync>;
/// Pauses; `false` when the process is to stop before that.
pub type Pause = Box<dyn Fn(Duration) -> BoxFuture<'static, bool> + Send + Sync>;

impl Worker for Fiscal {
    const NAME: &'static str = "fiscal";
    const TOPICS: &'static [&'static str] = &["order.paid"];
    const RETRY: RetryPolicy = RetryPolicy {
        first: Duration::from_secs(5),
        longest: Duration::from_secs(3600),
        growth: 2.0,
        attempts: None,
    };
    const GIVE_UP: Duration = Duration::from_secs(24 * 3600);
    const MIGRATIONS: Option<&'static sqlx::migrate::Migrator> = Some(&MIGRATOR);

    type Config = Config;
    type State = State;

    async fn build(config: Config, kit: Kit) -> Result<Self, StartError> {
        let shops = config::shops(&config)?;
        let outside = Outside {
            metrics: kit.metrics().clone(),
            hints: Hints::new(kit.pool().clone()),
            nudge: {
                let kit = kit.clone();
                Box::new(move |alias| {
                    let kit = kit.clone();
                    Box::pin(async move { kit.nudge(&alias).await })
                })
            },
            now: Arc::new(OffsetDateTime::now_utc),
            pause: Box::new(move |duration| {
                let kit = kit.clone();
                Box::pin(async move { kit.pause(duration).await })
            }),
        };
        Self::new(config, shops, outside)
    }

    fn absent(state: State) -> State {
        state.absent()
    }

    async fn step(&self, event: &Event, state: State) -> Result<Step<State>, Failure> {
        self.go(event, state).await
    }

    fn routes(self: Arc<Self>) -> Router {
        callback::router(self)
    }

    async fn background(self: Arc<Self>) {
        while (self.outside.pause)(TIDY).await {
            if let Err(error) = self.outside.hints.drop_old().await {
                tracing::debug!(%error, "old hints stay a while longer");
            }
        }
    }
}

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

impl Fiscal {
    /// The service with these shops in this world.
    ///
    /// # Errors
    /// [`StartError`] when settings contradict each other, or there is no HTTP client.
    pub fn new(
        config: Config,
        shops: BTreeMap<ShopId, Shop>,
        outside: Outside,
    ) -> Result<Self, StartError> {
        config.check()?;
        let metrics = &outside.metrics;
        let http = runtime::http::Client::new("cloudkassir", config.cloudkassir_timeout, metrics)?;
        let callbacks = IntCounterVec::new(
            Opts::new("callbacks_total", "Notifications of the register by what became of them"),
            &["vendor", "outcome"],
        )
        .map_err(StartError::new)?;
        metrics.registry.register(Box::new(callbacks.clone())).map_err(StartError::new)?;
        let at_once = config.cloudkassir_concurrency;
        let shops = shops.into_iter().map(|(id, shop)| {
            let Shop { public_id, api_secret, receipt } = shop;
            (id, (Account::new(public_id, api_secret, at_once), receipt))
        });
        Ok(Self {
            shops: shops.collect(),
            client: Client::new(http, &config.cloudkassir_base_url),
            config,
            marks: Marks::default(),
            outside,
            callbacks,
        })
    }

    fn accounts(&self) -> impl Iterator<Item = (&ShopId, &Account)> {
        self.shops.iter().map(|(shop, (account, _))| (shop, account))
    }

    /// Keeps what a notification said and has the job looked at.
    async fn hint(
        &self,
        invoice_id: &str,
        id: &str,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        self.outside.hints.put(invoice_id, id).await?;
        (self.outside.nudge)(invoice_id.to_owned()).await?;
        Ok(())
    }

    fn count_callback(&self, outcome: &str) {
        self.callbacks.with_label_values(&["cloudkassir", outcome]).inc();
    }

    fn now(&self) -> OffsetDateTime {
        (self.outside.now)()
    }
}
