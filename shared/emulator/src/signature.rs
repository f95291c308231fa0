//! HMAC-SHA256 in the two forms the neighbours use: bare, and Standard Webhooks.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Base64 of HMAC-SHA256 over the parts, one after another.
pub(crate) fn hmac_base64(key: &[u8], parts: &[&[u8]]) -> String {
    // HMAC takes keys of any length, so the fallback is never used.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    for part in parts {
        mac.update(part);
    }
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

/// The value of `webhook-signature`: `v1,` and the HMAC over `id.timestamp.body` (Standard Webhooks 1.0).
///
/// Answers `None` if the secret is not `whsec_` with base64.
pub(crate) fn standard_webhook(
    secret: &SecretString,
    id: &str,
    timestamp: &str,
    body: &[u8],
) -> Option<String> {
    let key = secret.expose_secret().strip_prefix("whsec_")?;
    let key = BASE64_STANDARD.decode(key).ok()?;
    let parts = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
    Some(format!("v1,{}", hmac_base64(&key, &parts)))
}

/// Whether one of the signatures in the header fits one of the secrets.
pub(crate) fn verify(
    secrets: &[SecretString],
    id: &str,
    timestamp: &str,
    body: &[u8],
    header: &str,
) -> bool {
    secrets.iter().filter_map(|secret| standard_webhook(secret, id, timestamp, body)).any(|good| {
        header.split(' ').any(|given| bool::from(given.as_bytes().ct_eq(good.as_bytes())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_vector_of_standard_webhooks() {
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let (id, timestamp) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330");
        let body = br#"{"test": 2432232314}"#;
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(standard_webhook(&secret, id, timestamp, body).unwrap(), signature);
        let header = format!("v1,AAAA {signature}");
        assert!(verify(&[SecretString::from("whsec_AAAA"), secret], id, timestamp, body, &header));
    }

    #[test]
    fn anything_else_does_not_verify() {
        let secrets = [SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")];
        let signature = standard_webhook(&secrets[0], "id", "1", b"{}").unwrap();
        assert!(!verify(&secrets, "id", "2", b"{}", &signature));
        assert!(!verify(&secrets, "id", "1", b"{ }", &signature));
        assert!(!verify(&[], "id", "1", b"{}", &signature));
        assert!(!verify(&[SecretString::from("not base64")], "id", "1", b"{}", &signature));
    }
}
