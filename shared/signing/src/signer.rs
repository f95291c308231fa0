//! The one interface.

use std::{fs, sync::Arc, time::Duration};

use runtime::{Metrics, StartError};
use time::OffsetDateTime;
use tokio::{sync::Semaphore, time::timeout};

use crate::{
    Certificate, SignError, SignerArgs, SignerKind, cms, cryptopro::CryptoPro, dss::Dss,
    gost::Gost, remote::Remote, watch::Watch,
};

/// Whether the signed bytes are inside the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Inside it.
    Attached,
    /// Beside it.
    Detached,
}

/// Signs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Signer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    way: Way,
    permits: Semaphore,
    timeout: Duration,
    watch: Watch,
    /// Whether the settings name the certificate: then another one comes with a restart alone. Else the signer
    /// may have got a new one since the last signature.
    is_named: bool,
}

/// The configured signers.
#[derive(Debug)]
enum Way {
    Gost(Gost),
    CryptoPro(CryptoPro),
    Remote(Remote),
    Dss(Dss),
    Nobody,
}

impl Signer {
    /// The signer that the settings name. Makes no signature yet.
    ///
    /// # Errors
    /// [`StartError`] names the setting that is missing or wrong.
    pub fn new(args: &SignerArgs, metrics: &Metrics) -> Result<Self, StartError> {
        let kind = match args.signer_kind {
            SignerKind::Gost => "gost",
            SignerKind::Cryptopro => "cryptopro",
            SignerKind::Remote => "remote",
            SignerKind::Dss => "dss",
            SignerKind::None => "none",
        };
        let watch = Watch::new(kind, args.signer_warn_before, metrics)?;
        let own = certificate(args)?;
        let way = match (args.signer_kind, &own) {
            (SignerKind::Gost, Some(own)) => Way::Gost(Gost::new(args, own)?),
            (SignerKind::Gost, None) => {
                return Err(StartError("SIGNER_KIND=gost needs SIGNER_CERTIFICATE_PATH.".into()));
            }
            (SignerKind::Cryptopro, _) => Way::CryptoPro(CryptoPro::new(args)?),
            (SignerKind::Remote, _) => Way::Remote(Remote::new(args, metrics)?),
            (SignerKind::Dss, _) => Way::Dss(Dss::new(args, metrics)?),
            (SignerKind::None, _) => Way::Nobody,
        };
        let is_named = own.is_some();
        if let Some(own) = own {
            watch.see(own, OffsetDateTime::now_utc());
        }
        let permits = Semaphore::new(usize::from(args.signer_concurrency));
        let shared = Shared { way, permits, timeout: args.signer_timeout, watch, is_named };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// A CMS signature over exactly these bytes: DER, CAdES-BES, signing time and certificate inside.
    ///
    /// Signing changes nothing, so a failed one may be tried again. It does give another signature
    /// each time: make one, keep it, and send the kept one.
    ///
    /// # Errors
    /// [`SignError`], within twice `SIGNER_TIMEOUT`: once for a turn, once for the signature.
    pub async fn sign(&self, content: &[u8], form: Form) -> Result<Vec<u8>, SignError> {
        let shared = &self.shared;
        if shared.is_named {
            shared.watch.check(OffsetDateTime::now_utc())?;
        }
        let turn = timeout(shared.timeout, shared.permits.acquire()).await;
        let _permit = turn.map_err(|_| SignError::Busy)?.map_err(|_| SignError::Busy)?;
        let limit = shared.timeout;
        let signed = match &shared.way {
            Way::Gost(gost) => gost.sign(content, form, limit).await?,
            Way::CryptoPro(cryptopro) => cryptopro.sign(content, form, limit).await?,
            Way::Remote(remote) => remote.sign(content, form, limit).await?,
            Way::Dss(dss) => dss.sign(content, form, limit).await?,
            Way::Nobody => return Err(SignError::Missing("SIGNER_KIND=none".to_owned())),
        };
        self.received(signed, content, form)
    }

    /// A signature that somebody else has made over these bytes (DER, base64 or PEM), as DER, once it is seen to be one.
    ///
    /// # Errors
    /// [`SignError::Malformed`] when it is something else.
    pub fn received(
        &self,
        signed: Vec<u8>,
        content: &[u8],
        form: Form,
    ) -> Result<Vec<u8>, SignError> {
        let der = cms::der_of(signed)?;
        let certificate = cms::check(&der, content, form)?;
        let now = OffsetDateTime::now_utc();
        self.shared.watch.see(certificate, now);
        // A signature by a certificate that has ended is none.
        self.shared.watch.check(now)?;
        Ok(der)
    }

    /// The certificate that signs: from `SIGNER_CERTIFICATE_PATH`, else from the last signature.
    #[must_use]
    pub fn certificate(&self) -> Option<Arc<Certificate>> {
        self.shared.watch.certificate()
    }
}

/// The certificate that the settings name.
fn certificate(args: &SignerArgs) -> Result<Option<Certificate>, StartError> {
    let Some(path) = &args.signer_certificate_path else { return Ok(None) };
    let wrong = |why: &dyn std::fmt::Display| {
        StartError(format!("SIGNER_CERTIFICATE_PATH {}: {why}.", path.display()))
    };
    let bytes = fs::read(path).map_err(|error| wrong(&error))?;
    Certificate::read(&bytes).map(Some).map_err(|error| wrong(&error))
}
