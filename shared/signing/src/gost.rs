//! OpenSSL with the GOST engine: `openssl cms -sign`, content in and signature out through pipes.
//!
//! For test and staging: the engine is no certified means of cryptography, and the tax service's
//! keys cannot be exported to a file.

use std::{path::PathBuf, time::Duration};

use runtime::StartError;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    Certificate, Form, SignError, SignerArgs,
    process::{self, Ended},
};

/// Carries the key's password to the child: not on its command line, which everybody can read.
const PASSWORD: &str = "PAROM_SIGNER_KEY_PASSWORD";

#[derive(Debug)]
pub(crate) struct Gost {
    openssl: PathBuf,
    engine: String,
    certificate: PathBuf,
    key: PathBuf,
    password: Option<SecretString>,
    digest: &'static str,
}

impl Gost {
    pub(crate) fn new(args: &SignerArgs, own: &Certificate) -> Result<Self, StartError> {
        let path = |path: &Option<PathBuf>, name: &str| {
            path.clone().ok_or_else(|| StartError(format!("SIGNER_KIND=gost needs {name}.")))
        };
        let digest = match own.gost_bits {
            Some(256) => "md_gost12_256",
            Some(512) => "md_gost12_512",
            _ => {
                return Err(StartError(
                    "SIGNER_CERTIFICATE_PATH is no certificate of a GOST R 34.10-2012 key.".into(),
                ));
            }
        };
        Ok(Self {
            openssl: args.signer_openssl.clone(),
            engine: args.signer_openssl_engine.clone(),
            certificate: path(&args.signer_certificate_path, "SIGNER_CERTIFICATE_PATH")?,
            key: path(&args.signer_key_path, "SIGNER_KEY_PATH")?,
            password: args.signer_key_password.clone(),
            digest,
        })
    }

    pub(crate) async fn sign(
        &self,
        content: &[u8],
        form: Form,
        limit: Duration,
    ) -> Result<Vec<u8>, SignError> {
        let mut command = process::command(&self.openssl);
        // The SMIME capabilities that are left out concern mail only.
        command.args(["cms", "-sign", "-binary", "-cades", "-nosmimecap", "-outform", "DER"]);
        command.args(["-engine", &self.engine, "-md", self.digest]);
        command.arg("-signer").arg(&self.certificate).arg("-inkey").arg(&self.key);
        if form == Form::Attached {
            command.arg("-nodetach");
        }
        if let Some(password) = &self.password {
            command.env(PASSWORD, password.expose_secret());
            command.args(["-passin", &format!("env:{PASSWORD}")]);
        }
        let ended = process::run(command, content, limit).await?;
        if ended.ok { Ok(ended.output) } else { Err(meaning(ended)) }
    }
}

/// What OpenSSL's words mean.
fn meaning(ended: Ended) -> SignError {
    const ENGINE: [&str; 3] =
        ["could not load the shared library", "invalid engine", "no such engine"];
    const KEY: [&str; 4] =
        ["Could not read", "Could not open file", "does not match certificate", "getting password"];
    let says = |word: &&str| ended.said.contains(*word);
    if ENGINE.iter().any(says) {
        SignError::Missing(ended.said)
    } else if KEY.iter().any(says) {
        SignError::KeyUnusable(ended.said)
    } else {
        SignError::Failed(ended.said)
    }
}
