//! Logs and traces: one JSON line for a failure, one trace from the webhook to the vendor and
//! back.

use std::collections::HashMap;

use events::Event;
use opentelemetry::{
    propagation::TextMapPropagator,
    trace::{TraceContextExt, TracerProvider as _},
};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    bus::TRACEPARENT,
    settings::{Common, LogFormat, StartError},
};

/// Keeps the exporter alive; [`Telemetry::end`] sends what is left.
#[derive(Debug)]
pub(crate) struct Telemetry {
    provider: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Begins logging and, where an endpoint is set, tracing.
    pub(crate) fn begin(service: &'static str, common: &Common) -> Result<Self, StartError> {
        let filter = EnvFilter::try_new(&common.log)
            .map_err(|error| StartError(format!("--log {:?}: {error}", common.log)))?;
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let lines = match common.log_format {
            LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
            LogFormat::Text => lines.compact().boxed(),
        };
        let provider = common
            .otel_exporter_otlp_endpoint
            .as_deref()
            .map(|endpoint| exporter(service, endpoint))
            .transpose()?;
        let traces = provider
            .as_ref()
            .map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer("parom")));
        tracing_subscriber::registry()
            .with(lines.with_filter(filter))
            .with(traces.map(|traces| traces.with_filter(EnvFilter::new("info,h2=off,hyper=off"))))
            .try_init()
            .map_err(StartError::new)?;
        Ok(Self { provider })
    }

    /// Sends what is left; on a thread of its own, since the exporter blocks.
    pub(crate) async fn end(self) {
        if let Some(provider) = self.provider {
            tokio::task::spawn_blocking(move || provider.shutdown().ok()).await.ok();
        }
    }
}

fn exporter(service: &'static str, endpoint: &str) -> Result<SdkTracerProvider, StartError> {
    let endpoint = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint)
        .build()
        .map_err(|error| StartError(format!("--otel-exporter-otlp-endpoint: {error}")))?;
    let resource = Resource::builder().with_service_name(format!("parom-{service}")).build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// The span of one message, in the trace that its header names.
pub(crate) fn process_span(worker: &'static str, traceparent: Option<&str>) -> Span {
    let span = tracing::info_span!(
        "process",
        otel.name = format!("process {worker}"),
        otel.kind = "consumer",
        messaging.system = "rabbitmq",
        event.id = tracing::field::Empty,
        event.topic = tracing::field::Empty,
        order.id = tracing::field::Empty,
    );
    if let Some(traceparent) = traceparent {
        let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
        let context = TraceContextPropagator::new().extract(&carrier);
        // Without a tracing layer there is no trace to belong to.
        span.set_parent(context).ok();
    }
    span
}

/// Writes into the present span which event it is about.
pub(crate) fn name_event(event: &Event) {
    let span = Span::current();
    span.record("event.id", tracing::field::display(event.id()));
    span.record("event.topic", event.topic());
    span.record("order.id", event.order().map(|order| order.id));
}

/// The present trace as a `traceparent` header (W3C Trace Context), if there is one.
#[must_use]
pub fn traceparent() -> Option<String> {
    let context = Span::current().context();
    if !context.span().span_context().is_valid() {
        return None;
    }
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&context, &mut carrier);
    carrier.remove(TRACEPARENT)
}
