//! Settings: `SIGNER_…` from the environment, secrets from files, strangers refused.

use std::collections::BTreeMap;

use runtime::settings::{Settings, parse};
use secrecy::ExposeSecret;
use signing::{SignerArgs, SignerKind};

fn read(more: &[(&str, &str)]) -> Result<Settings<SignerArgs>, String> {
    let common = [("DATABASE_URL", "postgres://x"), ("AMQP_URL", "amqp://x")];
    let all: BTreeMap<String, String> =
        common.iter().chain(more).map(|(name, value)| ((*name).into(), (*value).into())).collect();
    // clap looks into the process's environment itself; flags are what a test can give.
    let flags = all
        .iter()
        .filter(|(name, _)| !name.ends_with("_FILE"))
        .map(|(name, value)| format!("--{}={value}", name.to_lowercase().replace('_', "-")).into());
    let arguments = std::iter::once("x".into()).chain(flags);
    parse::<SignerArgs>("x", arguments, &all).map_err(|error| error.to_string())
}

#[test]
fn secrets_come_from_files_and_do_not_show() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "тайна\n").unwrap();
    let file = file.to_str().unwrap();
    let settings = read(&[
        ("SIGNER_KIND", "remote"),
        ("SIGNER_REMOTE_TOKEN_FILE", file),
        ("SIGNER_REMOTE_URL", "https://signer.example/sign"),
    ])
    .unwrap();
    let own = &settings.own;
    assert_eq!(own.signer_kind, SignerKind::Remote);
    assert_eq!(own.signer_remote_token.as_ref().unwrap().expose_secret(), "тайна");
    assert!(!format!("{own:?}").contains("тайна"));
}

#[test]
fn who_signs_must_be_said_and_strangers_are_refused() {
    assert!(read(&[]).unwrap_err().contains("--signer-kind"));
    assert!(read(&[("SIGNER_KIND", "nobody")]).unwrap_err().contains("cryptopro"));
    let stranger = read(&[("SIGNER_KIND", "gost"), ("SIGNER_PATH", "x")]).unwrap_err();
    assert!(stranger.contains("SIGNER_PATH"), "{stranger}");
}
