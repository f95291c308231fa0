//! `CryptoPro` CSP's command line: `cryptcp` or `csptest`, content and signature in files of a private
//! temporary folder, because these programs read and write files only.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use runtime::StartError;
use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;

use crate::{Form, SignError, SignerArgs, Style, process};

/// `cryptcp`: DER, CAdES-BES, the certificate inside, no chain built (that is not the sender's job).
const CRYPTCP: &str =
    "-sign -thumbprint {thumbprint} -nochain -der -cert -cadesbes {detached} {pin} {in} {out}";
/// `csptest`: DER, the certificate and the signing time inside.
const CSPTEST: &str =
    "-sfsign -sign {detached} -add -addsigtime -my {thumbprint} {pin} -in {in} -out {out}";

#[derive(Debug)]
pub(crate) struct CryptoPro {
    program: PathBuf,
    style: Style,
    thumbprint: String,
    pin: Option<SecretString>,
    arguments: Vec<String>,
}

impl CryptoPro {
    pub(crate) fn new(args: &SignerArgs) -> Result<Self, StartError> {
        let given = args.signer_thumbprint.as_deref().unwrap_or_default();
        let thumbprint: String = given.chars().filter(|c| !c.is_whitespace()).collect();
        if thumbprint.len() != 40 || !thumbprint.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(StartError(
                "SIGNER_KIND=cryptopro needs SIGNER_THUMBPRINT: the certificate's SHA-1 thumbprint, 40 \
                 hexadecimal digits."
                    .into(),
            ));
        }
        let usual = match args.signer_cryptopro_style {
            Style::Cryptcp => CRYPTCP,
            Style::Csptest => CSPTEST,
        };
        let arguments = args.signer_cryptopro_arguments.as_deref().unwrap_or(usual);
        for needed in ["{in}", "{out}", "{thumbprint}", "{detached}"] {
            if !arguments.split_whitespace().any(|word| word == needed) {
                return Err(StartError(format!("SIGNER_CRYPTOPRO_ARGUMENTS lacks {needed}.")));
            }
        }
        if args.signer_pin.is_some() {
            tracing::warn!(
                "SIGNER_PIN goes to the program on its command line, which whoever may log in to this \
                 machine can read; better keep the PIN in CryptoPro CSP (docs/signing.md)"
            );
        }
        Ok(Self {
            program: args.signer_cryptopro_program.clone(),
            style: args.signer_cryptopro_style,
            thumbprint,
            pin: args.signer_pin.clone(),
            arguments: arguments.split_whitespace().map(str::to_owned).collect(),
        })
    }

    pub(crate) async fn sign(
        &self,
        content: &[u8],
        form: Form,
        limit: Duration,
    ) -> Result<Vec<u8>, SignError> {
        // Readable by us alone, and gone with its content however this ends.
        let folder = tempfile::Builder::new()
            .prefix("parom-sign-")
            .tempdir()
            .map_err(|error| no_folder(&error))?;
        let (content_file, out) = (folder.path().join("content"), folder.path().join("signature"));
        tokio::fs::write(&content_file, content).await.map_err(|error| no_folder(&error))?;
        let mut command = process::command(&self.program);
        command.args(self.words(&folder, form));
        let ended = process::run(command, b"", limit).await?;
        if !ended.ok {
            // It reports on standard output too; neither may show the PIN.
            let said = format!("{} {}", String::from_utf8_lossy(&ended.output), ended.said);
            return Err(SignError::Failed(self.without_pin(said.trim())));
        }
        let signature = tokio::fs::read(&out).await;
        signature.map_err(|_| SignError::Malformed("no file was written"))
    }

    fn words(&self, folder: &TempDir, form: Form) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::new();
        for word in &self.arguments {
            match (word.as_str(), &self.pin) {
                ("{in}", _) => words.push(folder.path().join("content").into()),
                ("{out}", _) => words.push(folder.path().join("signature").into()),
                ("{thumbprint}", _) => words.push(self.thumbprint.clone().into()),
                ("{detached}", _) if form == Form::Detached => words.push("-detached".into()),
                ("{pin}", Some(pin)) => {
                    let flag = match self.style {
                        Style::Cryptcp => "-pin",
                        Style::Csptest => "-password",
                    };
                    words.extend([flag.into(), pin.expose_secret().into()]);
                }
                ("{detached}" | "{pin}", _) => {}
                (other, _) => words.push(other.into()),
            }
        }
        words
    }

    fn without_pin(&self, text: &str) -> String {
        let text = match &self.pin {
            Some(pin) if !pin.expose_secret().is_empty() => text.replace(pin.expose_secret(), "…"),
            _ => text.to_owned(),
        };
        // Cut only now: a PIN that is cut in two would not be found.
        text.chars().take(500).collect()
    }
}

fn no_folder(error: &std::io::Error) -> SignError {
    SignError::Missing(format!("no temporary folder: {error}"))
}
