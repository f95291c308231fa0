//! What a pod must have whichever service it is; the schemas themselves are held by `make operations`.

use operations::files;
use serde_json::{Value, json};

fn pod() -> Value {
    files::yaml("k8s/components/pods/pod.yaml")["spec"]["template"]["spec"].take()
}

/// `25s` in seconds.
fn seconds(text: &str) -> u64 {
    text.strip_suffix('s').unwrap().parse().unwrap()
}

#[test]
fn what_is_in_hand_is_finished_before_the_kill() {
    let drain = seconds(&files::settings("deploy/production/common.env")["DRAIN_GRACE"]);
    let pod = pod();
    let container = &pod["containers"][0];
    let pause = container["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64().unwrap();
    let given = pod["terminationGracePeriodSeconds"].as_u64().unwrap();
    // After the drain marks are settled for up to 5 s.
    assert!(pause + drain + 5 < given, "{pause} s + {drain} s + 5 s in {given} s");

    let compose = files::yaml("compose.yaml");
    let given = seconds(compose["x-service"]["stop_grace_period"].as_str().unwrap());
    assert!(drain + 5 < given, "compose.yaml: {drain} s + 5 s in {given} s");
    let unit = files::text("deploy/systemd/parom@.service");
    let given = unit.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")).unwrap();
    assert!(drain + 5 < seconds(given), "parom@.service: {drain} s + 5 s in {given}");
}

#[test]
fn three_probes_ask_three_questions() {
    let pod = pod();
    let container = &pod["containers"][0];
    let path = |probe: &str| container[probe]["httpGet"]["path"].as_str().unwrap().to_owned();
    assert_eq!(path("startupProbe"), "/healthz");
    assert_eq!(path("readinessProbe"), "/readyz");
    // A pod is never killed because a broker, a database or a register is away.
    assert_eq!(path("livenessProbe"), "/healthz");
}

#[test]
fn a_pod_may_do_nothing_that_it_need_not() {
    let pod = pod();
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(pod["enableServiceLinks"], false);
    let security = &pod["securityContext"];
    assert_eq!(security["runAsNonRoot"], true);
    assert_eq!(security["seccompProfile"], json!({ "type": "RuntimeDefault" }));
    let container = &pod["containers"][0]["securityContext"];
    assert_eq!(container["allowPrivilegeEscalation"], false);
    assert_eq!(container["readOnlyRootFilesystem"], true);
    assert_eq!(container["capabilities"], json!({ "drop": ["ALL"] }));
}

#[test]
fn nothing_goes_in_or_out_that_is_not_named() {
    let policies = files::documents("k8s/base/network.yaml");
    let nothing = &policies[0];
    assert_eq!(nothing["spec"]["policyTypes"], json!(["Ingress", "Egress"]));
    assert!(nothing["spec"]["ingress"].is_null() && nothing["spec"]["egress"].is_null());
}

/// Each overlay has the component that all pods need, and one way to scale at most.
#[test]
fn overlays_are_whole() {
    let components = |overlay: &str| -> Vec<String> {
        let file = files::yaml(&format!("k8s/overlays/{overlay}/kustomization.yaml"));
        let all = file["components"].as_array().unwrap().iter();
        all.map(|it| it.as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect()
    };
    for (overlay, scales) in
        [("demo", None), ("production", Some("keda")), ("production-without-keda", Some("hpa"))]
    {
        let components = components(overlay);
        assert_eq!(
            components.last().unwrap(),
            "pods",
            "{overlay}: the last one sees all Deployments"
        );
        let found: Vec<&String> =
            components.iter().filter(|it| ["keda", "hpa"].contains(&it.as_str())).collect();
        assert_eq!(found, Vec::from_iter(scales), "{overlay}: KEDA makes an HPA of its own");
    }
}
