//! `fiscal`: exactly the receipts that the settlements of an order need.
//!
//! The way of a receipt: [`State::New`] → planned from the fact and the order's [`ledger`],
//! written down with its key ([`State::Sending`]) → sent to a register → accepted
//! ([`State::Sent`]) → looked at until it is issued ([`State::Done`]). Nothing is sent that was not written down before, and what may have been
//! sent is sent again only while the register knows it again.

mod api;
pub mod asked;
mod callback;
pub mod cashbox;
pub mod config;
mod ctl;
mod desk;
mod flow;
pub mod key;
pub mod ledger;
mod marks;
pub mod plan;
pub mod receipt;
pub mod registers;
mod state;
pub mod store;
pub mod subject;
mod watch;
mod words;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use events::{Event, ShopId};
use futures_util::future::BoxFuture;
use prometheus::{IntCounterVec, Opts};
use runtime::{Failure, Kit, Metrics, RetryPolicy, StartError, Step, StoreError, Worker};
use time::OffsetDateTime;

pub use ctl::run;
pub use state::{Done, Doubted, Held, New, Sending, Sent, State};
pub use watch::Overdue;

use crate::{
    config::{Config, Shop},
    desk::Desk,
    marks::Marks,
    store::{Hints, Ledgers, Requests, Turns},
    watch::Watch,
};

/// How often overdue receipts are looked for.
const MINUTE: Duration = Duration::from_secs(60);
/// How often old hints and turns are dropped.
const TIDY_MINUTES: u32 = 60;

/// The receipts of the shops' orders.
pub struct Fiscal {
    shops: BTreeMap<ShopId, Desk>,
    config: Config,
    marks: Marks,
    outside: Outside,
    callbacks: IntCounterVec,
    /// Whether there is more than one register.
    has_registers: bool,
    watch: Watch,
}

/// What the service needs of the world beside the register.
pub struct Outside {
    /// Where metrics are kept.
    pub metrics: Metrics,
    /// The table of hints.
    pub hints: Hints,
    /// The ledgers of the orders.
    pub ledgers: Ledgers,
    /// Turns at slow registers.
    pub turns: Turns,
    /// What was asked for by name.
    pub requests: Requests,
    /// Tells an event to our own queue.
    pub tell: Tell,
    /// Has the open job with this name looked at now; `false` when there is none.
    pub nudge: Nudge,
    /// The clock.
    pub now: Arc<dyn Fn() -> OffsetDateTime + Send + Sync>,
    /// Ends the work beside the queue.
    pub pause: Pause,
}

/// See [`Outside::nudge`].
pub type Nudge = Box<dyn Fn(String) -> BoxFuture<'static, Result<bool, StoreError>> + Send + Sync>;
/// See [`Outside::tell`]; in words, why it is not told.
pub type Tell = Box<dyn Fn(Event) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;
/// Pauses; `false` when the process is to stop before that.
pub type Pause = Box<dyn Fn(Duration) -> BoxFuture<'static, bool> + Send + Sync>;

impl Worker for Fiscal {
    const NAME: &'static str = "fiscal";
    const TOPICS: &'static [&'static str] = &[
        "order.paid",
        "order.shipped",
        "order.completed",
        "order.returned",
        "order.refunded",
        "order.receipt",
    ];
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
            ledgers: Ledgers::new(kit.pool().clone()),
            turns: Turns::new(kit.pool().clone()),
            requests: Requests::new(kit.pool().clone()),
            tell: {
                let kit = kit.clone();
                Box::new(move |event| {
                    let kit = kit.clone();
                    Box::pin(async move { kit.tell(&event).await.map_err(|e| e.to_string()) })
                })
            },
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

    fn found(_: State) -> Step<State> {
        Step::again(State::Found)
    }

    async fn step(&self, event: &Event, state: State) -> Result<Step<State>, Failure> {
        self.go(event, state).await
    }

    fn routes(self: Arc<Self>) -> Router {
        callback::router(Arc::clone(&self))
            .merge(api::router(Arc::clone(&self)))
            .merge(cashbox::router(self))
    }

    async fn background(self: Arc<Self>) {
        let mut minutes = 0_u32;
        while (self.outside.pause)(MINUTE).await {
            if let Err(error) = self.watch().await {
                tracing::debug!(%error, "overdue receipts are counted a minute later");
            }
            if let Err(error) = self.tell_again().await {
                tracing::debug!(%error, "what was asked for is told a minute later");
            }
            minutes = minutes.wrapping_add(1);
            if minutes.is_multiple_of(TIDY_MINUTES) {
                self.tidy().await;
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
        let callbacks = IntCounterVec::new(
            Opts::new("callbacks_total", "Notifications of the register by what became of them"),
            &["vendor", "outcome"],
        )
        .map_err(StartError::new)?;
        metrics.registry.register(Box::new(callbacks.clone())).map_err(StartError::new)?;
        let desks = desk::desks(&config, shops, metrics)?;
        let names: BTreeSet<_> = desks.values().flat_map(Desk::names).collect();
        let has_registers = names.len() > 1;
        let (marks, watch) = (Marks::default(), Watch::new(metrics)?);
        Ok(Self { shops: desks, config, marks, outside, callbacks, has_registers, watch })
    }

    async fn tidy(&self) {
        let dropped = (self.outside.hints.drop_old().await, self.outside.turns.drop_old().await);
        if let (Err(error), _) | (_, Err(error)) = dropped {
            tracing::debug!(%error, "old hints and turns stay a while longer");
        }
        if let Some(keep) = self.config.fiscal_keep_ledger {
            let (ledgers, requests) = (&self.outside.ledgers, &self.outside.requests);
            let forgotten = (ledgers.forget(keep).await, requests.forget(keep).await);
            if let (Err(error), _) | (_, Err(error)) = forgotten {
                tracing::debug!(%error, "old ledgers and requests stay a while longer");
            }
        }
    }

    /// With what notifications about each shop are signed.
    fn callback_secrets(&self) -> impl Iterator<Item = (&ShopId, &str)> {
        self.shops
            .iter()
            .filter_map(|(shop, desk)| Some((shop, desk.callback_secret.as_ref()?.expose())))
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

    fn count_callback(&self, vendor: &str, outcome: &str) {
        self.callbacks.with_label_values(&[vendor, outcome]).inc();
    }

    fn now(&self) -> OffsetDateTime {
        (self.outside.now)()
    }
}
