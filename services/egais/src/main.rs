//! The egais service.

fn main() -> std::process::ExitCode {
    runtime::run::<egais::Egais>()
}
