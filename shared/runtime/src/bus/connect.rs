//! One connection, made anew as often as it takes.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use lapin::{Connection, ConnectionProperties};
use secrecy::{ExposeSecret, SecretString};
use tokio_util::sync::CancellationToken;

use crate::pause::pause;

/// Knows how to reach the broker.
#[derive(Clone)]
pub(crate) struct Connector {
    url: SecretString,
    name: String,
}

/// How long one attempt may take: a broker that accepts and says nothing is no broker.
const ATTEMPT: Duration = Duration::from_secs(10);

impl Connector {
    /// `name` is shown in the broker's list of connections.
    pub(crate) fn new(url: SecretString, name: impl Into<String>) -> Self {
        Self { url, name: name.into() }
    }

    /// A connection, tried for until there is one; `None` when the process is to stop.
    pub(crate) async fn connect(
        &self,
        purpose: &str,
        shutdown: &CancellationToken,
    ) -> Option<Connection> {
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(100))
            .with_max_delay(Duration::from_secs(5))
            .with_jitter()
            .without_max_times()
            .build();
        loop {
            let reason = tokio::select! {
                () = shutdown.cancelled() => return None,
                made = tokio::time::timeout(ATTEMPT, self.attempt(purpose)) => match made {
                    Ok(Ok(connection)) => return Some(connection),
                    Ok(Err(error)) => error.to_string(),
                    Err(_) => "no answer".to_owned(),
                },
            };
            let next = pauses.next().unwrap_or(Duration::from_secs(5));
            tracing::warn!(purpose, reason, retry.ms = next.as_millis(), "the broker is away");
            if !pause(next, shutdown).await {
                return None;
            }
        }
    }

    async fn attempt(&self, purpose: &str) -> lapin::Result<Connection> {
        let name = format!("{} {purpose}", self.name);
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        Connection::connect(self.url.expose_secret(), properties).await
    }
}
