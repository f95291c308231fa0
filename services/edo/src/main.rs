//! The edo service.

fn main() -> std::process::ExitCode {
    runtime::run::<edo::Edo>()
}
