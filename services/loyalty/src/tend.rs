//! Work beside the queue and the requests: what time does, what waited, who fell silent.

use std::{collections::BTreeMap, time::Duration};

use reqwest::Method;
use runtime::Kit;
use serde_json::json;
use tokio::sync::mpsc::Receiver;
use url::Url;

use crate::{
    config::{Config, File, Language},
    gauges::Gauges,
    mirror::Mirror,
    onec::OneC,
    store::{Keep, LogLine, Store, kinds},
    words,
};

/// Customers and waiting operations of one transaction.
const PART: i64 = 200;
/// Parts of one tick.
const PARTS: usize = 500;
/// How often old lines of the log are forgotten, and everything that waits is looked at.
const SWEEP: Duration = Duration::from_secs(3600);
/// How often a notification that was not taken, and each store, is looked at.
const WATCH: Duration = Duration::from_secs(60);

/// Work beside the queue.
pub(crate) struct Tend {
    kit: Kit,
    store: Store,
    gauges: Gauges,
    tick: Duration,
    keep: Keep,
    language: Language,
    /// After how long each store counts as silent.
    stores: BTreeMap<String, Duration>,
    alerts: runtime::http::Client,
    alert_url: Option<Url>,
    mirror: Option<Mirror>,
}

impl Tend {
    pub(crate) fn new(
        kit: Kit,
        config: &Config,
        file: &File,
        store: Store,
        gauges: Gauges,
        alerts: runtime::http::Client,
        onec: Option<OneC>,
    ) -> Self {
        let mut stores: BTreeMap<String, Duration> = BTreeMap::new();
        for register in file.registers.values() {
            if let (Some(store), Some(after)) = (&register.store, register.silent_after) {
                let least = stores.entry(store.clone()).or_insert(after);
                *least = after.min(*least);
            }
        }
        let mirror = onec.map(|onec| Mirror {
            kit: kit.clone(),
            store: store.clone(),
            onec,
            master: file.program.master,
            tick: config.loyalty_tick,
            compare_after: config.onec_compare_after,
        });
        Self {
            kit,
            store,
            gauges,
            tick: config.loyalty_tick,
            keep: Keep {
                log: config.loyalty_log_keep,
                exceptions: config.loyalty_exceptions_keep,
                parked: config.loyalty_parked_keep,
            },
            language: config.loyalty_language,
            stores,
            alerts,
            alert_url: config.loyalty_alert_url.clone(),
            mirror,
        }
    }

    /// Everything, until the process is to stop.
    pub(crate) async fn run(&self, log: Option<Receiver<Vec<LogLine>>>) {
        tokio::join!(self.ticks(), self.mirror(), self.write_log(log), self.watch(), self.sweep());
    }

    async fn ticks(&self) {
        loop {
            self.catch_up().await;
            if let Err(error) = self.store.tidy_count().await {
                tracing::debug!(%error, "the count of what waits is not tidied");
            }
            match self.store.counts().await {
                Ok(counts) => self.gauges.waiting(counts),
                Err(error) => tracing::debug!(%error, "what waits is not counted"),
            }
            if !self.kit.pause(self.tick).await {
                return;
            }
        }
    }

    /// Does all that is due, part by part.
    async fn catch_up(&self) {
        for _ in 0..PARTS {
            match self.store.tend(PART).await {
                Ok(found) if found < usize::try_from(PART).unwrap_or(usize::MAX) => return,
                Ok(_) => {}
                Err(error) => return tracing::warn!(%error, "what is due is not done yet"),
            }
        }
    }

    async fn write_log(&self, log: Option<Receiver<Vec<LogLine>>>) {
        let Some(mut log) = log else { return };
        let mut waiting: Vec<Vec<LogLine>> = Vec::new();
        loop {
            let got =
                self.kit.shutdown().run_until_cancelled(log.recv_many(&mut waiting, 500)).await;
            let lines: Vec<LogLine> = waiting.drain(..).flatten().collect();
            if !lines.is_empty() && !self.log(&lines).await {
                self.gauges.log_lost(lines.len());
            }
            if got.is_none_or(|count| count == 0) {
                return;
            }
        }
    }

