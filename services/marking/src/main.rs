//! The service `marking`.

fn main() -> std::process::ExitCode {
    runtime::run::<marking::Marking>()
}
