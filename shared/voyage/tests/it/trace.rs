//! One trace from the webhook to the vendor's call and back to the shop.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, extract::State, routing::post};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use voyage::{SERVICES, Shop, snapshot};

use crate::crew::{Crew, SECRET, START, Servers};

/// Span names by trace id, as a collector hears them.
type Heard = Arc<Mutex<BTreeMap<Vec<u8>, BTreeSet<String>>>>;

/// An OTLP collector that remembers. Tells its address.
async fn collector(heard: Heard) -> String {
    async fn take(State(heard): State<Heard>, body: Bytes) {
        let request = ExportTraceServiceRequest::decode(body).unwrap();
        let mut heard = heard.lock().unwrap();
        for resource in request.resource_spans {
            for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                heard.entry(span.trace_id).or_default().insert(span.name);
            }
        }
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/traces", post(take)).with_state(heard);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_runs_from_the_webhook_to_the_receipt_and_back() {
    let heard = Heard::default();
    let endpoint = collector(Arc::clone(&heard)).await;
    let servers = Servers::lend("trace").await;
    let told =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "200".to_owned())];
    let crew = Crew::board(&servers.berth(), &told).await;
    let shop = Shop::new(SECRET, &crew.fleet.url("ingress"));
    assert_eq!(shop.call("msg-1", &snapshot(1, 1).to_string()).await, Some(202));

    let stations = [
        "POST /webhooks/site",
        "process webhooks",
        "process fiscal",
        "cloudkassir /kkt/receipt",
        "process status",
        "site writeback",
    ];
    let end = Instant::now() + START;
    loop {
        let traces: Vec<BTreeSet<String>> = heard.lock().unwrap().values().cloned().collect();
        let whole = |names: &BTreeSet<String>| stations.iter().all(|name| names.contains(*name));
        if traces.iter().any(whole) {
            break;
        }
        assert!(Instant::now() < end, "no trace has all of {stations:?}: {traces:#?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(crew);
    servers.give_back(&SERVICES).await;
}
