//! Hands the letters of running replays back, at each replay's rate.
//!
//! A batch is locked in PostgreSQL while it is published. Who dies in between has told the broker
//! something that the next one tells again; each message names the death that it undoes, so the
//! worker takes one of them.

use std::time::Duration;

use futures_util::future::join_all;
use runtime::{Desk, Kit, Looked, PublishError};

use crate::store::{Batch, Due, Store};

/// How often running replays are looked for.
const TICK: Duration = Duration::from_millis(100);
/// How long a replay rests when the broker does not take its letters.
const REST: Duration = Duration::from_secs(2);

/// Hands back until the process is to stop.
pub(crate) async fn run(kit: &Kit, store: &Store) {
    loop {
        match store.due().await {
            Ok(Some(batch)) => {
                if let Err(error) = hand_back(kit.desk(), batch).await {
                    tracing::warn!(%error, "a replay is not noted; its letters are told again");
                } else if !kit.shutdown().is_cancelled() {
                    continue;
                }
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "replays wait for PostgreSQL"),
        }
        if !kit.pause(TICK).await {
            return;
        }
    }
}

async fn hand_back(desk: &Desk, batch: Batch) -> sqlx::Result<()> {
    let told = join_all(batch.due.iter().map(|due| hand(desk, due))).await;
    let mut sent = Vec::with_capacity(told.len());
    let mut failed = None;
    for (due, result) in batch.due.iter().zip(told) {
        match result {
            Ok(()) => sent.push(due.letter),
            Err(error) => failed = Some(error.to_string()),
        }
    }
    let count = u32::try_from(batch.due.len()).unwrap_or(u32::MAX).max(1);
    let rate = u32::try_from(batch.rate).unwrap_or(1).max(1);
    let pause = if failed.is_some() { REST } else { Duration::from_secs(1) * count / rate };
    batch.finish(&sent, failed.as_deref(), pause).await
}

/// One letter, if it still waits for this: it may have been settled since.
async fn hand(desk: &Desk, due: &Due) -> Result<(), PublishError> {
    if due.state != "queued" {
        return Ok(());
    }
    let body = due.edited.as_ref().map_or_else(|| due.body.clone(), |text| text.clone().into());
    let trace = due.trace.as_deref();
    match &due.worker {
        Some(worker) => {
            let looked = due.absent.then_some(Looked::Absent);
            desk.replay(worker, due.event_id, due.death, looked, body, trace).await
        }
        None => {
            let topic = due.topic.as_deref().unwrap_or(&due.routing_key);
            desk.retell(topic, due.event_id, body, trace).await
        }
    }
}
