//! The program `ingress`.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::run::<ingress::Ingress>()
}
