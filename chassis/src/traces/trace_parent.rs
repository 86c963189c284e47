//! A span in the form of W3C's header `traceparent`.

use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator},
    trace::{SpanContext, TraceContextExt},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;

/// The header that carries a trace to the next service.
pub(super) const TRACE_PARENT: &str = "traceparent";

/// The span as the parent of others.
pub(super) fn text(span: &SpanContext) -> String {
    format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), span.trace_flags().to_u8())
}

/// The span that a text names as parent.
pub(super) fn parse(text: &str) -> Option<SpanContext> {
    if !has_form(text) {
        return None;
    }
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &TraceParent(text));
    let context = context.span().span_context().clone();
    context.is_valid().then_some(context)
}

/// Whether the text has the form that W3C demands. The propagator takes short ids, signs, and what follows version 00.
fn has_form(text: &str) -> bool {
    const LENGTH: usize = 55;
    const DASHES: [usize; 3] = [2, 35, 52];
    let bytes = text.as_bytes();
    let Some(known) = bytes.get(..LENGTH) else { return false };
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let ends = bytes.get(LENGTH).is_none_or(|next| *next == b'-' && !text.starts_with("00"));
    ends && known.iter().enumerate().all(|(at, byte)| if DASHES.contains(&at) { *byte == b'-' } else { is_digit(byte) })
}

struct TraceParent<'a>(&'a str);

impl Extractor for TraceParent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == TRACE_PARENT).then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACE_PARENT]
    }
}
