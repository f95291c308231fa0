//! Where stock differs from EGAIS, asked of `egais` over its HTTP API: no service reads another's tables.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use runtime::{Metrics, StartError, http::Client};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use time::OffsetDateTime;

use crate::config::Config;

/// The way to `egais`.
#[derive(Debug)]
pub(crate) struct Stocks {
    client: Client,
    base: String,
    key: SecretString,
}

/// The stock of one UTM.
#[derive(Debug, Deserialize)]
pub(crate) struct Of {
    pub utm: String,
    pub stock: Stock,
}

/// How the last comparison came out.
#[derive(Debug, Deserialize)]
pub(crate) struct Stock {
    #[serde(with = "time::serde::rfc3339::option")]
    pub compared_at: Option<OffsetDateTime>,
    /// How many products differ; the answer has the largest differences.
    pub count: usize,
    pub differences: Vec<Difference>,
}

/// A product on which EGAIS and the shop's catalogue disagree. Quantities stand as they were said: nothing is
/// computed with them.
#[derive(Debug, Deserialize)]
pub(crate) struct Difference {
    pub alc_code: String,
    pub name: String,
    pub first: String,
    pub shop: String,
    pub catalogue: String,
    pub difference: String,
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

/// Why there is nothing to be seen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoStock {
    /// The key is not the service's.
    #[error("egais does not take the key of ADMIN_EGAIS_KEY")]
    Key,
    /// The service does not answer, or not as agreed.
    #[error("egais does not answer: {0}")]
    Away(String),
}

#[derive(Deserialize)]
struct All {
    stock: Vec<Of>,
}

impl Stocks {
    /// The service of the settings, if there is one.
    pub(crate) fn open(config: &Config, metrics: &Metrics) -> Result<Option<Self>, StartError> {
        let (Some(base), Some(key)) = (&config.admin_egais_url, &config.admin_egais_key) else {
            return Ok(None);
        };
        let client = Client::new("egais", Duration::from_secs(5), metrics)?;
        let base = format!("{}/v1", base.trim_end_matches('/'));
        Ok(Some(Self { client, base, key: key.clone() }))
    }

    /// What differs, by UTM.
    pub(crate) async fn look(&self) -> Result<Vec<Of>, NoStock> {
        let request = self.client.request(Method::GET, &format!("{}/stock", self.base));
        let request = request.header("x-api-key", self.key.expose_secret());
        let answer = self.client.send("stock", request).await;
        let answer = answer.map_err(|error| NoStock::Away(error.to_string()))?;
        match answer.status {
            StatusCode::OK => serde_json::from_slice(&answer.body)
                .map(|all: All| all.stock)
                .map_err(|_| NoStock::Away("an answer that is not as agreed".to_owned())),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(NoStock::Key),
            status => Err(NoStock::Away(format!("HTTP {}", status.as_u16()))),
        }
    }
}
