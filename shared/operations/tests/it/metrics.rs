//! Every metric in alarms and dashboards, and every label that they choose or group by, is one that the services expose.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
};

use operations::{
    files,
    queries::{Asked, Name, asked},
};
use serde::Deserialize;
use serde_json::Value;

use crate::programs::{Production, Running, built};

/// As the service tells it at `/metrics/names`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Described {
    name: String,
    kind: String,
    labels: Vec<String>,
    help: String,
}

/// All metrics of all services, and who has them.
fn exposed() -> BTreeMap<Described, BTreeSet<String>> {
    let production = Production::copy();
    // All start at once; then each is asked.
    let started: Vec<(String, Running)> = built()
        .into_iter()
        .map(|name| (name.clone(), Running::start(&name, &production)))
        .collect();
    let mut all = BTreeMap::<Described, BTreeSet<String>>::new();
    for (service, mut running) in started {
        let told: Vec<Described> = serde_json::from_value(running.get("/metrics/names")).unwrap();
        assert!(told.len() > 10, "{service} tells {} metrics", told.len());
        for metric in told {
            all.entry(metric).or_default().insert(service.clone());
        }
    }
    all
}

/// The names under which a metric is seen, with the labels that it has.
fn seen(all: impl IntoIterator<Item = Described>) -> BTreeMap<String, BTreeSet<String>> {
    // Prometheus adds these to whatever it reads.
    let added = ["job", "instance", "pod", "namespace"];
    let mut seen = BTreeMap::<String, BTreeSet<String>>::new();
    let mut add = |name: String, labels: &[String], more: Option<&str>| {
        let own = labels.iter().map(String::as_str).chain(added).chain(more);
        seen.entry(name).or_default().extend(own.map(str::to_owned));
    };
    for metric in all {
        if metric.kind == "histogram" {
            add(format!("{}_bucket", metric.name), &metric.labels, Some("le"));
            add(format!("{}_sum", metric.name), &metric.labels, None);
            add(format!("{}_count", metric.name), &metric.labels, None);
        } else {
            add(metric.name.clone(), &metric.labels, None);
        }
    }
    add("up".to_owned(), &[], None);
    seen
}

/// What RabbitMQ exposes, as it was read from one: a line `name label,label`.
fn of_the_broker() -> impl Iterator<Item = Described> {
    let text = files::text("deploy/prometheus/rabbitmq-metrics.txt");
    let lines: Vec<String> = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(str::to_owned)
        .collect();
    lines.into_iter().map(|line| {
        let (name, labels) = line.split_once(' ').unwrap_or((&line, ""));
        let labels =
            labels.split(',').filter(|label| !label.is_empty()).map(str::to_owned).collect();
        Described { name: name.to_owned(), kind: "gauge".to_owned(), labels, help: String::new() }
    })
}

/// The queries of alarms and dashboards, with the place where each stands.
fn queries() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let rules = files::yaml("deploy/prometheus/parom.rules.yaml");
    for rule in rules["groups"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|group| group["rules"].as_array().unwrap())
    {
        let text = |name: &str| rule[name].as_str().unwrap().to_owned();
        found.push((text("alert"), text("expr")));
    }
    let alarms = found.len();
    assert!(alarms > 20, "{alarms} alarms were read");
    for file in files::folder("deploy/grafana/dashboards", ".json") {
        let board: Value = serde_json::from_str(&files::text(&file)).unwrap();
        for panel in board["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().unwrap() {
                let place = format!("{file}, {}", panel["title"]);
                let query = target["expr"].as_str().unwrap().replace("$job", "any");
                found.push((place, query));
            }
        }
    }
    assert!(found.len() > alarms + 30, "{} queries were read", found.len());
    found
}

#[test]
fn alarms_and_dashboards_ask_for_what_there_is() {
    let all = seen(exposed().into_keys().chain(of_the_broker()));
    for (place, query) in queries() {
        let asked = asked(&query).unwrap_or_else(|error| panic!("{place}: {error}"));
        // `vector(0)` and the like ask for nothing, but no query asks for nothing at all.
        assert!(!asked.is_empty(), "{place} asks for no metric");
        for Asked { metric, labels } in asked {
            let known = match &metric {
                Name::Exact(name) => all.get(name).cloned(),
                Name::Matching(pattern) => matching(pattern, &all),
            };
            let known = known.unwrap_or_else(|| panic!("{place}: nobody exposes {metric:?}"));
            for label in &labels {
                assert!(known.contains(label), "{place}: {metric:?} has no label {label}");
            }
        }
    }
}

/// The labels that all names of an expression `a_(b|c)_d` have; none where one of them is not there.
fn matching(pattern: &str, all: &BTreeMap<String, BTreeSet<String>>) -> Option<BTreeSet<String>> {
    let (head, rest) = pattern.split_once('(')?;
    let (middle, tail) = rest.split_once(')')?;
    let names = middle.split('|').map(|word| format!("{head}{word}{tail}"));
    names.map(|name| all.get(&name).cloned()).reduce(|one, other| Some(&one? & &other?))?
}

/// `docs/metrics.md` is written from what the services say: `PAROM_WRITE=1` writes it anew.
#[test]
fn the_page_of_metrics_is_true() {
    let page = page(&exposed());
    let path = files::path("docs/metrics.md");
    if std::env::var_os("PAROM_WRITE").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/metrics.md is not what the services say; PAROM_WRITE=1 writes it anew"
    );
}

fn page(all: &BTreeMap<Described, BTreeSet<String>>) -> String {
    let mut page = String::from(
        "# Metrics\n\n\
         Written from what the services say at `/metrics/names`: \
         `PAROM_WRITE=1 make test ONLY='-p operations page_of_metrics'`.\n\
         A metric with labels is at `/metrics` once it has a value.\n\n\
         | metric | kind | labels | what | services |\n|---|---|---|---|---|\n",
    );
    let everyone = built().len();
    for (metric, services) in all {
        let Described { name, kind, labels, help } = metric;
        let who = if services.len() == everyone {
            "all".to_owned()
        } else {
            services.iter().cloned().collect::<Vec<_>>().join(", ")
        };
        let labels = labels.join(", ");
        writeln!(page, "| `{name}` | {kind} | {labels} | {help} | {who} |").unwrap();
    }
    page
}
