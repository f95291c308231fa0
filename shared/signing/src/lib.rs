//! Qualified electronic signatures: one interface, four signers.
//!
//! [`Signer::sign`] makes a CMS signature (CAdES-BES: signing time and certificate included, DER) over
//! exact bytes. Which signer does it is configuration, [`SignerArgs`]: OpenSSL with the GOST engine for
//! test and staging, `CryptoPro`'s command line, `CryptoPro` DSS or a remote signer in production. `docs/signing.md` is the
//! operator's view. Nothing here knows what is signed.

#![cfg_attr(doc, doc = include_str!("../README.md"))]

mod certificate;
mod cms;
mod cryptopro;
mod dss;
mod error;
mod gost;
mod process;
mod remote;
mod settings;
mod signer;
#[cfg(feature = "testing")]
pub mod testing;
mod verify;
mod watch;

pub use certificate::{Certificate, CertificateError};
pub use error::SignError;
pub use settings::{SignerArgs, SignerKind, Style};
pub use signer::{Form, Signer};
pub use verify::{Verified, Verifier, VerifyError};
