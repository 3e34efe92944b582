//! From ended exchanges to the collector: batches as OTLP over HTTP with protobuf, one request at a time.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use ordain_core::wire::Dialect;
use prometheus_client::metrics::counter::Counter;
use prost::Message as _;

use super::Trace;
use crate::gateway::pool;

/// Sends batches, in a thread of its own.
#[derive(Debug)]
pub(super) struct Exporter {
    endpoint: String,
    headers: HeaderMap,
    dropped: Counter,
}

/// Exchanges in one request to the collector.
const BATCH: usize = 256;
/// How long an ended exchange waits for others.
const GATHER: Duration = Duration::from_secs(1);
/// How long the collector may take.
const PATIENCE: Duration = Duration::from_secs(5);

impl Exporter {
    pub(super) fn new(endpoint: String, headers: HeaderMap, dropped: Counter) -> Self {
        Self {
            endpoint,
            headers,
            dropped,
        }
    }

    /// Sends until nobody hands on any more.
    pub(super) fn run(self, waiting: &Receiver<Box<Trace>>) {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
            return;
        };
        let client = runtime.block_on(async { pool(PATIENCE) });
        let mut open = true;
        while open {
            let Ok(first) = waiting.recv() else { return };
            let mut batch = vec![first];
            let until = Instant::now() + GATHER;
            while batch.len() < BATCH {
                match waiting.recv_timeout(until.saturating_duration_since(Instant::now())) {
                    Ok(trace) => batch.push(trace),
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => {
                        open = false;
                        break;
                    }
                }
            }
            let Some(request) = self.request(&batch) else { return };
            let sent = runtime.block_on(async {
                tokio::time::timeout(PATIENCE, client.request(request))
                    .await
                    .is_ok_and(|answer| answer.is_ok_and(|answer| answer.status().is_success()))
            });
            if !sent {
                // The next batch is tried as usual; nothing is kept for a collector that is away.
                self.dropped.inc_by(batch.len() as u64);
                tracing::warn!(dropped = batch.len(), "the collector did not take traces");
            }
        }
    }

    fn request(&self, batch: &[Box<Trace>]) -> Option<Request<Full<Bytes>>> {
        let mut request = Request::new(Full::from(encoded(batch)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.parse().ok()?;
        *request.headers_mut() = self.headers.clone();
        let protobuf = HeaderValue::from_static("application/x-protobuf");
        request.headers_mut().insert(header::CONTENT_TYPE, protobuf);
        Some(request)
    }
}

/// Headers as `name=value,name=value`, the way OpenTelemetry's own variables have them.
pub(super) fn headers(text: &str) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=')?;
        let mut value = HeaderValue::from_str(value.trim()).ok()?;
        value.set_sensitive(true);
        headers.insert(name.trim().parse::<HeaderName>().ok()?, value);
    }
    Some(headers)
}

