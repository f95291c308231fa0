//! One HTTP request to a portal: a single call, or a batch of them.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use reqwest::Method;
use runtime::{Metrics, Secret, StartError, http};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::{
    Call,
    answer::{self, Reply},
    error::RestErrorKind,
    query,
};
use crate::shops::PortalSettings;

/// Bitrix takes no more commands in a batch.
const BATCH: u64 = 50;

/// What each call of a request came to, or what the request came to as a whole.
pub(super) type Outcome = Result<Vec<Result<Reply, RestErrorKind>>, RestErrorKind>;

/// The way to one portal.
#[derive(Debug)]
pub(super) struct Wire {
    http: http::Client,
    /// The incoming webhook's address: a secret as a whole.
    base: Secret,
    timeout: Duration,
    /// Microseconds that a command has taken of late.
    pace: AtomicU64,
}

impl Wire {
    pub(super) fn new(
        portal: &PortalSettings,
        timeout: Duration,
        metrics: &Metrics,
    ) -> Result<Self, StartError> {
        let http = http::Client::new("bitrix", timeout, metrics)?;
        let base = portal.webhook_url.clone();
        Ok(Self { http, base, timeout, pace: AtomicU64::new(300_000) })
    }

    /// How many commands a request may hold now.
    ///
    /// Bitrix works through a batch one by one and ends a request after 60 s; a save of an order
    /// can take a second. So the batch is as long as fits into a third of the time-out.
    pub(super) fn room(&self) -> usize {
        let third = micros(self.timeout / 3);
        let room = third / self.pace.load(Ordering::Relaxed).max(1);
        usize::try_from(room.clamp(1, BATCH)).unwrap_or(1)
    }

    /// Sends the calls in one request, to be done one after the other.
    pub(super) async fn send(&self, calls: &[Call]) -> Outcome {
        let began = Instant::now();
        let outcome = match calls {
            [] => Ok(Vec::new()),
            [call] => self.single(call).await.map(|reply| vec![Ok(reply)]),
            calls => self.batch(calls).await,
        };
        if outcome.is_ok() {
            self.note(began.elapsed(), calls.len());
        }
        outcome
    }

    async fn single(&self, call: &Call) -> Result<Reply, RestErrorKind> {
        let (status, body) = self.post(call.method, &call.params).await?;
        answer::single(status, &body, OffsetDateTime::now_utc())
    }

    async fn batch(&self, calls: &[Call]) -> Outcome {
        let command = |(place, call): (usize, &Call)| {
            (answer::name(place), Value::String(query::command(call.method, &call.params)))
        };
        let commands: Map<String, Value> = calls.iter().enumerate().map(command).collect();
        let (status, body) = self.post("batch", &json!({"halt": 0, "cmd": commands})).await?;
        answer::batch(status, &body, calls.len(), OffsetDateTime::now_utc())
    }

    async fn post(
        &self,
        method: &'static str,
        params: &Value,
    ) -> Result<(u16, Vec<u8>), RestErrorKind> {
        let url = format!("{}/{method}", self.base.expose().trim_end_matches('/'));
        let request = self.http.request(Method::POST, &url).json(params);
        match self.http.send(method, request).await {
            Ok(answer) => Ok((answer.status.as_u16(), answer.body)),
            Err(http::CallError::NotSent(why)) => Err(RestErrorKind::NotSent(why)),
            Err(error) => Err(RestErrorKind::NoAnswer(error.to_string())),
        }
    }

    /// A quarter of the new figure, three quarters of the old: the batch follows the portal's load.
    fn note(&self, took: Duration, calls: usize) {
        let each = micros(took) / u64::try_from(calls).unwrap_or(1).max(1);
        let old = self.pace.load(Ordering::Relaxed);
        self.pace.store((3 * old + each) / 4, Ordering::Relaxed);
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
