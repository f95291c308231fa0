//! Settings: `SIGNER_…`, the same in every service that signs.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use secrecy::SecretString;
use url::Url;

/// How a service signs; flattened into its own settings.
#[derive(Debug, Clone, Args)]
pub struct SignerArgs {
    /// Who signs: `gost` (OpenSSL's GOST engine, for test and staging), `cryptopro` (its command
    /// line), `remote`, `dss` (`CryptoPro` DSS) or `none` (the register signs itself).
    #[arg(long, env, value_enum)]
    pub signer_kind: SignerKind,
    /// How long a signature may take; a process that takes longer is killed.
    #[arg(long, env, default_value = "15s", value_parser = humantime::parse_duration)]
    pub signer_timeout: Duration,
    /// How many signatures one replica makes at once.
    #[arg(long, env, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub signer_concurrency: u16,
    /// How long before the certificate's end a warning is logged once a day.
    #[arg(long, env, default_value = "30d", value_parser = humantime::parse_duration)]
    pub signer_warn_before: Duration,
    /// The certificate, PEM or DER. Needed by `gost`; others are watched from their first signature on.
    #[arg(long, env)]
    pub signer_certificate_path: Option<PathBuf>,
    /// `gost`: the key, PEM.
    #[arg(long, env)]
    pub signer_key_path: Option<PathBuf>,
    /// `gost`: the key's password, if it has one.
    #[arg(long, env, hide_env_values = true)]
    pub signer_key_password: Option<SecretString>,
    /// `gost`: OpenSSL's program.
    #[arg(long, env, default_value = "openssl")]
    pub signer_openssl: PathBuf,
    /// `gost`: the engine's name.
    #[arg(long, env, default_value = "gost")]
    pub signer_openssl_engine: String,
    /// `cryptopro`: the program.
    #[arg(long, env, default_value = "/opt/cprocsp/bin/amd64/cryptcp")]
    pub signer_cryptopro_program: PathBuf,
    /// `cryptopro`: whose command line the program has.
    #[arg(long, env, value_enum, default_value = "cryptcp")]
    pub signer_cryptopro_style: Style,
    /// `cryptopro`: other arguments than the usual ones, with the words {thumbprint}, {detached},
    /// {pin}, {in} and {out}.
    #[arg(long, env)]
    pub signer_cryptopro_arguments: Option<String>,
    /// `cryptopro`: the certificate's SHA-1 thumbprint.
    #[arg(long, env)]
    pub signer_thumbprint: Option<String>,
    /// `cryptopro`: the container's PIN, if CSP does not keep it. The program takes it on its command
    /// line only, where others on the machine can read it.
    #[arg(long, env, hide_env_values = true)]
    pub signer_pin: Option<SecretString>,
    /// `remote`: where signatures are asked for.
    #[arg(long, env)]
    pub signer_remote_url: Option<Url>,
    /// `remote`: the token, sent as a Bearer.
    #[arg(long, env, hide_env_values = true)]
    pub signer_remote_token: Option<SecretString>,
    /// `dss`: where it is; `/STS/…` and `/SignServer/…` are below.
    #[arg(long, env)]
    pub signer_dss_url: Option<Url>,
    /// `dss`: the user's login.
    #[arg(long, env)]
    pub signer_dss_login: Option<String>,
    /// `dss`: the user's password; the certificate's PIN is `SIGNER_PIN`.
    #[arg(long, env, hide_env_values = true)]
    pub signer_dss_password: Option<SecretString>,
    /// `dss`: the client id that its operator has given to Parom.
    #[arg(long, env)]
    pub signer_dss_client: Option<String>,
    /// `dss`: the certificate's number there.
    #[arg(long, env)]
    pub signer_dss_certificate: Option<u64>,
}

/// Who signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SignerKind {
    /// OpenSSL with the GOST engine.
    Gost,
    /// `CryptoPro` CSP's command line.
    Cryptopro,
    /// A signer elsewhere, over HTTP.
    Remote,
    /// `CryptoPro` DSS.
    Dss,
    /// Nobody here: the register has a signature of its own.
    None,
}

/// Whose command line `CryptoPro`'s program has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Style {
    /// `cryptcp`, a licence of its own.
    Cryptcp,
    /// `csptest`, part of CSP.
    Csptest,
}
