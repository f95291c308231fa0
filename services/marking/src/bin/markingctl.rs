//! The storekeeper's command line.

fn main() -> std::process::ExitCode {
    marking::ctl::run()
}
