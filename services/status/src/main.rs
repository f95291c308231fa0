//! The service `status`.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::run::<status::StatusWriter>()
}
