//! Settings: `DIADOC_…`.

use std::{num::NonZeroU32, time::Duration};

use clap::{Args, ValueEnum};
use secrecy::SecretString;
use url::Url;

/// How Diadoc is reached; flattened into the service's own settings.
#[derive(Debug, Clone, Args)]
pub struct DiadocArgs {
    /// Where Diadoc is; the test contour is <https://diadoc-api-staging.kontur.ru>.
    #[arg(long, env, default_value = "https://diadoc-api.kontur.ru")]
    pub diadoc_base_url: Url,
    /// Our box: a GUID, as `BoxIdGuid` of `GetMyOrganizations` tells it.
    #[arg(long, env)]
    pub diadoc_box_id: uuid::Uuid,
    /// How to sign in: `oidc` (a refresh token, recommended) or `password` (a login, said to be obsolete).
    #[arg(long, env, value_enum, default_value = "oidc")]
    pub diadoc_sign_in: SignIn,
    /// The client id: of the OIDC application, or the developer key of `password`.
    #[arg(long, env, hide_env_values = true)]
    pub diadoc_client_id: SecretString,
    /// `oidc`: the provider; the test contour is <https://identity.testkontur.ru>.
    #[arg(long, env, default_value = "https://identity.kontur.ru")]
    pub diadoc_identity_url: Url,
    /// `oidc`: the client's secret.
    #[arg(long, env, hide_env_values = true)]
    pub diadoc_client_secret: Option<SecretString>,
    /// `oidc`: the first refresh token. Its successors are kept in PostgreSQL; give another one here when the last is lost.
    #[arg(long, env, hide_env_values = true)]
    pub diadoc_refresh_token: Option<SecretString>,
    /// `password`: the login.
    #[arg(long, env)]
    pub diadoc_login: Option<String>,
    /// `password`: the password.
    #[arg(long, env, hide_env_values = true)]
    pub diadoc_password: Option<SecretString>,
    /// Requests a second that all replicas make together at most (recommended: 100).
    #[arg(long, env, default_value = "100")]
    pub diadoc_rate: NonZeroU32,
    /// Requests under way at once over all replicas (recommended: 4).
    #[arg(long, env, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub diadoc_at_once: u16,
    /// How long a call may take: well below the lease of a job.
    #[arg(long, env, default_value = "20s", value_parser = humantime::parse_duration)]
    pub diadoc_timeout: Duration,
    /// How long before its end a token is replaced.
    #[arg(long, env, default_value = "5m", value_parser = humantime::parse_duration)]
    pub diadoc_token_margin: Duration,
}

/// The ways to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SignIn {
    /// A refresh token, which each refresh may replace.
    Oidc,
    /// Login and password: a token for 24 hours.
    Password,
}
