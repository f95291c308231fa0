//! The line to a register: places, time-outs, and whether it was found away.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use reqwest::{RequestBuilder, StatusCode};
use runtime::http::{Answer, CallError, Client};
use tokio::time::{sleep, timeout};

use super::{Error, What, places::Places};
use crate::subject::Subject;

/// How long a call waits for its turn among the calls of its shop.
const TURN: Duration = Duration::from_secs(5);
/// The pauses after which a register that had too many calls at once is asked again, up to twice as long each: together
/// well below the lease of a job.
const AGAIN: [Duration; 3] =
    [Duration::from_millis(150), Duration::from_millis(300), Duration::from_millis(600)];

/// The calls of one account.
#[derive(Debug)]
pub(crate) struct Line {
    http: Client,
    base: String,
    title: &'static str,
    places: Places,
    /// Whether 429 without a time means too many calls at once, which passes in a moment.
    is_crowded_at_429: bool,
    away: AtomicBool,
}

impl Line {
    /// A line to the interface at `base`, with so many calls at once.
    pub(crate) fn new(http: Client, base: &url::Url, title: &'static str, at_once: usize) -> Self {
        let base = base.as_str().trim_end_matches('/').to_owned();
        let places = Places::new(at_once);
        Self { http, base, title, places, is_crowded_at_429: false, away: AtomicBool::new(false) }
    }

    /// The same for a register that answers 429 to too many calls at once.
    pub(crate) fn crowded_at_429(self) -> Self {
        Self { is_crowded_at_429: true, ..self }
    }

    /// Whether the last call of this process found no connection.
    pub(crate) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// A request to this path.
    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        self.http.request(method, &format!("{}{path}", self.base))
    }

    /// Sends a request when there is a place for it; `call` names it in metrics. Where the register had too many calls at
    /// once it looked at nothing of this one, so it is sent again after a moment.
    pub(crate) async fn send(
        &self,
        call: &'static str,
        request: RequestBuilder,
    ) -> Result<Answer, What> {
        for pause in AGAIN {
            let Some(this) = request.try_clone() else { break };
            let answer = self.once(call, this).await?;
            if !self.is_crowded(&answer) {
                return Ok(answer);
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "a moment within a call, and no job's wait"
            )]
            sleep(pause + pause.mul_f64(rand::random())).await;
        }
        self.once(call, request).await
    }

    async fn once(&self, call: &'static str, request: RequestBuilder) -> Result<Answer, What> {
        let place = timeout(TURN, self.places.take()).await.map_err(|_| What::Busy)?;
        let answer = self.http.send(call, request).await;
        self.away.store(matches!(answer, Err(CallError::NotSent(_))), Ordering::Relaxed);
        match &answer {
            Ok(answer) if self.is_crowded(answer) => place.crowded(),
            Ok(_) => place.served(),
            Err(_) => {}
        }
        answer.map_err(What::from)
    }

    fn is_crowded(&self, answer: &Answer) -> bool {
        self.is_crowded_at_429
            && answer.status == StatusCode::TOO_MANY_REQUESTS
            && answer.retry_after().is_none()
    }

    /// What went wrong, and with whose receipt.
    pub(crate) fn error(&self, subject: &Subject, what: What) -> Error {
        Error { subject: subject.clone(), register: self.title, what }
    }
}
