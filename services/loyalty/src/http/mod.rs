//! The interface for 1C's registers, the site and managers.
//!
//! Every route is there twice: under `/v1` and under `/local/api/cashback/v1`, where the
//! customer's first interface had it. `openapi.yaml` describes them; a test holds it against
//! [`ROUTES`] and against the answers.

mod account;
mod answer;
mod auth;
mod body;
mod customers;
mod desk;
mod exceptions;
mod guard;
mod log;
mod parked;
mod transactions;
mod wire;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{get, post, put},
};

pub(crate) use self::{auth::Keys, log::Log};
use crate::{
    bank::Bank,
    config::{Language, Program, Role},
    gauges::Gauges,
};

/// Every route: method, path below the prefix, and who may call it.
pub const ROUTES: [(&str, &str, &[Role]); 11] = [
    ("GET", "/balance", &[Role::Register, Role::Site, Role::Manager]),
    ("POST", "/balance", &[Role::Register, Role::Site, Role::Manager]),
    ("POST", "/transactions", &[Role::Register, Role::Manager]),
    ("POST", "/transactions/batch", &[Role::Register, Role::Manager]),
    ("GET", "/history", &[Role::Site, Role::Manager]),
    ("POST", "/history", &[Role::Site, Role::Manager]),
    ("POST", "/account", &[Role::Site, Role::Manager]),
    ("PUT", "/customers", &[Role::Site, Role::Manager]),
    ("GET", "/exceptions", &[Role::Manager]),
    ("POST", "/exceptions/{id}/close", &[Role::Manager]),
    ("GET", "/parked", &[Role::Manager]),
];
/// Where the routes are.
pub const PREFIXES: [&str; 2] = ["/v1", "/local/api/cashback/v1"];

/// What the routes need.
pub(crate) struct Api {
    pub bank: Bank,
    pub keys: Keys,
    pub program: Program,
    pub gauges: Gauges,
    pub language: Language,
    pub log: Log,
    /// How long a request may take.
    pub patience: Duration,
}

/// The service's routes.
pub(crate) fn router(api: Arc<Api>) -> Router {
    let one = Router::new()
        .route("/balance", get(desk::balance).post(desk::balance_by_body))
        .route("/transactions", post(transactions::one))
        .route("/transactions/batch", post(transactions::batch))
        .route("/history", get(desk::history).post(desk::history_by_body))
        .route("/account", post(account::account))
        .route("/customers", put(customers::meet))
        .route("/exceptions", get(exceptions::list))
        .route("/exceptions/{id}/close", post(exceptions::close))
        .route("/parked", get(parked::list));
    let mut router = Router::new();
    for prefix in PREFIXES {
        router = router.nest(prefix, one.clone());
    }
    router
        .layer(from_fn_with_state(Arc::clone(&api), guard::in_time))
        .layer(from_fn_with_state(Arc::clone(&api), guard::guard))
        .with_state(api)
}
