//! The site module's endpoint: what we write back on a site's order.
//!
//! One signed call carries everything. A repeat keeps its id and its exact body and gets a fresh
//! time, so the module knows it and changes nothing.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use events::OrderRef;
use reqwest::{Method, header::CONTENT_TYPE};
use runtime::{Class, Failure, Metrics, Reason, StartError, http};
use serde::Serialize;
use time::OffsetDateTime;
use tokio::sync::Semaphore;
use url::Url;
use uuid::Uuid;

use crate::{
    shops::SiteSettings,
    signature::{ID_HEADER, Key, SIGNATURE_HEADER, TIMESTAMP_HEADER},
};

/// How long a call waits for its turn; in a queue of its own it would wait beyond its step.
const TURN: Duration = Duration::from_secs(1);

/// The name of the body's form.
const SCHEMA: &str = "parom.status.v1";

/// A site that takes write-backs.
#[derive(Debug, Clone)]
pub struct Site {
    http: http::Client,
    url: Url,
    key: Key,
    room: Arc<Semaphore>,
}

/// What is to be written on an order.
#[derive(Debug, Clone, Serialize)]
pub struct WriteBack<'a> {
    schema: &'static str,
    order: Order<'a>,
    /// The status that the order is given; the module leaves it alone where it is that already.
    pub status_id: Option<&'a str>,
    /// Order properties by code; the module sets those that exist.
    pub properties: &'a BTreeMap<String, String>,
    /// Comments for the order's history.
    pub comments: Vec<String>,
    /// The last word of each service that has said something new.
    pub statuses: Vec<StatusLine<'a>>,
}

#[derive(Debug, Clone, Serialize)]
struct Order<'a> {
    id: u64,
    account_number: &'a str,
}

/// What one service says about the order.
#[derive(Debug, Clone, Serialize)]
pub struct StatusLine<'a> {
    /// The service, such as `fiscal`.
    pub service: &'a str,
    /// Its phase.
    pub phase: events::Phase,
    /// A whole sentence for the shop.
    pub text: &'a str,
}

/// Why the site did not take a write-back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SiteError {
    /// 401, 403: our secret is not the site's.
    #[error("the site does not accept our signature (HTTP {0})")]
    Signature(u16),
    /// 404, 405, 410: there is no module at this address, or it is switched off.
    #[error("there is no module at this address (HTTP {0})")]
    NoModule(u16),
    /// Another 3xx or 4xx: it will say the same the next time.
    #[error("refused (HTTP {status}): {words}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The beginning of the answer.
        words: String,
    },
    /// 408, 429, 5xx: later, perhaps after the time it names.
    #[error("the site failed (HTTP {status})")]
    Failed {
        /// The HTTP status.
        status: u16,
        /// How long it asks us to wait.
        after: Option<Duration>,
    },
    /// As many calls as the site may get are under way; nothing was sent.
    #[error("the site has enough to do")]
    Busy,
    /// No connection.
    #[error("no connection: {0}")]
    NotSent(String),
    /// The call left and no answer came; a repeat is safe.
    #[error("no answer: {0}")]
    NoAnswer(String),
}

impl<'a> WriteBack<'a> {
    /// A write-back that says nothing yet.
    #[must_use]
    pub fn new(order: &'a OrderRef, properties: &'a BTreeMap<String, String>) -> Self {
        let order = Order { id: order.id, account_number: &order.number };
        let (comments, statuses) = (Vec::new(), Vec::new());
        Self { schema: SCHEMA, order, status_id: None, properties, comments, statuses }
    }