fn encoded(batch: &[Box<Trace>]) -> Vec<u8> {
    let resource = Resource {
        attributes: vec![
            text("service.name", "ordain"),
            text("service.version", env!("CARGO_PKG_VERSION")),
        ],
        ..Resource::default()
    };
    let scope = InstrumentationScope {
        name: "ordain".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource),
            scope_spans: vec![ScopeSpans {
                scope: Some(scope),
                spans: batch.iter().flat_map(|trace| spans(trace)).collect(),
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
    .encode_to_vec()
}

/// The span of the request that was served and, if it was sent, that of the call upstream.
fn spans(trace: &Trace) -> Vec<Span> {
    let ended = trace.ended.unwrap_or(trace.began);
    let (method, route) = trace.endpoint.split_once(' ').unwrap_or(("", trace.endpoint.as_str()));
    let of_model = [
        text("gen_ai.operation.name", operation(trace.wire)),
        text("gen_ai.provider.name", provider(trace.dialect)),
    ]
    .into_iter()
    .chain(trace.model.as_deref().map(|model| text("gen_ai.request.model", model)));
    let mut served = Span {
        trace_id: trace.id.to_vec(),
        span_id: trace.served.to_vec(),
        parent_span_id: trace.parent.map(Vec::from).unwrap_or_default(),
        name: trace.endpoint.clone(),
        kind: SpanKind::Server.into(),
        start_time_unix_nano: nanoseconds(trace.began),
        end_time_unix_nano: nanoseconds(ended),
        attributes: vec![
            text("http.request.method", method),
            text("http.route", route),
            number("http.response.status_code", trace.status),
            text("ordain.verdict", trace.verdict.as_str()),
            text("ordain.record", &trace.record),
            text("ordain.result", trace.result),
        ],
        status: (trace.status >= 500).then(failed),
        ..Span::default()
    };
    if trace.wire.is_empty() {
        return vec![served];
    }
    let Some(sent) = trace.sent else {
        served.attributes.extend(of_model);
        return vec![served];
    };
    let operation = operation(trace.wire);
    let called = Span {
        trace_id: trace.id.to_vec(),
        span_id: trace.called.to_vec(),
        parent_span_id: trace.served.to_vec(),
        name: trace
            .model
            .as_deref()
            .map_or_else(|| operation.to_owned(), |model| format!("{operation} {model}")),
        kind: SpanKind::Client.into(),
        start_time_unix_nano: nanoseconds(sent),
        end_time_unix_nano: nanoseconds(ended),
        attributes: of_model
            .chain((trace.result == "upstream-failed").then(|| text("error.type", "upstream-failed")))
            .collect(),
        status: (trace.result == "upstream-failed").then(failed),
        ..Span::default()
    };
    vec![served, called]
}

fn failed() -> Status {
    Status {
        code: StatusCode::Error.into(),
        ..Status::default()
    }
}

/// The kind of operation, in the conventions' words where they have one.
fn operation(wire: &str) -> &'static str {
    match wire {
        "openai-chat" | "openai-responses" | "anthropic-messages" | "ollama-chat" => "chat",
        "openai-completions" | "ollama-generate" => "text_completion",
        "openai-embeddings" | "gemini-embed" | "ollama-embed" => "embeddings",
        "gemini-generate" | "gemini-stream" => "generate_content",
        "openai-moderations" => "moderation",
        "openai-images" => "image_generation",
        "openai-speech" => "speech",
        _ => "count_tokens",
    }
}

/// The provider, in the conventions' words where they have one.
const fn provider(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Openai => "openai",
        Dialect::Azure => "azure.ai.openai",
        Dialect::Anthropic => "anthropic",
        Dialect::Gemini => "gcp.gemini",
        Dialect::Ollama => "ollama",
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, any_value::Value::StringValue(value.to_owned()))
}

fn number(key: &str, value: u16) -> KeyValue {
    attribute(key, any_value::Value::IntValue(value.into()))
}

fn attribute(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

/// Nanoseconds since the Unix epoch.
fn nanoseconds(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_the_variables_of_opentelemetry_have_them() {
        let read = headers(" authorization=Bearer abc=, x-team = ai ,").expect("headers");
        assert_eq!(
            read.get("authorization").map(HeaderValue::as_bytes),
            Some(&b"Bearer abc="[..])
        );
        assert_eq!(read.get("x-team").map(HeaderValue::as_bytes), Some(&b"ai"[..]));
        assert!(!format!("{read:?}").contains("abc"), "a secret is printed");
        assert_eq!(headers("").map(|none| none.len()), Some(0));
        for bad in ["authorization", "a b=c", "=c", "a=\u{1}"] {
            assert!(headers(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn every_wire_has_its_operation() {
        for wire in ordain_core::wire::all() {
            let counts = operation(wire.id()) == "count_tokens";
            assert_eq!(
                counts,
                wire.id().contains("count") || wire.id().contains("tokens"),
                "{}",
                wire.id()
            );
        }
    }
}
