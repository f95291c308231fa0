//! `deploy/services.toml`: the one list of services.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::files;

/// A service, as operators know it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its port on a single machine.
    pub port: u16,
    /// The name of its queue, and its label in metrics.
    pub worker: String,
    /// How few and how many replicas.
    pub replicas: (u32, u32),
    /// Messages per replica at which another one is worth its place; none where replicas are fixed.
    pub in_hand: Option<u32>,
    /// What has to come first before it can be held against anything.
    pub waits_for: Option<String>,
}

impl Service {
    /// Whether its crate is in this tree.
    #[must_use]
    pub const fn is_built(&self) -> bool {
        self.waits_for.is_none()
    }
}

/// All services by name.
#[must_use]
pub fn all() -> BTreeMap<String, Service> {
    files::toml("deploy/services.toml")
}
