//! `OrangeData`, API v2 (documentation 2.31.3 of 10.09.2025), FFD 1.2.
//!
//! The document's id is ours, a UUID of our name: after a request without an answer the register is
//! asked for it, and 409 says that it is there already, so such a request is safely sent again. The body is signed with the shop's RSA key, the
//! connection carries the shop's client certificate.

mod answer;
pub mod body;
mod client;

use std::time::Duration;

use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use runtime::{Secret, StartError};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use serde::Deserialize;

use super::{
    Accepted, Answer, Line, Naming, Register, RegisterName, Request, Standing, Unwritable, What,
};
use crate::{key, receipt::Receipt, subject::Subject};

/// How long the register keeps a document, less a day.
const KEPT: Duration = Duration::from_secs(29 * 24 * 3600);

/// A group of registers in the cabinet.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The group's name.
    pub group: String,
    /// The name of the key for signatures.
    pub key: String,
    /// The RSA key that signs bodies, PKCS#8 PEM.
    pub signing_key: Secret,
    /// The client certificate and its key, PEM; the production interface asks for it.
    #[serde(default)]
    pub client_certificate: Option<Secret>,
    /// Further authorities that may vouch for the register, PEM, where it is not one that the
    /// system knows.
    #[serde(default)]
    pub authorities: Option<Secret>,
    /// The number of the rate 22 % (tag 1199). The documentation of 2025 does not have it yet:
    /// without this setting such receipts are refused.
    #[serde(default)]
    pub vat22: Option<u8>,
    /// The same for 22/122.
    #[serde(default)]
    pub vat122: Option<u8>,
}

/// The register on one account.
#[derive(Debug)]
pub struct OrangeData {
    line: Line,
    account: Account,
    inn: String,
    key: RsaKeyPair,
    callback_url: Option<String>,
}

impl OrangeData {
    pub(crate) fn new(
        line: Line,
        account: Account,
        inn: String,
        callback_url: Option<String>,
    ) -> Result<Self, StartError> {
        let wrong = || StartError::new("orangedata: signing_key is no RSA key in PKCS#8 PEM");
        let pem = account.signing_key.expose().as_bytes();
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| wrong())?;
        let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| wrong())?;
        Ok(Self { line, account, inn, key, callback_url })
    }

    /// RSA over SHA-256 of exactly these bytes, PKCS#1 v1.5.
    fn sign(&self, body: &[u8]) -> Result<Vec<u8>, What> {
        let mut signature = vec![0; self.key.public().modulus_len()];
        let signed = self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), body, &mut signature);
        signed.map_err(|_| What::NotSent("the body cannot be signed".to_owned()))?;
        Ok(signature)
    }
}

/// The document's id at the register: its own are at most 64 characters.
#[must_use]
pub fn document_id(name: &str) -> String {
    key::request_id(name).to_string()
}

impl Register for OrangeData {
    fn name(&self) -> RegisterName {
        RegisterName::OrangeData
    }

    fn title(&self) -> &'static str {
        "OrangeData"
    }

    fn alias(&self, name: &str) -> String {
        document_id(name)
    }

    fn resend_within(&self) -> Option<Duration> {
        Some(KEPT)
    }

    fn write(&self, receipt: &Receipt, naming: &Naming<'_>) -> Result<String, Unwritable> {
        body::write(receipt, naming, &self.account, self.callback_url.as_deref())
    }

    fn is_away(&self) -> bool {
        self.line.is_away()
    }

    fn ping<'a>(&'a self, subject: &'a Subject) -> Answer<'a, ()> {
        // A look at a document that does not exist has no effect, and tells that somebody is there.
        Box::pin(async {
            let answer = self.status(&document_id("ping")).await;
            answer.map(drop).map_err(|what| self.line.error(subject, what))
        })
    }

    fn register<'a>(&'a self, subject: &'a Subject, request: &'a Request) -> Answer<'a, String> {
        Box::pin(async {
            let created = self.create(&request.body).await;
            created.map_err(|what| self.line.error(subject, what))?;
            Ok(document_id(&request.name))
        })
    }

    fn find<'a>(&'a self, subject: &'a Subject, name: &'a str) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            let id = document_id(name);
            let standing = self.status(&id).await.map_err(|what| self.line.error(subject, what))?;
            Ok((standing != Standing::NotFound).then_some(id))
        })
    }

    fn look<'a>(&'a self, subject: &'a Subject, accepted: &'a Accepted) -> Answer<'a, Standing> {
        Box::pin(async {
            self.status(&accepted.id).await.map_err(|what| self.line.error(subject, what))
        })
    }

    fn bears<'a>(&'a self, _: &'a Subject, id: &'a str, name: &'a str) -> Answer<'a, bool> {
        Box::pin(async move { Ok(id == document_id(name)) })
    }
}
