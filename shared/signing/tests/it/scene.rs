//! Signers, and the programs and servers that stand in for what cannot be had here.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, sync::Once};

use runtime::Metrics;
use signing::{Signer, SignerArgs, Verifier};
use tempfile::TempDir;

pub(crate) const BYTES: &[u8] = "{\"заказ\":\"1001\"}\r\n\0 не текст".as_bytes();

pub(crate) fn signer(args: &SignerArgs) -> Signer {
    static TLS: Once = Once::new();
    TLS.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    Signer::new(args, &Metrics::new().unwrap()).unwrap()
}

pub(crate) fn verifier() -> Verifier {
    Verifier::new("openssl", "gost")
}

/// A program of this text, in a folder of its own.
pub(crate) struct Program {
    pub(crate) folder: TempDir,
}

impl Program {
    pub(crate) fn new(text: &str) -> Self {
        let program = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(program.path(), text).unwrap();
        fs::set_permissions(program.path(), fs::Permissions::from_mode(0o755)).unwrap();
        program
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("program")
    }
}