    /// Writes lines, waiting for PostgreSQL as long as the process lives.
    async fn log(&self, lines: &[LogLine]) -> bool {
        loop {
            match self.store.log(lines).await {
                Ok(()) => return true,
                Err(error) => tracing::warn!(%error, "the log of requests waits"),
            }
            if !self.kit.pause(Duration::from_secs(1)).await {
                return false;
            }
        }
    }

    async fn mirror(&self) {
        if let Some(mirror) = &self.mirror {
            mirror.run().await;
        }
    }

    /// What is looked for at the start and now and then: it takes its time with large tables.
    async fn sweep(&self) {
        if let Err(error) = self.store.look_anew().await {
            tracing::warn!(%error, "what could not be read is not looked at anew");
        }
        loop {
            if let Err(error) = self.sweep_once().await {
                tracing::warn!(%error, "old lines of the log and old waiting operations are not looked at");
            }
            if !self.kit.pause(SWEEP).await {
                return;
            }
        }
    }

    async fn sweep_once(&self) -> sqlx::Result<()> {
        for _ in 0..PARTS {
            if self.store.catch_up(PART).await? == 0 {
                break;
            }
        }
        self.store.forget(self.keep).await
    }

    async fn watch(&self) {
        let stores: Vec<String> = self.stores.keys().cloned().collect();
        let least = self.stores.values().min().copied().unwrap_or(WATCH);
        loop {
            if let Err(error) = self.look(&stores).await {
                tracing::warn!(%error, "stores are not looked at");
            }
            if !self.kit.pause(WATCH.min(least / 4).max(Duration::from_millis(100))).await {
                return;
            }
        }
    }

    /// Looks for stores that fell silent, and for those that speak again.
    async fn look(&self, stores: &[String]) -> sqlx::Result<()> {
        self.store.watch(stores).await?;
        let now = self.store.now();
        for silent in self.store.last_seen(stores).await? {
            let since = now - silent.last_seen;
            self.gauges.silent(&silent.store, since);
            let limit = self.stores.get(&silent.store).copied().unwrap_or(Duration::MAX);
            if since <= limit {
                self.store.over(kinds::SILENT_STORE, &silent.store).await?;
                continue;
            }
            // Once for each silence, also where a person has closed it meanwhile.
            let known =
                self.store.raised_since(kinds::SILENT_STORE, &silent.store, silent.last_seen);
            if known.await? {
                continue;
            }
            let details = json!({"last_seen": silent.last_seen.unix_timestamp()});
            if self.store.raise(kinds::SILENT_STORE, &silent.store, &details).await? {
                tracing::error!(store = silent.store, "a store sends nothing any more");
            }
        }
        self.notify().await
    }

    async fn notify(&self) -> sqlx::Result<()> {
        let Some(url) = &self.alert_url else { return Ok(()) };
        for id in self.store.untold(kinds::SILENT_STORE).await? {
            self.store.tell(id, async |store| self.post(url, store).await).await?;
        }
        Ok(())
    }

    /// Posts that a store is silent; whether that was taken.
    async fn post(&self, url: &Url, store: &str) -> bool {
        let text = self.language.of(&words::silent_store(store));
        let body = json!({"kind": kinds::SILENT_STORE, "store": store, "text": text});
        let request = self
            .alerts
            .request(Method::POST, url.as_str())
            .header("content-type", "application/json")
            .body(body.to_string());
        let why = match self.alerts.send("notify", request).await {
            Ok(answer) if answer.status.is_success() => return true,
            Ok(answer) => format!("status {}", answer.status),
            Err(error) => error.to_string(),
        };
        tracing::warn!(store, why, "a notification is not taken");
        false
    }
}
