//! Before and after every request: the key, the rate, the log, the metrics.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::StatusCode,
    middleware::Next,
    response::Response,
};

use super::{Api, PREFIXES, ROUTES, answer, auth::Caller};
use crate::store::LogLine;

/// What a handler says about a request, for the log.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub external_id: Option<String>,
    pub result: String,
    /// Whether it was an operation that was understood: its store is not silent.
    pub taken: bool,
}

/// The lines that a response brings to the log.
#[derive(Debug, Clone, Default)]
pub(super) struct Says(pub Vec<Said>);

pub(super) async fn guard(
    State(api): State<Arc<Api>>,
    path: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let route = path.as_ref().map_or("none", |path| short(path.as_str())).to_owned();
    let key = request.headers().get("x-api-key").and_then(|key| key.to_str().ok());
    let caller = key.and_then(|key| api.keys.find(key));
    let refused = match &caller {
        None => match api.keys.stranger() {
            Ok(()) => Some(answer::error(api.language, StatusCode::UNAUTHORIZED, "unauthorized")),
            Err(wait) => Some(answer::too_many(api.language, wait)),
        },
        Some(caller) if !may(caller, request.method().as_str(), &route) => {
            Some(answer::error(api.language, StatusCode::FORBIDDEN, "forbidden"))
        }
        Some(caller) => caller.take().err().map(|wait| answer::too_many(api.language, wait)),
    };
    let response = match (refused, &caller) {
        (Some(refused), _) => refused,
        (None, Some(caller)) => {
            request.extensions_mut().insert(Arc::clone(caller));
            next.run(request).await
        }
        (None, None) => answer::error(api.language, StatusCode::UNAUTHORIZED, "unauthorized"),
    };
    note(&api, &route, caller.as_deref(), &response, began);
    response
}

/// A request that takes too long is answered in our form. What it asked for may be carried out all
/// the same: a repeat says.
pub(super) async fn in_time(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(api.patience, next.run(request)).await;
    answer.unwrap_or_else(|_| answer::away(api.language))
}

/// The path without its prefix: both prefixes are one route.
fn short(path: &str) -> &str {
    PREFIXES.iter().find_map(|prefix| path.strip_prefix(prefix)).unwrap_or(path)
}

fn may(caller: &Caller, method: &str, route: &str) -> bool {
    // Who may not read something may not ask for its length either.
    let method = if method == "HEAD" { "GET" } else { method };
    // What is no route is answered as such by the router.
    let known = ROUTES.iter().find(|(verb, path, _)| *verb == method && *path == route);
    known.is_none_or(|(.., roles)| roles.contains(&caller.register.role))
}

fn note(api: &Api, route: &str, caller: Option<&Caller>, response: &Response, began: Instant) {
    let status = response.status();
    let took = began.elapsed();
    api.gauges.request(route, status.as_u16(), took);
    // Who tries keys faster than they are looked at does not fill the log.
    if caller.is_none() && status == StatusCode::TOO_MANY_REQUESTS {
        return;
    }
    let line = |said: Said| LogLine {
        at: api.bank.store().now(),
        register: caller.map(|caller| caller.name.clone()),
        store: caller.and_then(|caller| caller.register.store.clone()),
        route: route.to_owned(),
        external_id: said.external_id,
        status: i32::from(status.as_u16()),
        result: said.result,
        millis: i64::try_from(took.as_millis()).unwrap_or(i64::MAX),
        heard: said.taken,
    };
    let says = response.extensions().get::<Says>().cloned().unwrap_or_default();
    let lines: Vec<LogLine> = if says.0.is_empty() {
        let result = if status.is_success() { "ok" } else { "refused" };
        vec![line(Said { external_id: None, result: result.to_owned(), taken: false })]
    } else {
        says.0.into_iter().map(line).collect()
    };
    api.log.put(lines);
}
