//! The admin's command line.

fn main() -> std::process::ExitCode {
    admin::ctl::run()
}
