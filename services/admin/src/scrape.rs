//! Whether services wait for their registers, read from their `/metrics`.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use reqwest::Method;
use runtime::{Kit, Metrics, StartError, http::Client};

/// How often services are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// Looks at services.
#[derive(Debug)]
pub(crate) struct Scraper {
    client: Client,
    addresses: BTreeMap<String, String>,
    open: RwLock<BTreeMap<String, bool>>,
}

impl Scraper {
    /// For services given as `name=address`.
    pub(crate) fn open(services: &[String], metrics: &Metrics) -> Result<Self, StartError> {
        let addresses = services.iter().map(|service| {
            let (name, address) = service.split_once('=').ok_or_else(|| {
                StartError(format!("ADMIN_SERVICES: {service:?} is not name=http://host:port"))
            })?;
            let address = format!("{}/metrics", address.trim_end_matches('/'));
            Ok((name.trim().to_owned(), address))
        });
        let addresses = addresses.collect::<Result<_, StartError>>()?;
        let client = Client::new("services", Duration::from_secs(3), metrics)?;
        Ok(Self { client, addresses, open: RwLock::default() })
    }

    /// Whether this service waits for its register; `None` when it does not say.
    pub(crate) fn breaker_open(&self, service: &str) -> Option<bool> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).get(service).copied()
    }

    /// Services that wait for their registers.
    pub(crate) fn waiting(&self) -> Vec<String> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        open.iter().filter(|(_, open)| **open).map(|(name, _)| name.clone()).collect()
    }

    /// Looks until the process is to stop.
    pub(crate) async fn run(&self, kit: &Kit) {
        if self.addresses.is_empty() {
            return;
        }
        loop {
            for (name, address) in &self.addresses {
                let answer =
                    self.client.send("metrics", self.client.request(Method::GET, address)).await;
                let found = answer.ok().and_then(|answer| {
                    let text = String::from_utf8_lossy(&answer.body);
                    gauge(&text, "breaker_open").map(|value| value != "0")
                });
                let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
                match found {
                    Some(is_open) => drop(open.insert(name.clone(), is_open)),
                    None => drop(open.remove(name)),
                }
            }
            if !kit.pause(LOOK).await {
                return;
            }
        }
    }
}

/// The value of a gauge without labels in the Prometheus text format.
fn gauge<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
}

#[cfg(test)]
mod tests {
    use super::gauge;

    #[test]
    fn a_gauge_is_read() {
        let text = "# HELP breaker_open 1 while\n# TYPE breaker_open gauge\nbreaker_open 1\nx 2\n";
        assert_eq!(gauge(text, "breaker_open"), Some("1"));
        assert_eq!(gauge(text, "breaker"), None);
    }
}
