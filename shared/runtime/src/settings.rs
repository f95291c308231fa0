//! Settings: flags, environment, `*_FILE` secrets and configuration files. A name that nobody
//! knows stops the start.

use std::{collections::BTreeMap, ffi::OsString, net::SocketAddr, path::Path, time::Duration};

use clap::{Args, CommandFactory, FromArgMatches, Parser};
use secrecy::SecretString;
use serde::de::DeserializeOwned;

use crate::{retry::RetryPolicy, secret};

/// Why a service does not start: a whole sentence that names the setting.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(pub String);

impl StartError {
    /// A reason not to start.
    #[must_use]
    pub fn new(reason: impl std::fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

/// What every service can be told.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// PostgreSQL, as postgres://user:password@host:port/database.
    #[arg(long, env, hide_env_values = true)]
    pub database_url: SecretString,
    /// `RabbitMQ`, as amqp://user:password@host:port/vhost.
    #[arg(long, env, hide_env_values = true)]
    pub amqp_url: SecretString,
    /// The first word of every queue's and exchange's name.
    #[arg(long, env, default_value = "parom")]
    pub amqp_prefix: String,
    /// Length of the delay ladder's lowest rung. One system has one value: the queues are made
    /// with it.
    #[arg(long, env, default_value = "1s", value_parser = humantime::parse_duration)]
    pub amqp_rung: Duration,
    /// How many levels the delay ladder has: with a rung of one second, 20 hold twelve days. One
    /// system has one value.
    #[arg(long, env, default_value_t = 20, value_parser = clap::value_parser!(u32).range(4..=24))]
    pub amqp_levels: u32,
    /// Where metrics, health and this service's own routes are served.
    #[arg(long, env, default_value = "0.0.0.0:8080")]
    pub http_listen: SocketAddr,
    /// What is logged, as in `info,sqlx=warn`.
    #[arg(long, env, default_value = "info")]
    pub log: String,
    /// How it is logged.
    #[arg(long, env, value_enum, default_value = "json")]
    pub log_format: LogFormat,
    /// Where traces go, as OTLP over HTTP, such as <http://collector:4318>; none are made
    /// without it.
    #[arg(long, env)]
    pub otel_exporter_otlp_endpoint: Option<String>,
    /// How long a job belongs to the replica that took it: longer than the longest step.
    #[arg(long, env, default_value = "60s", value_parser = humantime::parse_duration)]
    pub job_lease: Duration,
    /// How many jobs one replica works on at once (by default the worker's own).
    #[arg(long, env)]
    pub job_prefetch: Option<u16>,
    /// How many threads work on jobs and calls: one costs the least for each, and replicas are the
    /// usual way to more; what computes much itself may want several.
    #[arg(long, env, default_value_t = 1)]
    pub threads: usize,
    /// How often forgotten jobs are looked for.
    #[arg(long, env, default_value = "30s", value_parser = humantime::parse_duration)]
    pub sweep_every: Duration,
    /// How long after its time a job counts as forgotten.
    #[arg(long, env, default_value = "2m", value_parser = humantime::parse_duration)]
    pub sweep_grace: Duration,
    /// How long the event and the state of a finished job are kept: they name the buyer. That the
    /// job was done is remembered for ever.
    #[arg(long, env, default_value = "400d", value_parser = humantime::parse_duration)]
    pub keep_data: Duration,
    /// First pause after a failed step (by default the worker's own).
    #[arg(long, env, value_parser = humantime::parse_duration)]
    pub retry_first: Option<Duration>,
    /// Longest pause after a failed step (by default the worker's own).
    #[arg(long, env, value_parser = humantime::parse_duration)]
    pub retry_longest: Option<Duration>,
    /// By how much each pause is longer than the one before (by default the worker's own).
    #[arg(long, env)]
    pub retry_growth: Option<f32>,
    /// How many attempts in a row may fail (by default the worker's own).
    #[arg(long, env)]
    pub retry_attempts: Option<u32>,
    /// How long a job may stay open (by default the worker's own).
    #[arg(long, env, value_parser = humantime::parse_duration)]
    pub give_up: Option<Duration>,
    /// How many times in a row the register must be found away before the worker stops taking
    /// messages.
    #[arg(long, env, default_value_t = 3)]
    pub breaker_threshold: u32,
    /// How long a worker whose register is away waits before it looks again.
    #[arg(long, env, default_value = "15s", value_parser = humantime::parse_duration)]
    pub breaker_probe: Duration,
    /// How long a stopping service may take to finish the steps it has in hand.
    #[arg(long, env, default_value = "25s", value_parser = humantime::parse_duration)]
    pub drain_grace: Duration,
    /// Set up the tables of this service and stop.
    #[arg(long, env = "MIGRATE_ONLY", default_value_t = false)]
    pub migrate_only: bool,
    /// Ask the service that runs with these settings whether it is ready, and end with 0 if it is.
    #[arg(long, default_value_t = false)]
    pub probe: bool,
    /// Where jobs stand still, for tests.
    #[cfg(feature = "testing")]
    #[arg(skip)]
    pub crash: crate::testing::CrashPoint,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people at a terminal.
    Text,
}

impl Common {
    /// The retry policy: the worker's own, with what the settings say instead.
    #[must_use]
    pub fn retry(&self, own: RetryPolicy) -> RetryPolicy {
        RetryPolicy {
            first: self.retry_first.unwrap_or(own.first),
            longest: self.retry_longest.unwrap_or(own.longest),
            growth: self.retry_growth.unwrap_or(own.growth),
            attempts: self.retry_attempts.or(own.attempts),
        }
    }
}

/// All settings of a service: the common ones and its own.
#[derive(Debug, Parser)]
pub struct Settings<C: Args> {
    /// What every service can be told.
    #[command(flatten)]
    pub common: Common,
    /// The service's own.
    #[command(flatten)]
    pub own: C,
}

/// Reads the settings of the service `name` from arguments and environment.
///
/// `NAME_FILE` gives the content of a file for any setting `NAME`, as secret stores do it.
///
/// # Errors
/// A clap error: also `--help` and `--version`, which go to standard output. A variable that
/// begins like one of ours (such as `AMQP_`) and is none is an error too.
pub fn parse<C: Args>(
    name: &'static str,
    arguments: impl IntoIterator<Item = OsString>,
    environment: &BTreeMap<String, String>,
) -> Result<Settings<C>, clap::Error> {
    let command = Settings::<C>::command().name(name).version(env!("CARGO_PKG_VERSION"));
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let fail = |reason: String| command.clone().error(clap::error::ErrorKind::InvalidValue, reason);
    if let Some(stranger) = stranger(&command, environment) {
        return Err(fail(format!(
            "the environment variable {stranger} is no setting of {name}; see --help"
        )));
    }
    for argument in command.get_arguments() {
        let (Some(variable), Some(long)) = (argument.get_env(), argument.get_long()) else {
            continue;
        };
        let variable = variable.to_string_lossy();
        let file = environment.get(&format!("{variable}_FILE"));
        if let (Some(file), None) = (file, environment.get(variable.as_ref())) {
            let value = secret::read(Path::new(file))
                .map_err(|error| fail(format!("{variable}_FILE: {error}")))?;
            arguments.push(format!("--{long}={value}").into());
        }
    }
    let matches = command.try_get_matches_from(arguments)?;
    Settings::<C>::from_arg_matches(&matches)
}

/// A variable that begins like a setting of ours and is none.
fn stranger(command: &clap::Command, environment: &BTreeMap<String, String>) -> Option<String> {
    /// First words that other programs use as well.
    const SHARED: [&str; 4] = ["HTTP", "LOG", "OTEL", "DATABASE"];
    let known: Vec<String> = command
        .get_arguments()
        .filter_map(|argument| Some(argument.get_env()?.to_string_lossy().into_owned()))
        .collect();
    let first = |name: &str| name.split('_').next().unwrap_or_default().to_owned();
    let ours: Vec<String> = known
        .iter()
        .map(|name| first(name))
        .filter(|word| !SHARED.contains(&word.as_str()))
        .collect();
    environment
        .keys()
        .filter(|name| name.contains('_') && ours.contains(&first(name)))
        .filter(|name| !is_service_link(name))
        .find(|name| {
            let plain = name.strip_suffix("_FILE").unwrap_or(name);
            !known.iter().any(|known| known == plain || known == *name)
        })
        .cloned()
}

/// Kubernetes puts variables such as `FISCAL_SERVICE_HOST` and `FISCAL_PORT_80_TCP` into every
/// container.
fn is_service_link(name: &str) -> bool {
    name.contains("_SERVICE_HOST") || name.contains("_SERVICE_PORT") || name.contains("_PORT")
}

/// Reads a TOML configuration file.
///
/// # Errors
/// [`StartError`] names the file, the line and the name that nobody knows.
pub fn file<T: DeserializeOwned>(path: &Path) -> Result<T, StartError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        StartError(format!("the configuration file {} cannot be read: {error}", path.display()))
    })?;
    toml::from_str(&text).map_err(|error| {
        // The error's own display quotes the line, and the line may hold a secret.
        let line = error.span().map_or(0, |span| {
            text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1
        });
        let message = error.message();
        StartError(format!("the configuration file {}, line {line}: {message}", path.display()))
    })
}

#[cfg(test)]
mod tests;
