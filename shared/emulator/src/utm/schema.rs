//! The official schemas, where the settings name them: libxml2's xmllint looks.

use std::{path::Path, process::Stdio};

use tokio::{io::AsyncWriteExt as _, process::Command};

pub(super) async fn check(root: &Path, document: &str) -> Result<(), String> {
    let mut child = Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema"])
        .arg(root)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("xmllint: {error}"))?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(document.as_bytes()).await.map_err(|error| format!("xmllint: {error}"))?;
    }
    let ended = child.wait_with_output().await.map_err(|error| format!("xmllint: {error}"))?;
    if ended.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&ended.stderr).chars().take(500).collect())
}
