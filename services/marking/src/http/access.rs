//! Who calls: keys of people and programs, sessions of people at the page.

use std::{
    collections::{BTreeMap, HashMap},
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Redirect, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use super::api;
use crate::{
    Marking,
    config::{Person, Role},
};

/// One wrong key in this time is looked at, from one address, once so many in a row were wrong.
const EACH: Duration = Duration::from_millis(200);
/// See [`EACH`].
const IN_A_ROW: u32 = 20;
/// So many addresses are told apart; beyond that, strangers share one bound.
const ADDRESSES: usize = 10_000;

/// Every key.
pub(crate) struct Keys {
    callers: Vec<([u8; 32], Caller)>,
    /// When each address's bucket of wrong keys will be empty.
    wrong: Mutex<HashMap<IpAddr, Instant>>,
    /// Where a proxy writes the caller's address.
    header: Option<String>,
}

/// Whose key it was.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) name: String,
    pub(crate) role: Role,
}

/// From where somebody calls: who guesses keys elsewhere does not shut him out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address(IpAddr);

impl Keys {
    pub(crate) fn new(people: &BTreeMap<String, Person>, header: Option<&str>) -> Self {
        let caller = |(name, person): (&String, &Person)| {
            (digest(person.key.expose()), Caller { name: name.clone(), role: person.role })
        };
        let callers = people.iter().map(caller).collect();
        Self { callers, wrong: Mutex::default(), header: header.map(str::to_owned) }
    }

    /// The caller with this key; it takes the same time for every wrong one.
    fn find(&self, key: &str) -> Option<Caller> {
        let given = digest(key);
        let mut found = u64::MAX;
        for (place, (digest, _)) in (0_u64..).zip(&self.callers) {
            let same: Choice = digest.ct_eq(&given);
            found = u64::conditional_select(&found, &place, same);
        }
        let found = usize::try_from(found).ok()?;
        self.callers.get(found).map(|(_, caller)| caller.clone())
    }

    /// The caller with this key, unless too many from his address were wrong just now.
    ///
    /// # Errors
    /// 401 or 429.
    pub(super) fn admit(&self, key: &str, Address(from): Address) -> Result<Caller, StatusCode> {
        let now = Instant::now();
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.len() >= ADDRESSES {
            wrong.retain(|_, empty_at| *empty_at > now);
        }
        let is_crowded = wrong.len() >= ADDRESSES && !wrong.contains_key(&from);
        let from = if is_crowded { UNKNOWN } else { from };
        let empty_at = wrong.get(&from).map_or(now, |at| *at.max(&now));
        if empty_at - now > EACH * IN_A_ROW {
            return Err(StatusCode::TOO_MANY_REQUESTS);
        }
        let found = self.find(key);
        if found.is_none() {
            wrong.insert(from, empty_at + EACH);
        }
        found.ok_or(StatusCode::UNAUTHORIZED)
    }

    /// What a session of this cookie is kept under, for each person: it ends with his key.
    fn sessions(&self, secret: &str) -> Vec<Vec<u8>> {
        self.callers.iter().map(|(key, _)| session(secret, key)).collect()
    }

    /// The same for one person.
    pub(super) fn session_of(&self, name: &str, secret: &str) -> Option<Vec<u8>> {
        let own = self.callers.iter().find(|(_, caller)| caller.name == name);
        own.map(|(key, _)| session(secret, key))
    }
}

/// Who is not known by an address.
const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

fn session(secret: &str, key: &[u8; 32]) -> Vec<u8> {
    Sha256::new().chain_update(key).chain_update(secret).finalize().to_vec()
}

/// One household of IPv6 has a whole /64.
fn bounded(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(long) => {
            let [a, b, c, d, ..] = long.segments();
            IpAddr::V6([a, b, c, d, 0, 0, 0, 0].into())
        }
        short => short,
    }
}

impl FromRequestParts<Arc<Marking>> for Address {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        marking: &Arc<Marking>,
    ) -> Result<Self, Infallible> {
        let named = marking.keys.header.as_deref().and_then(|name| parts.headers.get(name));
        // A proxy adds the address that it sees at the end.
        let last = named.and_then(|all| all.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        let socket = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        Ok(Self(last.or(socket).map_or(UNKNOWN, bounded)))
    }
}

/// SHA-256 of a secret.
fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// A secret that nobody can guess: 256 bits of version 4 UUIDs, 244 of them random.
pub(super) fn fresh() -> String {
    let bytes = [uuid::Uuid::new_v4().into_bytes(), uuid::Uuid::new_v4().into_bytes()].concat();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A program, or a person with a key, by the header `X-API-Key`.
impl FromRequestParts<Arc<Marking>> for Caller {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        marking: &Arc<Marking>,
    ) -> Result<Self, Response> {
        let key = parts.headers.get("x-api-key").and_then(|key| key.to_str().ok()).unwrap_or("");
        let key = key.to_owned();
        let Ok(address) = Address::from_request_parts(parts, marking).await;
        marking.keys.admit(&key, address).map_err(|status| api::refusal(status, "unauthorized"))
    }
}

/// A person who is signed in at the page.
pub(super) struct Visitor {
    pub(super) name: String,
    pub(super) csrf: String,
}

impl FromRequestParts<Arc<Marking>> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        marking: &Arc<Marking>,
    ) -> Result<Self, Response> {
        let to_login = || Redirect::to("/login").into_response();
        let secret = cookie(&parts.headers, cookie_name(marking)).ok_or_else(to_login)?;
        let session =
            marking.store.session(&marking.keys.sessions(secret)).await.map_err(|error| {
                tracing::warn!(%error, "sessions cannot be read");
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            })?;
        let session = session.ok_or_else(to_login)?;
        Ok(Self { name: session.person, csrf: session.csrf })
    }
}

impl Visitor {
    /// Whether a form of this very session was sent.
    ///
    /// # Errors
    /// 403 for any other.
    pub(super) fn check(&self, csrf: &str) -> Result<(), StatusCode> {
        let same = bool::from(self.csrf.as_bytes().ct_eq(csrf.as_bytes()));
        if same { Ok(()) } else { Err(StatusCode::FORBIDDEN) }
    }
}

/// The cookie's name; over HTTPS no other host or path can set it.
pub(super) fn cookie_name(marking: &Marking) -> &'static str {
    if marking.config.marking_https { "__Host-marking" } else { "marking" }
}

/// A cookie's value.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// The header that sets a cookie.
pub(super) fn set_cookie(marking: &Marking, name: &str, value: &str, lasts: Duration) -> String {
    let secure = if marking.config.marking_https { "; Secure" } else { "" };
    let seconds = lasts.as_secs();
    format!("{name}={value}; Path=/; Max-Age={seconds}; SameSite=Strict; HttpOnly{secure}")
}
