//! The REST methods of a Bitrix24 portal, within its limits.
//!
//! [`Portal::call`] is one call. Behind it, calls that wait at the same time leave in one `batch`,
//! and all services share the portal's rate through [`Limiter`]. Results stay JSON text until
//! they are mapped: no number goes through a float.

mod answer;
mod error;
mod group;
mod limiter;
mod methods;
mod order;
mod properties;
mod query;
mod store;
mod wire;

use std::sync::Arc;

use runtime::{Metrics, StartError};
use serde_json::Value;
use tokio::sync::mpsc;

pub use answer::Reply;
pub use error::{RestError, RestErrorKind};
pub use limiter::Limiter;
pub use methods::{Changed, ChangedOrder};
pub use order::OrderHead;

use crate::shops::{BitrixArgs, PortalSettings};
use group::{Gate, Unit};
use properties::Properties;

/// Callers that may wait in the process; further ones wait to be let in.
const WAITING: usize = 1_024;

/// A call of a REST method.
#[derive(Debug, Clone)]
pub struct Call {
    /// The method, such as `sale.order.get`.
    pub method: &'static str,
    /// Its parameters, an object. Money and quantities are written as texts.
    pub params: Value,
}

/// One portal. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Portal {
    units: mpsc::Sender<Unit>,
    properties: Properties,
    client_id: Arc<str>,
}

impl Portal {
    /// The portal of these settings. Its calls are served by a task that ends with the last clone.
    ///
    /// # Errors
    /// [`StartError`] when there can be no HTTP client.
    pub fn open(
        portal: &PortalSettings,
        args: &BitrixArgs,
        limiter: &Limiter,
        metrics: &Metrics,
    ) -> Result<Self, StartError> {
        let wire = wire::Wire::new(portal, args.bitrix_timeout, metrics)?;
        let gate = Gate { bucket: limiter.bucket(portal), wire };
        let (units, waiting) = mpsc::channel(WAITING);
        tokio::spawn(group::serve(Arc::new(gate), waiting));
        let client_id = portal.client_id.as_str().into();
        Ok(Self { units, properties: Properties::default(), client_id })
    }

    /// Calls one method.
    ///
    /// # Errors
    /// [`RestError`] tells what it means.
    pub async fn call(&self, method: &'static str, params: Value) -> Result<Reply, RestError> {
        let mut replies = self.together(vec![Call { method, params }]).await;
        replies.pop().unwrap_or(Err(stopped(method)))
    }

    /// Makes calls one after the other in one request, and tells what each came to. One that
    /// fails does not keep the next from being made.
    pub async fn together(&self, calls: Vec<Call>) -> Vec<Result<Reply, RestError>> {
        let methods: Vec<&'static str> = calls.iter().map(|call| call.method).collect();
        let (unit, replies) = Unit::new(calls);
        let replies = match self.units.send(unit).await {
            Ok(()) => replies.await.ok(),
            Err(_) => None,
        };
        replies.unwrap_or_else(|| methods.into_iter().map(|method| Err(stopped(method))).collect())
    }
}

/// The task that serves the calls has gone: the process is going down.
fn stopped(method: &'static str) -> RestError {
    RestError { method, kind: RestErrorKind::NoAnswer("the process is stopping".to_owned()) }
}
