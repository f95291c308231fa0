//! Basic authentication (RFC 7617), compared in constant time.

use axum::{extract::Request, http::header::AUTHORIZATION};
use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// Whether a request comes with this user and password.
pub(crate) fn is_from(request: &Request, user: &str, password: &SecretString) -> bool {
    let pair = BASE64_STANDARD.encode(format!("{user}:{}", password.expose_secret()));
    let given = request.headers().get(AUTHORIZATION).map_or(&[][..], |value| value.as_bytes());
    given.ct_eq(format!("Basic {pair}").as_bytes()).into()
}
