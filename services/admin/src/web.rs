//! The pages: rendered here, readable without JavaScript, with nothing inline.

mod access;
mod confirm;
mod groups;
mod layout;
mod letter;
mod letters;
mod oidc;
mod orders;
mod overview;
mod points;
mod problem;
mod replays;
mod settings;
mod show;
mod sign_in;
mod stock;
mod words;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};

use crate::{
    Admin,
    people::{Stranger, only_looks},
};
pub(crate) use orders::search;
pub(crate) use problem::Problem;
pub(crate) use words::{class as class_word, service as service_word};

/// What a browser may load: our own style, script and pictures, and nothing inline.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The time of Moscow, which is that of the registers' documents: pages and days are in it.
pub(crate) const MOSCOW: time::UtcOffset = time::macros::offset!(+3);

/// All routes of this service.
pub(crate) fn router(admin: Arc<Admin>) -> Router {
    Router::new()
        .route("/", get(overview::page))
        .route("/live", get(overview::live))
        .route("/orders", get(orders::list))
        .route("/order", get(orders::one))
        .route("/groups", get(groups::page))
        .route("/letters", get(letters::page))
        .route("/letters/replay", get(confirm::page).post(confirm::replay))
        .route("/letters/discard", post(letters::discard))
        .route("/letters/{id}", get(letter::page))
        .route("/letters/{id}/note", post(letter::note))
        .route("/letters/{id}/settle", post(letter::settle))
        .route("/letters/{id}/restore", post(letter::restore))
        .route("/letters/{id}/edit", post(letter::edit))
        .route("/replays", get(replays::list))
        .route("/replays/{id}", get(replays::one))
        .route("/replays/{id}/{turn}", post(replays::turn))
        .route("/points", get(points::page).post(points::look))
        .route("/stock", get(stock::page))
        .route("/settings", get(settings::page))
        .route("/access", get(access::page))
        .route("/access/users", post(access::make_user))
        .route("/access/users/{what}", post(access::change_user))
        .route("/access/tokens", post(access::make_token))
        .route("/access/tokens/{id}/revoke", post(access::revoke_token))
        .route("/audit", get(access::audit))
        .route("/login", get(sign_in::page).post(sign_in::sign_in))
        .route("/login/oidc", get(oidc::begin))
        .route("/login/callback", get(oidc::back))
        .route("/logout", post(sign_in::sign_out))
        .route("/language", get(sign_in::language))
        .nest("/api/v1", crate::api::router())
        .route("/static/admin.css", get(async || stored("text/css", include_str!("web/admin.css"))))
        .route(
            "/static/live.js",
            get(async || stored("text/javascript", include_str!("web/live.js"))),
        )
        .route(
            "/static/icon.svg",
            get(async || stored("image/svg+xml", include_str!("web/icon.svg"))),
        )
        .fallback(|| async { Problem::NotFound })
        .layer(middleware::from_fn_with_state(Arc::clone(&admin), dress))
        .layer(DefaultBodyLimit::max(1024 * 1024))
        .with_state(admin)
}

/// The answer, or a refusal; people who are known are noted where they are refused.
async fn let_in(admin: &Admin, request: Request, next: Next, path: &str) -> Response {
    let (parts, body) = request.into_parts();
    let stranger = Stranger::of(admin, &parts);
    let site = parts.headers.get("sec-fetch-site");
    let foreign = site.is_some_and(|site| site == "cross-site" || site == "same-site");
    if foreign && !parts.method.is_safe() {
        stranger.refused(admin, "another site").await;
        return Problem::Forged.into_response();
    }
    let looks = only_looks(&parts.method, path);
    let answer = next.run(Request::from_parts(parts, body)).await;
    let why = match answer.extensions().get::<Problem>() {
        Some(Problem::SignIn) if !looks => "not signed in",
        Some(Problem::Token) => "unknown token",
        Some(Problem::TooMany) => "too many attempts",
        _ => return answer,
    };
    stranger.refused(admin, why).await;
    answer
}

fn stored(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, kind)], text)
}

/// Around every answer: a request that another site forged is refused, refusals of strangers are in
/// the audit log, a problem becomes a page or JSON, and the headers say what a browser may do.
async fn dress(State(admin): State<Arc<Admin>>, request: Request, next: Next) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let language = layout::language(&admin, request.headers());
    let answer = let_in(&admin, request, next, &path).await;
    let problem = answer.extensions().get::<Problem>().cloned();
    let mut answer = match problem.or_else(|| Problem::unsaid(answer.status())) {
        Some(problem) => problem::render(&problem, &path, language),
        None => answer,
    };
    let lasts = path.starts_with("/static/") && answer.status() == StatusCode::OK;
    let headers = answer.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "same-origin");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(header::CACHE_CONTROL, if lasts { "max-age=300" } else { "no-store" });
    if crate::people::is_https(&admin) {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    answer
}
