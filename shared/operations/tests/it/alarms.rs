//! Every alarm has a section of the runbook, a test of its own, and is the same in Kubernetes.

use std::collections::BTreeSet;

use operations::{files, services};
use serde_json::Value;

fn groups() -> Value {
    files::yaml("deploy/prometheus/parom.rules.yaml")["groups"].take()
}

fn alarms(groups: &Value) -> Vec<&Value> {
    groups.as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap()).collect()
}

/// The sections of the runbook, by their headings; each with its text.
fn sections() -> Vec<(String, String)> {
    let text = files::text("docs/runbook.md");
    let parts = text.split("\n### ").skip(1).map(|part| part.split("\n## ").next().unwrap());
    parts
        .map(|part| part.split_once('\n').unwrap())
        .map(|(head, body)| (head.to_owned(), body.to_owned()))
        .collect()
}

#[test]
fn every_alarm_has_its_section_and_every_section_its_alarm() {
    let groups = groups();
    let sections = sections();
    let mut named = BTreeSet::new();
    for alarm in alarms(&groups) {
        let name = alarm["alert"].as_str().unwrap();
        let link = format!("docs/runbook.md#{}", name.to_lowercase());
        assert_eq!(alarm["annotations"]["runbook"], link.as_str(), "{name}");
        let severity = alarm["labels"]["severity"].as_str().unwrap();
        assert!(["page", "ticket"].contains(&severity), "{name}: {severity}");
        let section = sections.iter().find(|(head, _)| head == name);
        let (_, body) = section.unwrap_or_else(|| panic!("docs/runbook.md says nothing of {name}"));
        // What it means, and steps in their order.
        assert!(body.contains("\n1. "), "docs/runbook.md, {name}: there are no steps");
        assert!(named.insert(name.to_owned()), "{name} is there twice");
    }
    for (head, _) in sections {
        let is_service = services::all().contains_key(&head);
        assert!(is_service || named.contains(&head), "docs/runbook.md: nobody raises {head}");
    }
}

#[test]
fn every_service_is_in_the_runbook() {
    let sections = sections();
    for service in services::all().into_keys() {
        assert!(
            sections.iter().any(|(head, _)| *head == service),
            "docs/runbook.md says nothing of {service}"
        );
    }
}

#[test]
fn every_alarm_is_fired_by_a_test() {
    let tests = files::yaml("deploy/prometheus/parom.tests.yaml");
    let cases = tests["tests"].as_array().unwrap().iter();
    let checks = cases.flat_map(|case| case["alert_rule_test"].as_array().unwrap());
    let (mut fired, mut quiet) = (BTreeSet::new(), BTreeSet::new());
    for check in checks {
        let name = check["alertname"].as_str().unwrap().to_owned();
        let raised = check["exp_alerts"].as_array().is_some_and(|all| !all.is_empty());
        if raised {
            fired.insert(name)
        } else {
            quiet.insert(name)
        };
    }
    let groups = groups();
    for alarm in alarms(&groups) {
        let name = alarm["alert"].as_str().unwrap();
        assert!(fired.contains(name), "no test fires {name}");
        assert!(quiet.contains(name), "no test shows when {name} is not fired");
    }
}

#[test]
fn kubernetes_has_the_same_alarms() {
    let rule = files::yaml("k8s/components/monitoring/rules.yaml");
    assert_eq!(rule["kind"], "PrometheusRule");
    assert_eq!(rule["spec"]["groups"], groups(), "run deploy/dev/rules.sh");
}
