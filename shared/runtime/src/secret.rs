//! Secrets in configuration files: named there, kept elsewhere.

use std::{fs, path::Path};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// A secret that a configuration file points at.
///
/// `env:NAME` reads an environment variable, `file:/path` a file (its trailing line end is cut
/// off), `plain:text` is the text itself, for demonstrations. Never shown by `Debug`.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Secret(SecretString);

/// A secret that is not there.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Neither of the three forms. The text is not quoted: it may be the secret itself.
    #[error("a secret is written as env:NAME, file:/path or plain:text")]
    Form,
    /// No such variable.
    #[error("the environment variable {0} is not set")]
    Variable(String),
    /// No such file, or not readable.
    #[error("the file {0} cannot be read: {1}")]
    File(String, std::io::Error),
}

impl Secret {
    /// The secret itself: for the call that needs it, never for a log.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl TryFrom<String> for Secret {
    type Error = SecretError;

    fn try_from(text: String) -> Result<Self, SecretError> {
        let secret = match text.split_once(':') {
            Some(("env", name)) => {
                std::env::var(name).map_err(|_| SecretError::Variable(name.to_owned()))?
            }
            Some(("file", path)) => read(Path::new(path))?,
            Some(("plain", text)) => text.to_owned(),
            _ => return Err(SecretError::Form),
        };
        Ok(Self(secret.into()))
    }
}

/// The content of a secret's file, without the line end that editors add.
pub(crate) fn read(path: &Path) -> Result<String, SecretError> {
    let text = fs::read_to_string(path)
        .map_err(|error| SecretError::File(path.display().to_string(), error))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
