//! Secrets of sessions and tokens: 32 random bytes, of which only the SHA-256 is kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// A new secret.
pub(crate) struct Fresh {
    /// What its owner gets, once.
    pub text: String,
    /// What is kept.
    pub hash: Vec<u8>,
}

impl Fresh {
    /// A secret that begins with `prefix`, so that people and scanners know it for one.
    pub(crate) fn new(prefix: &str) -> Self {
        let text = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
        let hash = digest(&text);
        Self { text, hash }
    }
}

/// What is kept of a secret.
pub(crate) fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}
