//! The service `fiscal`.

use std::process::ExitCode;

fn main() -> ExitCode {
    fiscal::run()
}
