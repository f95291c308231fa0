//! The admin service.

fn main() -> std::process::ExitCode {
    runtime::run::<admin::Admin>()
}
