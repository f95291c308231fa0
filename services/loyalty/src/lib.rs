#![doc = include_str!("../README.md")]

mod ask;
mod bank;
pub mod config;
mod flow;
mod gauges;
pub mod http;
mod known;
pub mod ledger;
mod mirror;
mod onec;
mod plan;
pub mod rules;
pub mod store;
mod tend;
mod through;
pub mod words;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use events::{Event, ShopId};
use runtime::{Failure, Kit, RetryPolicy, StartError, Step, Worker};
use time::OffsetDateTime;

pub use flow::State;

use crate::{
    bank::Bank,
    config::{Config, Master, Program, Shop},
    gauges::Gauges,
    onec::OneC,
    store::Store,
    tend::Tend,
};

/// The tables of the service.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// The points of orders and registers.
pub struct Loyalty {
    bank: Bank,
    program: Program,
    shops: BTreeMap<ShopId, Shop>,
    onec: Option<OneC>,
    /// How long 1C may leave a redemption without an answer.
    refuse_after: Duration,
    api: Arc<http::Api>,
    tend: Tend,
}

impl Worker for Loyalty {
    const NAME: &'static str = "loyalty";
    const TOPICS: &'static [&'static str] =
        &["order.created", "order.paid", "order.completed", "order.cancelled", "order.returned"];
    const RETRY: RetryPolicy = RetryPolicy::DEFAULT;
    /// 1C may be away over a long weekend.
    const GIVE_UP: Duration = Duration::from_secs(7 * 24 * 3600);
    const MIGRATIONS: Option<&'static sqlx::migrate::Migrator> = Some(&MIGRATIONS);

    type Config = Config;
    type State = State;

    async fn build(config: Config, kit: Kit) -> Result<Self, StartError> {
        let file = config::read(&config)?;
        let gauges = Gauges::new(&kit.metrics().registry)?;
        let clock = Arc::new(OffsetDateTime::now_utc);
        let store = Store::new(kit.pool().clone(), clock, file.program.lapsed);
        let store = match file.program.master {
            Master::OneC => store.telling_onec(),
            Master::Parom => store,
        };
        let bank = Bank::new(store, gauges.clone());
        let onec = match &config.onec_base_url {
            None => None,
            Some(base) => {
                let client =
                    || runtime::http::Client::new("1c", config.onec_timeout, kit.metrics());
                let (user, password) = (config.onec_user.clone(), config.onec_password.clone());
                let for_flow = OneC::new(client()?, base, user.clone(), password.clone());
                Some((for_flow, OneC::new(client()?, base, user, password)))
            }
        };
        let (onec, comparing) = onec.unzip();
        let api = Arc::new(http::Api {
            bank: bank.clone(),
            keys: http::Keys::new(&file.registers),
            program: file.program.clone(),
            gauges: gauges.clone(),
            language: config.loyalty_language,
            log: http::Log::new(gauges.clone()),
            patience: config.loyalty_patience,
        });
        let alerts = runtime::http::Client::new("alerts", Duration::from_secs(10), kit.metrics())?;
        let tend = Tend::new(kit, &config, &file, bank.store().clone(), gauges, alerts, comparing);
        let refuse_after = config.onec_refuse_after;
        Ok(Self { bank, program: file.program, shops: file.shops, onec, refuse_after, api, tend })
    }

    async fn step(&self, event: &Event, state: State) -> Result<Step<State>, Failure> {
        self.go(event, state).await
    }

    fn routes(self: Arc<Self>) -> axum::Router {
        http::router(Arc::clone(&self.api))
    }

    async fn background(self: Arc<Self>) {
        Box::pin(self.tend.run(self.api.log.far())).await;
    }
}
