//! The map in `docs/ARCHITECTURE.md`, held against the code: who may depend on whom, and what must be there.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// A crate of the workspace.
struct Crate {
    name: String,
    folder: PathBuf,
    /// What it is built from, without what only its tests need.
    needs: BTreeSet<String>,
}

impl Crate {
    fn is_service(&self) -> bool {
        self.folder.parent().is_some_and(|parent| parent.ends_with("services"))
    }

    fn read(&self, file: &str) -> String {
        let path = self.folder.join(file);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

#[test]
fn events_are_pure() {
    let events = workspace().remove("events").expect("the crate events");
    for way_out in ["tokio", "sqlx", "reqwest", "lapin", "axum", "hyper", "rand", "runtime"] {
        assert!(!events.needs.contains(way_out), "events depends on {way_out}");
    }
    let ways_out = ["std::fs", "std::net", "std::env", "now_utc", "::now()", "now_v7", "new_v4"];
    for (file, text) in sources(&events.folder.join("src")) {
        for way_out in ways_out {
            assert!(!text.contains(way_out), "{} uses {way_out}", file.display());
        }
    }
}

#[test]
fn the_runtime_names_no_vendor() {
    let vendors = [
        "bitrix",
        "cloudkassir",
        "cloudpayments",
        "atol",
        "orangedata",
        "egais",
        "gismt",
        "crpt",
        "diadoc",
        "kontur",
        "честный",
        "егаис",
    ];
    let runtime = workspace().remove("runtime").expect("the crate runtime");
    for (file, text) in sources(&runtime.folder.join("src")) {
        let text = text.to_lowercase();
        for word in text.split(|letter: char| !letter.is_alphanumeric()) {
            assert!(!vendors.contains(&word), "{} speaks of {word}", file.display());
        }
    }
}

/// Crates that exist for tests and figures, and may see everything.
const ASHORE: [&str; 2] = ["voyage", "figures"];

#[test]
fn bitrix_is_known_to_ingress_and_status_alone() {
    for member in workspace().values().filter(|member| member.needs.contains("bitrix")) {
        let name = member.name.as_str();
        assert!(
            ["ingress", "status"].contains(&name) || ASHORE.contains(&name),
            "{name} knows Bitrix"
        );
    }
}

#[test]
fn emulators_and_voyages_are_for_tests_alone() {
    for member in workspace().values() {
        for double in ["emulator", "voyage"] {
            let itself = ["voyage", "figures"].contains(&member.name.as_str());
            assert!(
                itself || !member.needs.contains(double),
                "{} is built from {double}",
                member.name
            );
        }
    }
}

#[test]
fn services_do_not_depend_on_each_other() {
    let workspace = workspace();
    let services = workspace.values().filter(|member| member.is_service());
    for service in services {
        let others = workspace.values().filter(|other| other.is_service());
        for other in others.filter(|other| other.name != service.name) {
            assert!(
                !service.needs.contains(&other.name),
                "{} depends on {}",
                service.name,
                other.name
            );
        }
    }
}

#[test]
fn every_service_is_complete() {
    let workspace = workspace();
    let started = workspace["runtime"].read("../../deploy/dev/services.sh");
    let started = started.lines().find(|line| line.starts_with("SERVICES=")).expect("SERVICES");
    let started: Vec<&str> = started.split(|letter: char| !letter.is_alphanumeric()).collect();
    let services: Vec<&Crate> = workspace.values().filter(|member| member.is_service()).collect();
    assert!(services.len() >= 3, "{} services were found", services.len());
    for service in services {
        let name = service.name.as_str();
        assert!(started.contains(&name), "{name} is not in SERVICES of deploy/dev/services.sh");
        for file in ["README.md", "src/lib.rs", "tests/it/main.rs"] {
            assert!(service.folder.join(file).is_file(), "{name} has no {file}");
        }
        let code = service.read("src/main.rs");
        let code = code.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("//"));
        assert!(code.count() <= 4, "{name} does something in its main.rs");
    }
}

/// All crates of the workspace by name, as cargo knows them.
fn workspace() -> BTreeMap<String, Crate> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo speaks JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    packages.iter().map(member).map(|member| (member.name.clone(), member)).collect()
}

fn member(package: &Value) -> Crate {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let needs = package["dependencies"].as_array().expect("dependencies").iter();
    let folder = Path::new(&text(&package["manifest_path"])).parent().expect("a folder").to_owned();
    Crate {
        name: text(&package["name"]),
        folder,
        needs: needs
            .filter(|need| need["kind"].is_null())
            .map(|need| text(&need["name"]))
            .collect(),
    }
}

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).expect("a source");
            found.push((path, text));
        }
    }
    found
}
