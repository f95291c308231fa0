//! The service's own routes: the interface for programs (`X-API-Key`) and the storekeeper's page.

mod access;
mod api;
mod kept;
mod page;
mod release;
mod spool;
pub(crate) mod texts;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};

pub(crate) use access::Keys;

use crate::Marking;

/// What a browser may load: our own style, nothing else and nothing inline.
const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; \
    frame-ancestors 'none'; base-uri 'none'";

/// All routes.
pub(crate) fn router(marking: Arc<Marking>) -> Router {
    let programs = Router::new()
        .route("/orders/{id}", get(api::order))
        .route("/orders/{id}/scans", post(api::scan))
        .route("/orders/{id}/codes", get(api::codes))
        .route("/quarantine", get(api::quarantined))
        .route("/quarantine/release", post(api::release))
        .route("/counts", get(api::counts))
        .route("/imports", get(api::imports).post(api::import).layer(unbounded()))
        .route("/imports/{id}", get(api::imported))
        .route("/imports/{id}/rows", get(api::rows));
    let people = Router::new()
        .route("/", get(page::overview))
        .route("/scan", get(page::order).post(page::scan))
        .route("/unbind", post(page::unbind))
        .route("/kept", get(kept::page).post(kept::release))
        .route("/import", post(page::import).layer(unbounded()))
        .route("/import/{id}", get(page::report))
        .route("/login", get(page::login).post(page::sign_in))
        .route("/logout", post(page::sign_out))
        .route("/language", get(page::language))
        .route(
            "/static/marking.css",
            get(async || ([(header::CONTENT_TYPE, "text/css")], include_str!("http/marking.css"))),
        );
    programs.merge(people).layer(middleware::from_fn(dress)).with_state(marking)
}

/// Files have a bound of their own; all else is read into memory, also from people who are not signed in,
/// and keeps axum's bound of two megabytes.
fn unbounded() -> DefaultBodyLimit {
    DefaultBodyLimit::disable()
}

/// Around every answer: a change that another site asks for is refused, and the headers say what a
/// browser may do.
async fn dress(request: Request, next: Next) -> Response {
    let site = request.headers().get("sec-fetch-site");
    let is_foreign = site.is_some_and(|site| site != "same-origin" && site != "none");
    let changes = !request.method().is_safe();
    let mut answer = if is_foreign && changes {
        tracing::warn!("a request from another site is refused");
        StatusCode::FORBIDDEN.into_response()
    } else {
        next.run(request).await
    };
    let headers = answer.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "same-origin");
    set(header::CACHE_CONTROL, "no-store");
    answer
}
