//! The line to a register: turns, time-outs, and whether it was found away.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use reqwest::RequestBuilder;
use runtime::http::{Answer, CallError, Client};
use tokio::{sync::Semaphore, time::timeout};

use super::{Error, What};
use crate::subject::Subject;

/// How long a call waits for its turn among the calls of its shop.
const TURN: Duration = Duration::from_secs(5);

/// The calls of one account.
#[derive(Debug)]
pub(crate) struct Line {
    http: Client,
    base: String,
    title: &'static str,
    /// Calls that may be under way at once.
    turns: Semaphore,
    away: AtomicBool,
}

impl Line {
    /// A line to the interface at `base`, with so many calls at once.
    pub(crate) fn new(http: Client, base: &url::Url, title: &'static str, at_once: usize) -> Self {
        let base = base.as_str().trim_end_matches('/').to_owned();
        let turns = Semaphore::new(at_once.min(Semaphore::MAX_PERMITS));
        Self { http, base, title, turns, away: AtomicBool::new(false) }
    }

    /// Whether the last call of this process found no connection.
    pub(crate) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// A request to this path.
    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        self.http.request(method, &format!("{}{path}", self.base))
    }

    /// Sends a request when it is its turn; `call` names it in metrics.
    pub(crate) async fn send(
        &self,
        call: &'static str,
        request: RequestBuilder,
    ) -> Result<Answer, What> {
        let Ok(Ok(_turn)) = timeout(TURN, self.turns.acquire()).await else {
            return Err(What::Busy);
        };
        let answer = self.http.send(call, request).await;
        self.away.store(matches!(answer, Err(CallError::NotSent(_))), Ordering::Relaxed);
        answer.map_err(What::from)
    }

    /// What went wrong, and with whose receipt.
    pub(crate) fn error(&self, subject: &Subject, what: What) -> Error {
        Error { subject: subject.clone(), register: self.title, what }
    }
}
