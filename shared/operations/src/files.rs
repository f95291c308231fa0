//! Files of the project, read; what is not there or cannot be read ends the test that asks.

#![expect(clippy::panic, reason = "a test that cannot read what it checks has failed")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;
use serde_json::Value;

/// A path in the project.
#[must_use]
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

/// The text of a file.
///
/// # Panics
/// When it cannot be read.
#[must_use]
pub fn text(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A TOML file.
///
/// # Panics
/// When it cannot be read.
#[must_use]
pub fn toml<T: DeserializeOwned>(name: &str) -> T {
    toml::from_str(&text(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A YAML file of one document.
///
/// # Panics
/// When it cannot be read.
#[must_use]
pub fn yaml(name: &str) -> Value {
    serde_saphyr::from_str(&text(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A YAML file of many documents, such as a manifest.
///
/// # Panics
/// When it cannot be read.
#[must_use]
pub fn documents(name: &str) -> Vec<Value> {
    let all = serde_saphyr::from_multiple(&text(name));
    all.unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The files of a folder whose names end so, by name and in order.
///
/// # Panics
/// When there is no such folder.
#[must_use]
pub fn folder(name: &str, end: &str) -> Vec<String> {
    let entries = fs::read_dir(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|file| file.ends_with(end))
        .map(|file| format!("{name}/{file}"))
        .collect();
    names.sort();
    names
}

/// A file of `NAME=value` lines, as Compose, systemd and Kustomize read it.
///
/// # Panics
/// When a line is none.
#[must_use]
pub fn settings(name: &str) -> BTreeMap<String, String> {
    let text = text(name);
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| pair(line).unwrap_or_else(|| panic!("{name}: {line}"))).collect()
}

/// `NAME=value`.
#[must_use]
pub fn pair(line: &str) -> Option<(String, String)> {
    line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
}
