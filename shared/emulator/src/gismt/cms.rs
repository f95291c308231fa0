//! Whether a CMS signature holds, by OpenSSL with the GOST engine, and whose it is.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::{io::AsyncWriteExt, process::Command};
use x509_cert::{Certificate, der::DecodePem, der::asn1::ObjectIdentifier};

use crate::settings::GismtSettings;

/// INN of a legal entity in a certificate's subject, and INN of anybody.
const INN: [ObjectIdentifier; 2] = [
    ObjectIdentifier::new_unwrap("1.2.643.100.4"),
    ObjectIdentifier::new_unwrap("1.2.643.3.131.1.1"),
];
const LIMIT: Duration = Duration::from_secs(30);

/// A signature that holds.
pub(crate) struct Held {
    /// What was signed.
    pub(crate) content: Vec<u8>,
    /// The INNs in the signer's certificate; zeros before an organisation's are cut off.
    pub(crate) inns: Vec<String>,
}

/// Checks a DER signature: over `content` when it is detached, over its own when it is `None`.
pub(crate) async fn verify(
    settings: &GismtSettings,
    signature: &[u8],
    content: Option<&[u8]>,
) -> Result<Held, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (signer, beside) = (folder.path().join("signer.pem"), folder.path().join("content"));
    let mut command = Command::new(&settings.openssl);
    command.args(["cms", "-verify", "-noverify", "-binary", "-inform", "DER", "-engine", "gost"]);
    command.arg("-signer").arg(&signer);
    if let Some(content) = content {
        std::fs::write(&beside, content).map_err(|error| error.to_string())?;
        command.arg("-content").arg(&beside);
    }
    let output = tokio::time::timeout(LIMIT, run(command, signature));
    let output = output.await.map_err(|_| "openssl takes too long".to_owned())??;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if said.to_lowercase().contains("invalid engine") {
            tracing::error!("OpenSSL has no GOST engine: install libengine-gost-openssl");
        }
        return Err(said);
    }
    let pem = std::fs::read(&signer).map_err(|error| error.to_string())?;
    Ok(Held { content: output.stdout, inns: inns(&pem)? })
}

/// A detached DER signature over `content`, with these files (PEM).
pub(crate) async fn sign(
    settings: &GismtSettings,
    certificate: &Path,
    key: &Path,
    content: &[u8],
) -> Result<Vec<u8>, String> {
    let mut command = Command::new(&settings.openssl);
    command.args(["cms", "-sign", "-binary", "-cades", "-nosmimecap", "-outform", "DER"]);
    command.args(["-engine", "gost", "-md", "md_gost12_256"]);
    command.arg("-signer").arg(certificate).arg("-inkey").arg(key);
    let output = tokio::time::timeout(LIMIT, run(command, content));
    let output = output.await.map_err(|_| "openssl takes too long".to_owned())??;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

async fn run(mut command: Command, input: &[u8]) -> Result<std::process::Output, String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| format!("openssl: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input).await.map_err(|error| format!("openssl: {error}"))?;
    }
    child.wait_with_output().await.map_err(|error| format!("openssl: {error}"))
}

fn inns(pem: &[u8]) -> Result<Vec<String>, String> {
    let certificate = Certificate::from_pem(pem).map_err(|error| error.to_string())?;
    // The signer signs by the machine's clock, and so its certificate is looked at by it.
    let ends = certificate.tbs_certificate.validity.not_after.to_system_time();
    if ends < std::time::SystemTime::now() {
        return Err("the certificate has ended".to_owned());
    }
    let subject = certificate.tbs_certificate.subject;
    let attributes = subject.0.iter().flat_map(|name| name.0.iter());
    let inns = attributes.filter(|attribute| INN.contains(&attribute.oid));
    Ok(inns
        .map(|attribute| String::from_utf8_lossy(attribute.value.value()).into_owned())
        .map(|inn| match inn.strip_prefix("00") {
            Some(rest) if rest.len() == 10 => rest.to_owned(),
            _ => inn,
        })
        .collect())
}
