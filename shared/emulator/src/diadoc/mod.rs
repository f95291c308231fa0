//! Diadoc, the operator of electronic documents: its HTTP interface as of 2026, under `/diadoc`, and its OIDC provider
//! under `/diadoc-identity`.
//!
//! Real where the sources say so: refresh tokens that each refresh replaces, or a token by login; 204 while an operation
//! runs, the first result for its key for ever; a document is taken only with a GOST signature over its exact bytes,
//! the right name of its file and the right parties; an event feed in pages whose places are not unique; states beside
//! texts; refusals in two forms. Documents are held against the tax service's schemas where a folder with them is named.

mod auth;
pub mod books;
mod check;
mod cloud;
mod control;
mod people;
mod post;
mod read;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, StatusCode, header::RETRY_AFTER},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post as post_to},
};
use time::OffsetDateTime;

pub use self::books::{Answered, Books, Buyer, Message, Summary};
pub(crate) use self::control::router as control;
use crate::{
    Emulator,
    faults::{self, System},
};

/// The operator's state.
#[derive(Debug, Default)]
pub struct Diadoc {
    books: Mutex<Books>,
    under_way: AtomicUsize,
}

impl Diadoc {
    /// The books, locked: drop the guard before the next request.
    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn reset(&self) {
        *self.books() = Books::default();
    }
}

pub(crate) fn router(emulator: &Arc<Emulator>) -> Router<Arc<Emulator>> {
    let state = || Arc::clone(emulator);
    let inside = Router::new()
        .route("/V3/PostMessage", post_to(post::post))
        .route("/CanPostMessage", post_to(post::can_post))
        .route("/V8/GetNewEvents", get(read::events))
        .route("/V3/GetDocument", get(read::document))
        .route("/V4/GetDocflows", post_to(read::docflows))
        .route("/GetDocumentsByCustomId", get(read::by_custom))
        .route("/GetOrganizationsByInnKpp", get(people::organizations))
        .route("/V3/GetCounteragent", get(people::counteragent))
        .route("/V3/AcquireCounteragent", post_to(people::acquire))
        .route("/V2/DssSign", post_to(cloud::sign))
        .route("/DssSignResult", get(cloud::result))
        .layer(from_fn_with_state(state(), auth::signed_in));
    Router::new()
        .route("/V3/Authenticate", post_to(auth::authenticate))
        .merge(inside)
        .layer(from_fn_with_state(state(), limited))
        .layer(from_fn_with_state((state(), System::Diadoc), faults::strike))
}

/// The provider of tokens.
pub(crate) fn identity(emulator: &Arc<Emulator>) -> Router<Arc<Emulator>> {
    Router::new()
        .route("/connect/token", post_to(auth::token))
        .layer(from_fn_with_state((Arc::clone(emulator), System::Diadoc), faults::strike))
}

/// An error in Diadoc's form: a word in a header, words in the body.
pub(crate) fn refused(code: u16, word: &'static str, message: &str) -> Response {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_REQUEST);
    let header = HeaderName::from_static("x-diadoc-errorcode");
    (status, [(header, word)], message.to_owned()).into_response()
}

/// A request that keeps to no protocol: booked, and refused.
fn breach(emulator: &Emulator, why: &str) -> Response {
    emulator.diadoc.books().violations.add(why.to_owned());
    refused(400, "Http.BadRequest", why)
}

/// The parameters that must be there, and no others but the optional ones; an empty one is a breach.
fn parameters(
    emulator: &Emulator,
    query: &HashMap<String, String>,
    must: &[&str],
    may: &[&str],
) -> Result<(), Box<Response>> {
    let breach = |why: String| Box::new(breach(emulator, &why));
    if let Some(missing) = must.iter().find(|name| query.get(**name).is_none_or(String::is_empty)) {
        return Err(breach(format!("the parameter {missing} is missing")));
    }
    let is_known = |name: &str| must.contains(&name) || may.contains(&name);
    if let Some((name, _)) = query.iter().find(|(name, value)| !is_known(name) || value.is_empty())
    {
        return Err(breach(format!("the parameter {name} is unknown or empty")));
    }
    Ok(())
}

/// The rate, and how many requests are under way at once.
async fn limited(State(emulator): State<Arc<Emulator>>, request: Request, next: Next) -> Response {
    let (rate, most) = {
        let settings = emulator.settings();
        (settings.diadoc.rate, settings.diadoc.at_once)
    };
    let own = &emulator.diadoc;
    let under_way = Count::new(&own.under_way);
    let within = own.books().hit(emulator.clock.now(), rate, under_way.now);
    if !within || (most > 0 && under_way.now > most) {
        let mut refused = refused(429, "Http.TooManyRequests", "too many requests");
        refused.headers_mut().insert(RETRY_AFTER, 1.into());
        return refused;
    }
    next.run(request).await
}

/// One more under way, until it is dropped.
struct Count<'a> {
    all: &'a AtomicUsize,
    now: usize,
}

impl<'a> Count<'a> {
    fn new(all: &'a AtomicUsize) -> Self {
        Self { all, now: all.fetch_add(1, Ordering::SeqCst) + 1 }
    }
}

impl Drop for Count<'_> {
    fn drop(&mut self) {
        self.all.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A moment in ticks of .NET: 100 ns since 0001-01-01.
fn ticks(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 100).unwrap_or(0) + 621_355_968_000_000_000
}

/// A random UUID.
fn uuid() -> String {
    let bits: u128 = rand::random();
    let text = format!("{bits:032x}");
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}
