//! A span as a collector receives it.

use std::{collections::BTreeMap, fmt::Write};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{ResourceSpans, Span, span::SpanKind, status::StatusCode},
};

/// A span; ids are in hexadecimal digits.
#[derive(Clone, Debug)]
pub struct TracedSpan {
    /// `service.name` of the resource.
    pub service: String,
    /// Its name.
    pub name: String,
    /// Server, Client, Producer or Internal.
    pub kind: &'static str,
    /// The trace that it belongs to.
    pub trace: String,
    /// Its id.
    pub id: String,
    /// The id of its parent; empty for a root.
    pub parent: String,
    /// Trace and span of each link.
    pub links: Vec<(String, String)>,
    /// Its attributes, and those of its links, as texts.
    pub attributes: BTreeMap<String, String>,
    /// Why it failed, if it did.
    pub failure: Option<String>,
}

impl TracedSpan {
    pub(super) fn of(request: ExportTraceServiceRequest) -> impl Iterator<Item = Self> {
        request.resource_spans.into_iter().flat_map(|ResourceSpans { resource, scope_spans, .. }| {
            let resource = texts(resource.unwrap_or_default().attributes);
            let service = resource.get("service.name").cloned().unwrap_or_default();
            let spans = scope_spans.into_iter().flat_map(|scope| scope.spans);
            spans.map(move |span| Self::from_span(service.clone(), span))
        })
    }

    fn from_span(service: String, span: Span) -> Self {
        let kind = match span.kind() {
            SpanKind::Server => "server",
            SpanKind::Client => "client",
            SpanKind::Producer => "producer",
            SpanKind::Consumer => "consumer",
            SpanKind::Internal | SpanKind::Unspecified => "internal",
        };
        let links = span.links.iter().map(|link| (hex(&link.trace_id), hex(&link.span_id))).collect();
        let of_links = span.links.into_iter().flat_map(|link| link.attributes);
        Self {
            service,
            name: span.name,
            kind,
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            links,
            attributes: texts(of_links.chain(span.attributes)),
            failure: span.status.filter(|status| status.code() == StatusCode::Error).map(|status| status.message),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        // Strings are infallible.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

fn texts(attributes: impl IntoIterator<Item = KeyValue>) -> BTreeMap<String, String> {
    let text = |value: Option<Value>| match value {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(holds)) => holds.to_string(),
        other => format!("{other:?}"),
    };
    attributes.into_iter().map(|KeyValue { key, value, .. }| (key, text(value.and_then(|value| value.value)))).collect()
}
