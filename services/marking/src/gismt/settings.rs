//! Settings: `GISMT_…`.

use std::{num::NonZeroU32, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use url::Url;

/// How the register is reached; flattened into the service's own settings.
#[derive(Debug, Clone, Args)]
pub struct GismtArgs {
    /// Where the register is; `/api/v3/true-api` and `/api/v4/true-api` follow. A TLS tunnel with GOST
    /// beside the service is named here as well, as <http://127.0.0.1:8443>.
    #[arg(long, env, default_value = "https://markirovka.crpt.ru")]
    pub gismt_base_url: Url,
    /// The participant's INN, which the signing certificate must carry.
    #[arg(long, env)]
    pub gismt_inn: String,
    /// How to sign in: `challenge` (a token by signing the register's challenge), `inn` (the same by
    /// signing the INN) or `jwt` (said to end on 2026-12-31).
    #[arg(long, env, value_enum, default_value = "challenge")]
    pub gismt_sign_in: SignIn,
    /// Requests a second that the register allows a participant; all replicas together keep to it.
    #[arg(long, env, default_value = "50")]
    pub gismt_rate: NonZeroU32,
    /// How long a call may take: well below the lease of a job.
    #[arg(long, env, default_value = "30s", value_parser = humantime::parse_duration)]
    pub gismt_timeout: Duration,
    /// How long before its end a token is replaced. The register gives one for at most 10 hours.
    #[arg(long, env, default_value = "10m", value_parser = humantime::parse_duration)]
    pub gismt_token_margin: Duration,
    /// More certificate authorities to trust for TLS (PEM), such as the Ministry's.
    #[arg(long, env)]
    pub gismt_ca_file: Option<PathBuf>,
}

/// The ways to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SignIn {
    /// `uuid`, the signed challenge, `inn`, `unitedToken`: a UUID token.
    Challenge,
    /// The signed INN and `unitedToken`, nothing else: a UUID token.
    Inn,
    /// `uuid` and the signed challenge: a JWT.
    Jwt,
}
