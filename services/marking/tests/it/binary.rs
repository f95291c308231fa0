//! The programs themselves, as they are installed.

use std::process::Command;

#[test]
fn the_service_starts_and_names_its_settings() {
    let help = Command::new(env!("CARGO_BIN_EXE_marking")).arg("--help").output().unwrap();
    let text = String::from_utf8_lossy(&help.stdout);
    assert!(
        help.status.success() && text.contains("MARKING_FILE") && text.contains("GISMT_INN"),
        "{text}"
    );
    // It does not end as if all were well where it cannot work.
    let bare = Command::new(env!("CARGO_BIN_EXE_marking")).env_clear().output().unwrap();
    assert!(!bare.status.success());
}

#[test]
fn the_storekeepers_command_names_what_it_does() {
    let help = Command::new(env!("CARGO_BIN_EXE_markingctl")).arg("--help").output().unwrap();
    let text = String::from_utf8_lossy(&help.stdout);
    for word in ["import", "counts", "quarantine", "release"] {
        assert!(text.contains(word), "{text}");
    }
}
