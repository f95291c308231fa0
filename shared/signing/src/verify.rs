//! Whether a signature holds: `openssl cms -verify` with the GOST engine, for tests and for what
//! comes from others.

use std::{io, path::PathBuf, time::Duration};

use crate::{Certificate, SignError, process};

/// How long a check may take.
const LIMIT: Duration = Duration::from_secs(15);

/// Checks signatures. The chain of certificates is checked only against a given authority.
#[derive(Debug, Clone)]
pub struct Verifier {
    openssl: PathBuf,
    engine: String,
    authority: Option<PathBuf>,
}

/// A signature that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Who signed.
    pub certificate: Certificate,
    /// What was signed.
    pub content: Vec<u8>,
}

/// Why it is not known that a signature holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// It does not hold: other bytes, another key, no signature at all.
    #[error("the signature does not hold: {0}")]
    Wrong(String),
    /// It could not be checked.
    #[error("the signature could not be checked: {0}")]
    NotChecked(String),
}

impl Verifier {
    /// With this program of OpenSSL and this engine; any certificate is good.
    #[must_use]
    pub fn new(openssl: impl Into<PathBuf>, engine: impl Into<String>) -> Self {
        Self { openssl: openssl.into(), engine: engine.into(), authority: None }
    }

    /// Only certificates of this authority (a PEM file) are good.
    #[must_use]
    pub fn trusting(self, authority: impl Into<PathBuf>) -> Self {
        Self { authority: Some(authority.into()), ..self }
    }

    /// Checks a DER signature: over `content` when it is detached, over its own when it is `None`.
    ///
    /// # Errors
    /// [`VerifyError`] tells what is wrong from what could not be found out.
    pub async fn verify(
        &self,
        signature: &[u8],
        content: Option<&[u8]>,
    ) -> Result<Verified, VerifyError> {
        let folder = tempfile::tempdir().map_err(|error| not_checked(&error))?;
        let (signer, beside) = (folder.path().join("signer.pem"), folder.path().join("content"));
        let mut command = process::command(&self.openssl);
        command.args(["cms", "-verify", "-binary", "-inform", "DER", "-engine", &self.engine]);
        command.arg("-signer").arg(&signer);
        match &self.authority {
            Some(file) => command.args(["-purpose", "any", "-CAfile"]).arg(file),
            None => command.arg("-noverify"),
        };
        if let Some(content) = content {
            tokio::fs::write(&beside, content).await.map_err(|error| not_checked(&error))?;
            command.arg("-content").arg(&beside);
        }
        let ended =
            process::run(command, signature, LIMIT).await.map_err(|error| not_run(&error))?;
        // Codes: https://docs.openssl.org/3.0/man1/openssl-cms/, "exit codes"; 4 is a signature that does not hold.
        if !ended.ok {
            let engine = ended.said.to_lowercase().contains("invalid engine");
            let kind = if engine { VerifyError::NotChecked } else { VerifyError::Wrong };
            return Err(kind(ended.said));
        }
        let pem = tokio::fs::read(&signer).await.map_err(|error| not_checked(&error))?;
        let certificate =
            Certificate::read(&pem).map_err(|error| VerifyError::Wrong(error.to_string()))?;
        Ok(Verified { certificate, content: ended.output })
    }
}

fn not_checked(error: &io::Error) -> VerifyError {
    VerifyError::NotChecked(error.to_string())
}

fn not_run(error: &SignError) -> VerifyError {
    VerifyError::NotChecked(error.to_string())
}
