//! Standard Webhooks signatures: HMAC-SHA256 over `id.timestamp.body`, both ways.
//!
//! Written on `hmac` and not on the crate `standardwebhooks` 1.0.1, which reads the clock itself,
//! knows one secret, copies the body, and computes `now - timestamp` without a guard against
//! overflow.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

/// The header with the call's own id; a retry keeps it.
pub const ID_HEADER: &str = "webhook-id";
/// The header with the Unix time of this attempt, in seconds.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// The header with one or more signatures, separated by spaces.
pub const SIGNATURE_HEADER: &str = "webhook-signature";
/// How far the sender's clock and ours may be apart, in seconds, either way.
pub const TOLERANCE: u64 = 5 * 60;

/// The most signatures that are looked at in one header: a rotation needs two.
const MAX_SIGNATURES: usize = 8;
/// The longest id; the specification's examples have 31 characters.
const MAX_ID: usize = 256;
/// The shortest and the longest key, in bytes (the specification's bounds).
const KEY_LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// A key that both sides know. Never shown.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

/// A text that is no key. Does not quote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a webhook secret is whsec_ and the base64 form of {} to {} random bytes",
    KEY_LENGTHS.start(),
    KEY_LENGTHS.end()
)]
pub struct KeyError;

/// The three headers of a signed call.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// [`ID_HEADER`].
    pub id: &'a str,
    /// [`TIMESTAMP_HEADER`].
    pub timestamp: &'a str,
    /// [`SIGNATURE_HEADER`].
    pub signatures: &'a str,
}

/// Why a signature is not accepted: for our metrics, never for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The id is empty or too long, or the timestamp is not a whole number of seconds.
    #[error("the signature's headers are malformed")]
    Malformed,
    /// The timestamp is further from our clock than [`TOLERANCE`].
    #[error("the signature is older or younger than {TOLERANCE} s")]
    Stale,
    /// No signature fits any key.
    #[error("no signature fits")]
    Wrong,
}

impl Key {
    /// Reads a secret as `whsec_<base64>`.
    ///
    /// # Errors
    /// [`KeyError`] for other texts and for keys that are too short to protect anything.
    pub fn parse(secret: &str) -> Result<Self, KeyError> {
        let base64 = secret.strip_prefix("whsec_").ok_or(KeyError)?;
        let bytes = STANDARD.decode(base64).map_err(|_| KeyError)?;
        if !KEY_LENGTHS.contains(&bytes.len()) {
            return Err(KeyError);
        }
        Hmac::new_from_slice(&bytes).map(Self).map_err(|_| KeyError)
    }

    /// The signature `v1,<base64>` of `body`, sent as `id` at `timestamp` (Unix seconds).
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mac = self.mac(id, &timestamp.to_string(), body);
        format!("v1,{}", STANDARD.encode(mac))
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

/// Checks that one of `keys` signed `body` at a time near `now` (Unix seconds).
///
/// Every key is tried with every signature, so that the time taken does not tell which of them
/// nearly fitted.
///
/// # Errors
/// [`SignatureError`]; the caller of the endpoint must not be told which.
pub fn verify(
    keys: &[Key],
    signed: Signed<'_>,
    body: &[u8],
    now: i64,
) -> Result<(), SignatureError> {
    if signed.id.is_empty() || signed.id.len() > MAX_ID {
        return Err(SignatureError::Malformed);
    }
    let timestamp: i64 = signed.timestamp.parse().map_err(|_| SignatureError::Malformed)?;
    if timestamp.abs_diff(now) > TOLERANCE {
        return Err(SignatureError::Stale);
    }
    let given = signatures(signed.signatures);
    let mut fits = Choice::from(0);
    for key in keys {
        let expected = key.mac(signed.id, signed.timestamp, body);
        for signature in &given {
            fits |= signature.as_slice().ct_eq(&expected);
        }
    }
    if bool::from(fits) { Ok(()) } else { Err(SignatureError::Wrong) }
}

/// The signatures of version 1 in a header; others are skipped, as the specification asks.
fn signatures(header: &str) -> Vec<Vec<u8>> {
    let versioned = header.split(' ').filter_map(|text| text.strip_prefix("v1,"));
    versioned.take(MAX_SIGNATURES).filter_map(|base64| STANDARD.decode(base64).ok()).collect()
}

#[cfg(test)]
mod tests;
