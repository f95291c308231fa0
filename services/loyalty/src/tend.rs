//! Work beside the queue and the requests: what time does, what waited, who fell silent, what 1C
//! thinks.

use std::{collections::BTreeMap, time::Duration};

use events::Text;
use reqwest::Method;
use runtime::Kit;
use serde_json::json;
use time::OffsetDateTime;
use tokio::sync::mpsc::Receiver;
use url::Url;
use uuid::Uuid;

use crate::{
    config::{Config, File, Language, Master},
    gauges::Gauges,
    ledger::{Key, Note, OWN_SOURCE, Request, What},
    onec::{self, OneC},
    store::{Difference, LogLine, Store, kinds},
};

/// Customers and waiting operations of one transaction.
const PART: i64 = 200;
/// Parts of one tick.
const PARTS: usize = 500;
/// Customers whose balance is compared in one round.
const COMPARED: i64 = 100;
/// How often old lines of the log are forgotten.
const FORGET: Duration = Duration::from_secs(3600);
/// How often a notification that was not taken, and each store, is looked at.
const WATCH: Duration = Duration::from_secs(60);

/// Work beside the queue.
pub(crate) struct Tend {
    kit: Kit,
    store: Store,
    gauges: Gauges,
    tick: Duration,
    keep: Duration,
    language: Language,
    /// After how long each store counts as silent.
    stores: BTreeMap<String, Duration>,
    alerts: runtime::http::Client,
    alert_url: Option<Url>,
    onec: Option<OneC>,
    master: Master,
    compare_after: Duration,
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
        Self {
            kit,
            store,
            gauges,
            tick: config.loyalty_tick,
            keep: config.loyalty_log_keep,
            language: config.loyalty_language,
            stores,
            alerts,
            alert_url: config.loyalty_alert_url.clone(),
            onec,
            master: file.program.master,
            compare_after: config.onec_compare_after,
        }
    }

    /// Everything, until the process is to stop.
    pub(crate) async fn run(&self, log: Option<Receiver<Vec<LogLine>>>) {
        tokio::join!(self.ticks(), self.write_log(log), self.watch(), self.forget());
    }

    async fn ticks(&self) {
        loop {
            self.catch_up().await;
            match self.store.counts().await {
                Ok((exceptions, parked)) => self.gauges.waiting(exceptions, parked),
                Err(error) => tracing::debug!(%error, "what waits is not counted"),
            }
            if let Some(onec) = &self.onec {
                self.compare(onec).await;
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

    async fn forget(&self) {
        while self.kit.pause(FORGET).await {
            if let Err(error) = self.store.forget(self.keep).await {
                tracing::warn!(%error, "old lines of the log are not forgotten");
            }
        }
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
            let details = json!({"last_seen": silent.last_seen.unix_timestamp()});
            if self.store.raise(kinds::SILENT_STORE, &silent.store, &details).await? {
                tracing::error!(store = silent.store, "a store sends nothing any more");
            }
        }
        self.notify().await
    }

    async fn notify(&self) -> sqlx::Result<()> {
        let Some(url) = &self.alert_url else { return Ok(()) };
        for exception in self.store.untold(kinds::SILENT_STORE).await? {
            let store = &exception.subject;
            let text = Text::new(
                format!(
                    "Магазин {store} перестал присылать операции с баллами: проверьте обмен на стороне 1С."
                ),
                format!(
                    "Store {store} sends no operations any more: check the exchange on 1C's side."
                ),
            );
            let body =
                json!({"kind": exception.kind, "store": store, "text": self.language.of(&text)});
            let request = self
                .alerts
                .request(Method::POST, url.as_str())
                .header("content-type", "application/json")
                .body(body.to_string());
            match self.alerts.send("notify", request).await {
                Ok(answer) if answer.status.is_success() => self.store.told(exception.id).await?,
                Ok(answer) => {
                    tracing::warn!(status = %answer.status, "a notification is not taken")
                }
                Err(error) => tracing::warn!(%error, "a notification is not taken"),
            }
        }
        Ok(())
    }

    /// Compares balances that changed with 1C's. A difference is put before a person; where 1C is
    /// the master, ours is brought to it.
    async fn compare(&self, onec: &OneC) {
        if let Err(why) = self.compare_some(onec).await {
            tracing::warn!(why, "balances are not compared");
        }
    }

    async fn compare_some(&self, onec: &OneC) -> Result<(), String> {
        let away = |error: sqlx::Error| error.to_string();
        for ours in self.store.unchecked(self.compare_after, COMPARED).await.map_err(away)? {
            let Ok(phone) = ours.phone.parse() else { continue };
            let theirs = match onec.balance(phone).await {
                Ok(theirs) => theirs,
                Err(onec::Error::UnknownCustomer) => 0,
                Err(error) => return Err(error.to_string()),
            };
            self.settle(&ours, theirs).await.map_err(away)?;
        }
        Ok(())
    }

    async fn settle(&self, ours: &Difference, theirs: i64) -> sqlx::Result<()> {
        if ours.posted != theirs {
            let details = json!({"ours_kopecks": ours.posted, "theirs_kopecks": theirs});
            let subject = ours.customer.to_string();
            if self.store.raise(kinds::BALANCE_DIFFERS, &subject, &details).await? {
                tracing::warn!(customer = ours.customer, "1C has another balance");
            }
            if self.master == Master::OneC {
                let correction = correction(ours, theirs, self.store.now());
                for answer in self.store.apply(vec![correction]).await {
                    answer?;
                }
            }
        }
        self.store.checked(ours.customer, ours.updated_at).await
    }
}

/// Brings our balance to 1C's. Named by what was compared, so that it is made once.
fn correction(ours: &Difference, theirs: i64, now: OffsetDateTime) -> Request {
    let stamp = ours.updated_at.unix_timestamp_nanos();
    let name = format!("1c:{}:{stamp}", ours.customer);
    Request {
        id: Uuid::now_v7(),
        key: Key::new(OWN_SOURCE, name),
        what: What::Adjustment { amount: theirs - ours.posted, expires_at: None },
        phone: None,
        customer: Some(ours.customer),
        effective_at: now,
        note: Note {
            author: Some("parom".to_owned()),
            reason: Some("1C is the master and has another balance".to_owned()),
            ..Note::default()
        },
    }
}
