//! `/metrics`, `/metrics/names`, `/healthz`, `/readyz`, and a service's own routes.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Json, Router,
    extract::{MatchedPath, Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::Response,
    routing::get,
};
use prometheus::TextEncoder;
use sqlx::PgPool;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;

use crate::{bus::Publisher, metrics::Metrics, registry::Described};

/// What the probes look at.
#[derive(Clone)]
pub(crate) struct Health {
    pub metrics: Metrics,
    pub pool: PgPool,
    pub publisher: Publisher,
    /// Whether the worker listens to exchanges: before its queue is bound, events find nobody.
    pub listens: bool,
    /// Tables are set up and the worker runs.
    pub ready: Arc<AtomicBool>,
}

/// The service's routes beside the runtime's.
pub(crate) fn router(own: Router, health: Health) -> Router {
    let own = own.layer(middleware::from_fn(trace));
    Router::new()
        .route("/metrics", get(metrics))
        .route("/metrics/names", get(names))
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .with_state(health)
        .merge(own)
        .layer(CatchPanicLayer::new())
}

/// The span of a call from outside: what it leads to belongs to its trace. The route's pattern
/// is named and not the path, which may hold a secret.
async fn trace(path: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let route = path.as_ref().map_or("none", MatchedPath::as_str);
    let span = tracing::info_span!(
        "call",
        otel.name = format!("{} {route}", request.method()),
        otel.kind = "server",
        http.route = route,
        http.response.status_code = tracing::field::Empty,
    );
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", response.status().as_u16());
    response
}

async fn metrics(State(health): State<Health>) -> Result<String, StatusCode> {
    TextEncoder::new()
        .encode_to_string(&health.metrics.registry.gather())
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// What this service can tell, also what it has not counted yet.
async fn names(State(health): State<Health>) -> Json<Vec<Described>> {
    Json(health.metrics.registry.described())
}

/// Ready: the tables are there, the worker's queue was bound once, and PostgreSQL or the broker
/// answers. One of them is enough: ingress keeps webhooks in either, and taking it out of
/// rotation while the broker is away would lose exactly the calls that the other one could keep.
async fn ready(State(health): State<Health>) -> (StatusCode, &'static str) {
    if !health.ready.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "starting or stopping\n");
    }
    if health.listens && !health.publisher.was_up() {
        return (StatusCode::SERVICE_UNAVAILABLE, "its queue is not bound yet\n");
    }
    match (health.publisher.is_up(), health.pool.acquire().await.is_ok()) {
        (true, true) => (StatusCode::OK, "ready\n"),
        (false, true) => (StatusCode::OK, "ready; the broker is away\n"),
        (true, false) => (StatusCode::OK, "ready; PostgreSQL is away\n"),
        (false, false) => {
            (StatusCode::SERVICE_UNAVAILABLE, "neither the broker nor PostgreSQL answers\n")
        }
    }
}
