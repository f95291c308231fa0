//! The wire of CloudKassir: the KKT interface of CloudPayments, and what its answers mean.

mod answer;
pub mod body;
mod error;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use events::OrderRef;
use reqwest::{Method, header::CONTENT_TYPE};
use runtime::{
    Secret,
    http::{Answer, CallError},
};
use serde_json::json;
use tokio::{sync::Semaphore, time::timeout};
use url::Url;

pub(crate) use answer::is_id;
pub use answer::{Details, FiscalData, Standing};
pub use error::{Error, What};

/// How long a call waits for its turn among the calls of its shop.
const TURN: Duration = Duration::from_secs(5);

/// A client of CloudKassir.
#[derive(Debug)]
pub struct Client {
    http: runtime::http::Client,
    base: String,
    away: AtomicBool,
}

/// A site in CloudPayments' cabinet.
#[derive(Debug)]
pub struct Account {
    public_id: String,
    api_secret: Secret,
    /// Calls that may be under way at once.
    turns: Semaphore,
}

/// On whose account a call is made, and for which order: its errors name it.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// The site.
    pub account: &'a Account,
    /// The order.
    pub order: &'a OrderRef,
}

impl Account {
    /// The site's public id and API secret, and how many calls may be under way at once.
    #[must_use]
    pub fn new(public_id: String, api_secret: Secret, at_once: usize) -> Self {
        Self { public_id, api_secret, turns: Semaphore::new(at_once.min(Semaphore::MAX_PERMITS)) }
    }

    /// The API secret: also the key of the callbacks' signatures.
    pub(crate) fn api_secret(&self) -> &str {
        self.api_secret.expose()
    }
}

impl Client {
    /// A client of the interface at `base`.
    #[must_use]
    pub fn new(http: runtime::http::Client, base: &Url) -> Self {
        let base = base.as_str().trim_end_matches('/').to_owned();
        Self { http, base, away: AtomicBool::new(false) }
    }

    /// Whether the last call of this process found no connection: [`Client::ping`] first.
    pub fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// Asks whether the interface is there: no effect.
    ///
    /// # Errors
    /// [`Error`], see [`What`].
    pub async fn ping(&self, caller: Caller<'_>) -> Result<(), Error> {
        self.call(caller, "/test", "{}".to_owned(), None).await.map(drop)
    }

    /// Asks for a receipt with the exact `body`; answers the register's id of it. It is then
    /// accepted, not yet fiscalised.
    ///
    /// For one hour the register answers a repeated `request_id` as it did the first time.
    ///
    /// # Errors
    /// [`Error`], see [`What`].
    pub async fn register(
        &self,
        caller: Caller<'_>,
        body: &str,
        request_id: &str,
    ) -> Result<String, Error> {
        let answer = self.call(caller, "/kkt/receipt", body.to_owned(), Some(request_id)).await?;
        answer::accepted(&answer).map_err(|what| caller.error(what))
    }

    /// Asks how an accepted receipt stands.
    ///
    /// # Errors
    /// [`Error`], see [`What`].
    pub async fn status(&self, caller: Caller<'_>, id: &str) -> Result<Standing, Error> {
        let body = json!({"Id": id}).to_string();
        let answer = self.call(caller, "/kkt/receipt/status/get", body, None).await?;
        answer::standing(&answer).map_err(|what| caller.error(what))
    }

    /// Asks for a receipt's details.
    ///
    /// # Errors
    /// [`Error`], see [`What`].
    pub async fn details(&self, caller: Caller<'_>, id: &str) -> Result<Details, Error> {
        let body = json!({"Id": id}).to_string();
        let answer = self.call(caller, "/kkt/receipt/get", body, None).await?;
        answer::details(&answer).map_err(|what| caller.error(what))
    }

    async fn call(
        &self,
        caller: Caller<'_>,
        path: &'static str,
        body: String,
        request_id: Option<&str>,
    ) -> Result<Answer, Error> {
        let Caller { account, .. } = caller;
        let Ok(Ok(_turn)) = timeout(TURN, account.turns.acquire()).await else {
            return Err(caller.error(What::Busy));
        };
        let mut request = self
            .http
            .request(Method::POST, &format!("{}{path}", self.base))
            .basic_auth(&account.public_id, Some(account.api_secret()))
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        if let Some(id) = request_id {
            request = request.header("X-Request-ID", id);
        }
        let answer = self.http.send(path, request).await;
        let away = matches!(answer, Err(CallError::NotSent(_)));
        self.away.store(away, Ordering::Relaxed);
        let answer = answer.map_err(|error| caller.error(error.into()))?;
        error::by_status(answer).map_err(|what| caller.error(what))
    }
}

impl Caller<'_> {
    fn error(self, what: What) -> Error {
        Error { order: self.order.number.clone(), what }
    }
}
