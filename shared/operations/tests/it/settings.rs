//! Every setting in manifests, Compose, systemd and the settings of production is one that its service knows.

use std::{collections::BTreeSet, process::Command};

use operations::files;
use serde_json::Value;

use crate::programs::{Production, built, known, program};

fn is_known(name: &str, known: &BTreeSet<String>) -> bool {
    known.contains(name) || name.strip_suffix("_FILE").is_some_and(|plain| known.contains(plain))
}

fn check(service: &str, names: impl IntoIterator<Item = String>, place: &str) {
    let known = known(service);
    assert!(known.len() > 20, "{service} --help names {} settings", known.len());
    for name in names {
        assert!(is_known(&name, &known), "{place}: {name} is no setting of {service}");
    }
}

#[test]
fn production_and_systemd() {
    for service in built() {
        for file in [
            "deploy/production/common.env".to_owned(),
            format!("deploy/production/{service}.env"),
            format!("deploy/systemd/{service}.env"),
        ] {
            let settings = files::settings(&file);
            assert!(!settings.is_empty(), "{file} says nothing");
            check(&service, settings.into_keys(), &file);
        }
    }
}

#[test]
fn compose() {
    let compose = files::yaml("compose.yaml");
    for service in built() {
        for name in [service.clone(), format!("demo-{service}")] {
            let entry = &compose["services"][&name];
            assert_eq!(
                entry["command"],
                serde_json::json!([service]),
                "compose.yaml has no {name}"
            );
            let own =
                entry["environment"].as_object().into_iter().flat_map(|all| all.keys().cloned());
            check(&service, own, &format!("compose.yaml, {name}"));
        }
    }
}

#[test]
fn kubernetes() {
    let demo = files::yaml("k8s/overlays/demo/kustomization.yaml");
    let generated = demo["configMapGenerator"].as_array().unwrap();
    for service in built() {
        let own = |map: &&Value| {
            map["name"] == "parom-common" || map["name"] == format!("{service}-settings")
        };
        let literals =
            generated.iter().filter(own).flat_map(|map| map["literals"].as_array().unwrap());
        let names: Vec<String> =
            literals.filter_map(|line| Some(files::pair(line.as_str()?)?.0)).collect();
        assert!(names.len() > 2, "the demonstration tells {service} {names:?}");
        check(&service, names, "k8s/overlays/demo");

        for document in files::documents(&format!("k8s/base/{service}.yaml")) {
            let containers = document["spec"]["template"]["spec"]["containers"].as_array();
            for container in containers.into_iter().flatten() {
                let own = container["env"].as_array().into_iter().flatten();
                check(&service, own.map(|it| it["name"].as_str().unwrap().to_owned()), "k8s/base");
            }
        }
    }
}

/// `--probe` reads all settings and then finds nobody: 1. Wrong settings are 64.
#[test]
fn the_settings_of_production_are_enough_to_start() {
    let production = Production::copy();
    for service in built() {
        let output = Command::new(program(&service))
            .arg("--probe")
            .env_clear()
            .envs(production.environment(&service))
            .env("HTTP_LISTEN", "127.0.0.1:9")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{service}: {said}");
    }
}