    /// The body's exact text, to be kept for repeats.
    ///
    /// # Errors
    /// None in practice: all of it has a JSON form.
    pub fn body(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

impl Site {
    /// The site of these settings.
    ///
    /// # Errors
    /// [`StartError`] when its secret is no key, or there can be no HTTP client.
    pub fn open(
        site: &SiteSettings,
        timeout: Duration,
        metrics: &Metrics,
    ) -> Result<Self, StartError> {
        let key = Key::parse(site.writeback_secret.expose())
            .map_err(|error| StartError(format!("site.writeback_secret: {error}")))?;
        let http = http::Client::new("site", timeout, metrics)?;
        let calls = usize::try_from(site.calls.get()).unwrap_or(usize::MAX);
        let room = Arc::new(Semaphore::new(calls.min(Semaphore::MAX_PERMITS)));
        Ok(Self { http, url: site.writeback_url.clone(), key, room })
    }

    /// Sends a body under this id; the same again with the same id changes nothing.
    ///
    /// # Errors
    /// [`SiteError`] tells what is to be done.
    pub async fn send(&self, id: Uuid, body: &str) -> Result<(), SiteError> {
        let Ok(Ok(_place)) = tokio::time::timeout(TURN, self.room.acquire()).await else {
            return Err(SiteError::Busy);
        };
        let (id, now) = (id.to_string(), OffsetDateTime::now_utc().unix_timestamp());
        let request = self
            .http
            .request(Method::POST, self.url.as_str())
            .header(CONTENT_TYPE, "application/json")
            .header(ID_HEADER, &id)
            .header(TIMESTAMP_HEADER, now)
            .header(SIGNATURE_HEADER, self.key.sign(&id, now, body.as_bytes()))
            .body(body.to_owned());
        match self.http.send("writeback", request).await {
            Ok(answer) => judge(&answer),
            Err(http::CallError::NotSent(why)) => Err(SiteError::NotSent(why)),
            Err(error) => Err(SiteError::NoAnswer(error.to_string())),
        }
    }
}

fn judge(answer: &http::Answer) -> Result<(), SiteError> {
    let status = answer.status.as_u16();
    match status {
        200..=299 => Ok(()),
        401 | 403 => Err(SiteError::Signature(status)),
        404 | 405 | 410 => Err(SiteError::NoModule(status)),
        408 | 429 | 500.. => Err(SiteError::Failed { status, after: answer.retry_after() }),
        _ => Err(SiteError::Refused { status, words: answer.excerpt() }),
    }
}

/// The whole retry table. Never [`Failure::Down`]: sites are many, and one that is away must not
/// hold up the others.
impl From<SiteError> for Failure {
    fn from(error: SiteError) -> Self {
        let (class, code, ru, en) = match &error {
            SiteError::Signature(_) => (
                Class::Invalid,
                "site_signature",
                "Сайт не принял подпись: секрет модуля и site.writeback_secret разные. Исправьте и повторите.",
                "The site did not accept the signature: the module's secret and site.writeback_secret \
                 differ. Mend it and replay.",
            ),
            SiteError::NoModule(_) => (
                Class::Invalid,
                "site_no_module",
                "По адресу site.writeback_url модуль не отвечает: он удалён, выключен или адрес неверен. \
                 Исправьте и повторите.",
                "No module answers at site.writeback_url: it was removed or switched off, or the \
                 address is wrong. Mend it and replay.",
            ),
            SiteError::Refused { .. } => (
                Class::Refused,
                "site_refused",
                "Модуль сайта отказал: посмотрите его ответ, исправьте заказ или обновите модуль и повторите.",
                "The site's module refused: see its answer, mend the order or update the module and replay.",
            ),
            SiteError::Failed { .. }
            | SiteError::Busy
            | SiteError::NotSent(_)
            | SiteError::NoAnswer(_) => (
                Class::Unavailable,
                "site_unavailable",
                "Сайт не отвечает как должен. Повторим сами.",
                "The site does not answer as it should. It is tried again by itself.",
            ),
        };
        let reason = Reason::new(class, code, ru, en).evidence(&error.to_string());
        match error {
            SiteError::Failed { after, .. } => Self::Retry(reason, after),
            SiteError::Busy | SiteError::NotSent(_) | SiteError::NoAnswer(_) => {
                Self::Retry(reason, None)
            }
            SiteError::Signature(_) | SiteError::NoModule(_) | SiteError::Refused { .. } => {
                Self::Dead(reason)
            }
        }
    }
}
