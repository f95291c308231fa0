//! Every service is everywhere where operators look for it, with one port and one number of replicas.

use std::collections::{BTreeMap, BTreeSet};

use operations::{files, services};
use serde_json::Value;

fn crates() -> BTreeSet<String> {
    let folders = files::folder("services", "");
    folders.iter().map(|folder| folder.rsplit('/').next().unwrap().to_owned()).collect()
}

#[test]
fn the_list_is_true() {
    let listed = services::all();
    let crates = crates();
    for name in &crates {
        assert!(listed.contains_key(name), "{name} is not in deploy/services.toml");
    }
    for (name, service) in &listed {
        let is_there = crates.contains(name);
        assert_eq!(
            service.is_built(),
            is_there,
            "deploy/services.toml: `waits_for` of {name}, whose crate is there: {is_there}"
        );
        let (least, most) = service.replicas;
        assert!(least >= 1 && least <= most, "{name}: {least} to {most} replicas");
        assert_eq!(
            service.in_hand.is_some(),
            least != most,
            "{name}: in_hand goes with replicas that change"
        );
    }
    let ports: BTreeSet<u16> = listed.values().map(|service| service.port).collect();
    assert_eq!(ports.len(), listed.len(), "two services have one port");
}

#[test]
fn the_ports_are_the_same_everywhere() {
    let dev = files::text("deploy/dev/services.sh");
    let compose = files::yaml("compose.yaml");
    for (name, service) in services::all() {
        let port = service.port;
        if service.is_built() {
            assert!(
                dev.contains(&format!("    {name}) echo {port} ;;")),
                "deploy/dev/services.sh: {name}"
            );
        }
        let systemd = files::settings(&format!("deploy/systemd/{name}.env"));
        assert_eq!(
            systemd["HTTP_LISTEN"],
            format!("127.0.0.1:{port}"),
            "deploy/systemd/{name}.env"
        );
        for published in compose["services"][&name]["ports"].as_array().into_iter().flatten() {
            assert_eq!(published, &format!("127.0.0.1:{port}:8080"), "compose.yaml, {name}");
        }
    }
}

#[test]
fn compose_runs_each() {
    let compose = files::yaml("compose.yaml");
    for name in services::all().into_keys() {
        let entry = &compose["services"][&name];
        assert_eq!(entry["command"], serde_json::json!([name]), "compose.yaml has no {name}");
        assert_eq!(entry["healthcheck"]["test"], serde_json::json!(["CMD", name, "--probe"]));
        assert!(
            entry["deploy"]["resources"]["limits"]["memory"].is_string(),
            "{name} has no limit"
        );
        let files = serde_json::json!([
            "deploy/production/common.env",
            format!("deploy/production/{name}.env")
        ]);
        assert_eq!(entry["env_file"], files, "compose.yaml, {name}");
        for secret in entry["secrets"].as_array().unwrap() {
            let secret = secret.as_str().unwrap();
            assert!(
                compose["secrets"][secret]["file"].is_string(),
                "compose.yaml: no secret {secret}"
            );
        }
    }
}

/// What a service's settings read must be what it is given.
#[test]
fn each_is_given_the_secrets_that_it_reads() {
    let compose = files::yaml("compose.yaml");
    let readers: BTreeMap<&str, &str> = [
        ("ingress", "bitrix.toml"),
        ("status", "bitrix.toml"),
        ("fiscal", "fiscal.toml"),
        ("loyalty", "loyalty.toml"),
        ("marking", "marking.toml"),
        ("egais", "egais.toml"),
        ("edo", "edo.toml"),
    ]
    .into();
    for name in services::all().into_keys() {
        let mut text = files::text("deploy/production/common.env")
            + &files::text(&format!("deploy/production/{name}.env"));
        if let Some(file) = readers.get(name.as_str()) {
            text += &files::text(&format!("deploy/production/{file}"));
        }
        let end = |letter: char| !letter.is_ascii_alphanumeric() && letter != '-';
        let read: BTreeSet<&str> = text
            .split("/run/secrets/")
            .skip(1)
            .map(|rest| rest.split(end).next().unwrap())
            .collect();
        let given = compose["services"][&name]["secrets"].as_array().unwrap();
        let given: BTreeSet<&str> = given.iter().map(|secret| secret.as_str().unwrap()).collect();
        assert_eq!(given, read, "compose.yaml: secrets of {name}");
        let told = files::text("deploy/production/README.md");
        for secret in read {
            assert!(
                told.contains(&format!("`{secret}`")),
                "deploy/production/README.md says nothing of {secret}"
            );
        }
    }
}

