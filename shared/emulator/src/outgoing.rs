//! What the outside systems send to Parom: webhooks and notifications, each posted once and never again.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, header::CONTENT_TYPE};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::Serialize;
use tokio::sync::Semaphore;

/// Posts under way at the same time.
const AT_ONCE: usize = 64;
/// Bytes of an answer that are read.
const ANSWER_MAX: usize = 64 * 1024;

/// A request to send.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) url: String,
    pub(crate) content_type: &'static str,
    pub(crate) agent: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

/// How a post ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Delivery {
    /// It was answered.
    Answered {
        /// HTTP status.
        status: u16,
        /// The answer's body, as text.
        body: String,
    },
    /// It was not answered.
    Failed {
        /// Why.
        error: String,
    },
}

impl Delivery {
    /// Whether the other side took it: HTTP 2xx.
    #[must_use]
    pub fn accepted(&self) -> bool {
        matches!(self, Self::Answered { status: 200..=299, .. })
    }

    fn failed(error: impl Into<String>) -> Self {
        Self::Failed { error: error.into() }
    }
}

/// How many posts ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Deliveries {
    /// All that were tried.
    pub sent: u64,
    /// Taken by the other side.
    pub accepted: u64,
    /// Answered, but not taken.
    pub refused: u64,
    /// Not answered.
    pub failed: u64,
}

impl Deliveries {
    pub(crate) fn add(&mut self, delivery: &Delivery, taken: bool) {
        self.sent += 1;
        match delivery {
            _ if taken => self.accepted += 1,
            Delivery::Answered { .. } => self.refused += 1,
            Delivery::Failed { .. } => self.failed += 1,
        }
    }
}

/// The sender: plain HTTP, a new connection each time, no retries.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    client: Client<HttpConnector, Full<Bytes>>,
    places: Arc<Semaphore>,
    timeout: Duration,
}

impl Outgoing {
    pub(crate) fn new(timeout: Duration) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .retry_canceled_requests(false)
            .build_http();
        Self { client, places: Arc::new(Semaphore::new(AT_ONCE)), timeout }
    }

    pub(crate) async fn post(&self, post: Post) -> Delivery {
        let Ok(_place) = self.places.acquire().await else { return Delivery::failed("closed") };
        let answer = tokio::time::timeout(self.timeout, self.send(post)).await;
        answer.unwrap_or_else(|_| Delivery::failed("no answer in time"))
    }

    async fn send(&self, post: Post) -> Delivery {
        let mut request = Request::post(&post.url)
            .header(CONTENT_TYPE, post.content_type)
            .header("user-agent", post.agent);
        for (name, value) in &post.headers {
            request = request.header(*name, value);
        }
        let request = match request.body(Full::new(post.body)) {
            Ok(request) => request,
            Err(error) => return Delivery::failed(error.to_string()),
        };
        match self.client.request(request).await {
            Ok(response) => {
                let status = response.status().as_u16();
                let body = Limited::new(response.into_body(), ANSWER_MAX).collect().await;
                let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
                Delivery::Answered { status, body: String::from_utf8_lossy(&body).into_owned() }
            }
            Err(error) => Delivery::failed(error.to_string()),
        }
    }
}
