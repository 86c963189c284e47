//! Sampling: a span that goes on with sampled work of other traces is sampled.

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceContextExt, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

/// A root span with a sampled link is sampled; `other` decides for every other span. Samplers see the links with which a
/// span starts, and no later ones.
#[derive(Clone, Debug)]
pub(super) struct ByLinks {
    pub(super) other: Box<dyn ShouldSample>,
}

impl ShouldSample for ByLinks {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let has_parent = parent.is_some_and(|parent| parent.span().span_context().is_valid());
        if !has_parent && links.iter().any(|link| link.span_context.is_sampled()) {
            let (decision, attributes) = (SamplingDecision::RecordAndSample, Vec::new());
            return SamplingResult { decision, attributes, trace_state: TraceState::default() };
        }
        self.other.should_sample(parent, trace_id, name, kind, attributes, links)
    }
}
