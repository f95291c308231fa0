//! The bare minimum: what somebody writes in an afternoon with axum, lapin and sqlx, and promises
//! nothing beyond "confirmed".

pub(crate) mod carrier;
pub(crate) mod door;

use std::process::ExitCode;

use crate::Fallible;

/// Runs one of them with the runtime that everybody takes.
#[expect(clippy::print_stderr, reason = "a person watches")]
pub(crate) fn run(role: impl Future<Output = Fallible<()>>) -> ExitCode {
    let ended = tokio::runtime::Runtime::new().map_err(Into::into).and_then(|rt| rt.block_on(role));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bare: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A setting of this process.
fn setting(name: &str) -> Fallible<String> {
    std::env::var(name).map_err(|_| format!("{name} is not set").into())
}
