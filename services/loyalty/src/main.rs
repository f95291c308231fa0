//! The service `loyalty`.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::run::<loyalty::Loyalty>()
}
