//! A customer's points, asked of `loyalty` over its HTTP API (`services/loyalty/openapi.yaml`): no
//! service reads another's tables.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use runtime::{
    Metrics, StartError,
    http::{Answer, Client},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use time::OffsetDateTime;

use crate::config::Config;

/// Lines of one page of history.
const PAGE: u32 = 50;

/// The way to `loyalty`.
#[derive(Debug)]
pub(crate) struct Accounts {
    client: Client,
    base: String,
    key: SecretString,
}

/// Whose account.
#[derive(Debug, Clone)]
pub(crate) enum Whose {
    /// By phone, as people write it.
    Phone(String),
    /// By the shop and the user's id in it.
    User { shop: String, id: i64 },
}

/// An amount of points as it was said: `480.00`. Nothing is computed with it.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Points(Box<RawValue>);

impl Points {
    pub(crate) fn text(&self) -> &str {
        self.0.get()
    }
}

/// What a customer has.
#[derive(Debug, Deserialize)]
pub(crate) struct Balance {
    pub user_id: Option<i64>,
    pub balance: Points,
    pub pending: Points,
    pub held: Points,
    pub debt: Points,
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// What a customer's points are made of, and by what he is known.
#[derive(Debug, Deserialize)]
pub(crate) struct Account {
    pub lots: Vec<Lot>,
    pub more_lots: bool,
    pub phones: Vec<Phone>,
    pub users: Vec<User>,
}

/// Points that came together and expire together.
#[derive(Debug, Deserialize)]
pub(crate) struct Lot {
    pub granted: Points,
    pub left: Points,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub matures_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
    pub order: Option<String>,
}

/// A customer's phone, of which `loyalty` tells the last four digits.
#[derive(Debug, Deserialize)]
pub(crate) struct Phone {
    pub phone_ends: String,
    /// Somebody has shown that it is his.
    pub proven: bool,
}

/// The user of a shop that a customer is.
#[derive(Debug, Deserialize)]
pub(crate) struct User {
    pub shop: String,
    pub user_id: i64,
}

/// A page of what was done, newest first.
#[derive(Debug, Deserialize)]
pub(crate) struct History {
    pub items: Vec<Line>,
    pub next_before: Option<i64>,
}

/// An operation.
#[derive(Debug, Deserialize)]
pub(crate) struct Line {
    pub title: String,
    pub description: Option<String>,
    pub order: Option<String>,
    pub reason: Option<String>,
    pub amount: Points,
    pub available: Points,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    pub source: String,
    pub external_id: String,
}

/// Why there is no account to be seen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAccount {
    /// Nobody has this phone or id, or two customers have it; in the service's words.
    #[error("{0}")]
    Said(String),
    /// The key is not known, or may not see accounts.
    #[error("loyalty does not take the key of ADMIN_LOYALTY_KEY")]
    Key,
    /// The service does not answer, or not as agreed.
    #[error("loyalty does not answer: {0}")]
    Away(String),
}

impl Accounts {
    /// The service of the settings, if there is one.
    pub(crate) fn open(config: &Config, metrics: &Metrics) -> Result<Option<Self>, StartError> {
        let (Some(base), Some(key)) = (&config.admin_loyalty_url, &config.admin_loyalty_key) else {
            return Ok(None);
        };
        let client = Client::new("loyalty", Duration::from_secs(5), metrics)?;
        let base = format!("{}/v1", base.trim_end_matches('/'));
        Ok(Some(Self { client, base, key: key.clone() }))
    }

    /// What this customer has, what that is made of, and a page of what was done.
    pub(crate) async fn look(
        &self,
        whose: &Whose,
        before: Option<i64>,
    ) -> Result<(Balance, Account, History), NoAccount> {
        let mut asked = Asked::of(whose);
        let balance = self.ask("balance", &asked).await?;
        let account = self.ask("account", &asked).await?;
        (asked.before, asked.limit) = (before, Some(PAGE));
        Ok((balance, account, self.ask("history", &asked).await?))
    }

    /// The phone goes in the body: there it stands in no log.
    async fn ask<T: DeserializeOwned>(
        &self,
        call: &'static str,
        body: &Asked<'_>,
    ) -> Result<T, NoAccount> {
        let request = self.client.request(Method::POST, &format!("{}/{call}", self.base));
        let request = request.header("x-api-key", self.key.expose_secret()).json(body);
        let answer = self.client.send(call, request).await;
        read(&answer.map_err(|error| NoAccount::Away(error.to_string()))?)
    }
}

/// The body of a question, `Who` of the description.
#[derive(Debug, Default, Serialize)]
struct Asked<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_phone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shop: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
}

impl<'a> Asked<'a> {
    fn of(whose: &'a Whose) -> Self {
        match whose {
            Whose::Phone(phone) => Self { user_phone: Some(phone), ..Self::default() },
            Whose::User { shop, id } => {
                Self { shop: Some(shop), user_id: Some(*id), ..Self::default() }
            }
        }
    }
}

/// A refusal.
#[derive(Deserialize)]
struct Refusal {
    message: String,
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, NoAccount> {
    let odd = |_| NoAccount::Away("an answer that is not as agreed".to_owned());
    match answer.status {
        StatusCode::OK => serde_json::from_slice(&answer.body).map_err(odd),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(NoAccount::Key),
        status if status.is_client_error() => {
            let said: Refusal = serde_json::from_slice(&answer.body).map_err(odd)?;
            Err(NoAccount::Said(said.message))
        }
        status => Err(NoAccount::Away(format!("HTTP {}", status.as_u16()))),
    }
}
