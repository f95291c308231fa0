//! Calls to vendors: one client with time-outs and bounds, and a verdict on what a failed call
//! means for the effect.

use std::time::{Duration, Instant};

use reqwest::{
    RequestBuilder, Response, StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};
use tracing::Instrument;

use crate::{metrics::Metrics, settings::StartError};

/// The longest answer that is read.
const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// The agent's name in every request.
const AGENT: &str = concat!("Parom/", env!("CARGO_PKG_VERSION"));

/// A client for one vendor. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    vendor: &'static str,
    metrics: Metrics,
}

/// A complete answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Why there is no answer, by what it means for the effect.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// The request did not leave: no connection. The effect did not happen.
    #[error("no connection: {0}")]
    NotSent(String),
    /// The request left and no answer came: the effect may have happened.
    #[error("no answer: {0}")]
    Unknown(String),
    /// An answer came and is longer than we read: the effect may have happened.
    #[error("the answer is longer than {BODY_LIMIT} bytes")]
    TooLong,
}

impl Client {
    /// A client for `vendor` (a metric label) whose calls end within `timeout`.
    ///
    /// # Errors
    /// [`StartError`] when the system's certificates cannot be read.
    pub fn new(
        vendor: &'static str,
        timeout: Duration,
        metrics: &Metrics,
    ) -> Result<Self, StartError> {
        Self::with(vendor, timeout, metrics, |builder| builder)
    }

    /// The same, with more said to the builder (a client certificate, say).
    ///
    /// # Errors
    /// [`StartError`] when the builder refuses.
    pub fn with(
        vendor: &'static str,
        timeout: Duration,
        metrics: &Metrics,
        more: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> Result<Self, StartError> {
        let builder = reqwest::Client::builder()
            .user_agent(AGENT)
            .timeout(timeout)
            .connect_timeout(timeout.min(Duration::from_secs(10)))
            .redirect(reqwest::redirect::Policy::none());
        let http = more(builder)
            .build()
            .map_err(|error| StartError(format!("no HTTP client for {vendor}: {error}")))?;
        Ok(Self { http, vendor, metrics: metrics.clone() })
    }

    /// A request to be filled in and given to [`Client::send`].
    pub fn request(&self, method: reqwest::Method, url: &str) -> RequestBuilder {
        self.http.request(method, url)
    }

    /// Sends a request and reads the whole answer. `call` names it in metrics and traces.
    ///
    /// The URL appears nowhere: for some vendors it is the secret.
    ///
    /// # Errors
    /// [`CallError`] tells whether the request can have had an effect.
    pub async fn send(
        &self,
        call: &'static str,
        request: RequestBuilder,
    ) -> Result<Answer, CallError> {
        self.told(call, read(request), |answer: &Answer| answer.status).await
    }

    /// Sends a request and hands over the answer before its body is read: for bodies of any length.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn open(
        &self,
        call: &'static str,
        request: RequestBuilder,
    ) -> Result<Response, CallError> {
        let opened = async { request.send().await.map_err(classify) };
        self.told(call, opened, Response::status).await
    }

    /// Metrics and a span about a call.
    async fn told<T>(
        &self,
        call: &'static str,
        answer: impl Future<Output = Result<T, CallError>>,
        status: impl Fn(&T) -> StatusCode,
    ) -> Result<T, CallError> {
        let began = Instant::now();
        let span = tracing::info_span!(
            "vendor call",
            otel.name = format!("{} {call}", self.vendor),
            otel.kind = "client",
            vendor = self.vendor,
            call,
            http.response.status_code = tracing::field::Empty,
        );
        let answer = answer.instrument(span.clone()).await;
        let code = match &answer {
            Ok(answer) => status(answer).as_u16().to_string(),
            Err(CallError::NotSent(_)) => "not_sent".to_owned(),
            Err(CallError::Unknown(_)) => "no_answer".to_owned(),
            Err(CallError::TooLong) => "too_long".to_owned(),
        };
        span.record("http.response.status_code", &code);
        self.metrics
            .vendor_seconds
            .with_label_values(&[self.vendor, call, &code])
            .observe(began.elapsed().as_secs_f64());
        answer
    }
}

async fn read(request: RequestBuilder) -> Result<Answer, CallError> {
    let mut response = request.send().await.map_err(classify)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(classify)? {
        if body.len() + chunk.len() > BODY_LIMIT {
            return Err(CallError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body })
}

/// Only a failed connection proves that nothing was sent.
fn classify(error: reqwest::Error) -> CallError {
    let sent = !(error.is_connect() || error.is_builder());
    let why = chain(&error.without_url());
    if sent { CallError::Unknown(why) } else { CallError::NotSent(why) }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

impl Answer {
    /// How long the vendor asks us to wait (`Retry-After` in seconds or as a date), at most a day.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        let wait = match text.parse::<u64>() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => {
                let date = OffsetDateTime::parse(text, &Rfc2822).ok()?;
                Duration::try_from(date - OffsetDateTime::now_utc()).unwrap_or_default()
            }
        };
        Some(wait.min(Duration::from_secs(24 * 3600)))
    }

    /// The body as text for evidence: bounded, whatever its encoding.
    #[must_use]
    pub fn excerpt(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(1_000).collect()
    }
}

#[cfg(test)]
mod tests;