#[test]
fn kubernetes_runs_each() {
    let base = files::yaml("k8s/base/kustomization.yaml");
    let listed = base["resources"].as_array().unwrap();
    let settings = files::text("deploy/production/kustomization.yaml");
    for (name, service) in services::all() {
        assert!(
            listed.contains(&Value::from(format!("{name}.yaml"))),
            "k8s/base/kustomization.yaml: {name}"
        );
        let line = format!("- {{ name: {name}-settings, envs: [{name}.env] }}");
        assert!(settings.contains(&line), "deploy/production/kustomization.yaml: {name}");
        let documents = files::documents(&format!("k8s/base/{name}.yaml"));
        let of = |kind: &str| {
            documents.iter().find(|it| it["kind"] == kind && it["metadata"]["name"] == *name)
        };
        let migrates = documents.iter().find(|it| it["kind"] == "Job").unwrap();
        let migrate = &migrates["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(migrate["args"], serde_json::json!([name]));
        assert_eq!(
            migrate["env"],
            serde_json::json!([{ "name": "MIGRATE_ONLY", "value": "true" }])
        );
        // Else its pods would be taken for the service's own.
        let labels = &migrates["spec"]["template"]["metadata"]["labels"];
        assert_ne!(labels["app.kubernetes.io/name"], name.as_str());
        for kind in ["Deployment", "Service", "NetworkPolicy"] {
            assert!(of(kind).is_some(), "{name} has no {kind}");
        }
        let deployment = of("Deployment").unwrap();
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["args"], serde_json::json!([name]));
        let (least, most) = service.replicas;
        // A number here would undo what KEDA has chosen, at every apply.
        let fixed = (least == most).then_some(least);
        assert_eq!(deployment["spec"]["replicas"].as_u64(), fixed.map(u64::from), "{name}");
        assert_eq!(
            of("PodDisruptionBudget").is_some(),
            most > 1,
            "{name}: a budget of one holds up nodes"
        );
        assert_eq!(
            deployment["spec"]["strategy"]["type"] == "Recreate",
            most == 1,
            "{name}: where one is all, the old one goes first"
        );
    }
}

#[test]
fn replicas_follow_the_queue_where_the_register_allows_it() {
    let objects = files::documents("k8s/components/keda/scaledobjects.yaml");
    let by_load = files::documents("k8s/components/hpa/hpa.yaml");
    for (name, service) in services::all() {
        let named = |all: &[Value], kind: &str| {
            all.iter().find(|it| it["kind"] == kind && it["metadata"]["name"] == *name).cloned()
        };
        let (object, load) =
            (named(&objects, "ScaledObject"), named(&by_load, "HorizontalPodAutoscaler"));
        let Some(in_hand) = service.in_hand else {
            assert!(object.is_none() && load.is_none(), "{name} has a fixed number of replicas");
            continue;
        };
        let (object, load) = (object.unwrap(), load.unwrap());
        let (least, most) = service.replicas;
        assert_eq!(object["spec"]["minReplicaCount"], least, "{name}");
        assert_eq!(object["spec"]["maxReplicaCount"], most, "{name}");
        assert_eq!(load["spec"]["minReplicas"], least, "{name}");
        assert_eq!(load["spec"]["maxReplicas"], most, "{name}");
        let trigger = &object["spec"]["triggers"][0];
        assert_eq!(trigger["type"], "rabbitmq");
        let told = &trigger["metadata"];
        // KEDA's schema knows nothing of what a trigger wants; all values are strings.
        assert_eq!(told["protocol"], "http", "{name}: only this one counts what is in hand");
        assert_eq!(told["queueName"], format!("parom.{}", service.worker));
        assert_eq!(told["mode"], "QueueLength");
        assert_eq!(told["value"], in_hand.to_string());
        assert!(object["spec"]["fallback"]["replicas"].as_u64() >= Some(u64::from(least)));
        assert!(object["metadata"]["annotations"]["autoscaling.keda.sh/paused"].is_string());
    }
}

#[test]
fn prometheus_and_admin_look_at_each() {
    let names = &files::yaml("deploy/prometheus/prometheus.yaml")["scrape_configs"][0]["dns_sd_configs"]
        [0]["names"];
    let names = names.as_array().unwrap();
    let watched = files::settings("deploy/production/admin.env");
    let rules = files::text("deploy/prometheus/parom.rules.yaml");
    let down = rules.lines().find(|line| line.contains("expr: up{job=~")).unwrap();
    for name in services::all().into_keys() {
        assert!(
            names.contains(&Value::from(name.clone())),
            "deploy/prometheus/prometheus.yaml: {name}"
        );
        assert!(down.contains(&name), "ParomServiceDown does not look at {name}");
        if name != "admin" {
            let place = format!("{name}=http://{name}:8080");
            assert!(
                watched["ADMIN_SERVICES"].split(',').any(|it| it == place),
                "ADMIN_SERVICES: {name}"
            );
        }
    }
}
