//! The service `fiscal`.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::run::<fiscal::Fiscal>()
}
