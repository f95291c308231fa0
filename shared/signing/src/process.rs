//! A program run for one signature: bounded in time, and with nothing of our environment it does not
//! need.

use std::{
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{io::AsyncWriteExt, process::Command, time::timeout};

use crate::SignError;

/// What a program is told of our environment: our other settings are secrets.
const PASSED: [&str; 10] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "OPENSSL_CONF",
    "OPENSSL_ENGINES",
];

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) ok: bool,
    pub(crate) output: Vec<u8>,
    /// The end of what it said on standard error.
    pub(crate) said: String,
}

/// A command in a nearly empty environment.
pub(crate) fn command(program: &Path) -> Command {
    let mut command = Command::new(found(program));
    command.env_clear();
    for name in PASSED {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// The program's whole path: a bare name would be looked for in the child, after a slower start.
fn found(program: &Path) -> PathBuf {
    if program.components().count() > 1 {
        return program.to_owned();
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&folders).map(|folder| folder.join(program));
    places.find(|place| place.is_file()).unwrap_or_else(|| program.to_owned())
}

/// Runs a command with `input` on its standard input. Dropping this, as a time-out does, kills it.
pub(crate) async fn run(
    mut command: Command,
    input: &[u8],
    limit: Duration,
) -> Result<Ended, SignError> {
    let program = command.as_std().get_program().to_os_string();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        command.kill_on_drop(true).spawn().map_err(|error| missing(&program, &error))?;
    let stdin = child.stdin.take();
    let feed = async move {
        let Some(mut stdin) = stdin else { return };
        // Who ends early has said why; the broken pipe is only its echo.
        if let Err(error) = stdin.write_all(input).await {
            tracing::debug!(%error, "the signer did not read all that is to be signed");
        }
    };
    let both = async { tokio::join!(feed, child.wait_with_output()).1 };
    let output = timeout(limit, both).await.map_err(|_| SignError::TimedOut(limit))?;
    let output = output.map_err(|error| SignError::Failed(error.to_string()))?;
    Ok(Ended { ok: output.status.success(), output: output.stdout, said: said(&output.stderr) })
}

fn missing(program: &OsStr, error: &io::Error) -> SignError {
    SignError::Missing(format!("{}: {error}", program.to_string_lossy()))
}

/// The last 500 characters on one line.
fn said(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let skipped = line.chars().count().saturating_sub(500);
    line.chars().skip(skipped).collect()
}
