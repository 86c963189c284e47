//! One span, if it is sampled.

use std::{borrow::Cow, future::Future};

use graphql_http::TaskContext;
use opentelemetry::{
    Context, KeyValue, Value,
    propagation::{Extractor, TextMapPropagator},
    trace::{Link, Span as _, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt, Tracer},
};
use opentelemetry_sdk::{propagation::TraceContextPropagator, trace::SdkTracer};
use tracing::field::{Empty, display};

tokio::task_local! {
    static CURRENT: Span;
}

/// The attribute with the id of a message.
pub(super) const MESSAGE_ID: &str = "messaging.message.id";
/// The header that carries a trace to the next service.
pub(super) const TRACE_PARENT: &str = "traceparent";

/// A sampled span, or nothing: then it costs nothing, and its methods do nothing. Clones are the same span. It ends with
/// [`Span::end`], or with its last clone.
#[derive(Clone, Debug, Default)]
pub struct Span(Option<Sampled>);

#[derive(Clone, Debug)]
struct Sampled {
    tracer: SdkTracer,
    context: Context,
}

impl Span {
    /// The span of the current request or call.
    #[must_use]
    pub fn current() -> Self {
        CURRENT.try_with(Self::clone).unwrap_or_default()
    }

    pub(super) fn start(tracer: &SdkTracer, builder: SpanBuilder, parent: &Context) -> Self {
        let span = tracer.build_with_context(builder, parent);
        let is_sampled = span.span_context().is_sampled();
        Self(is_sampled.then(|| Sampled { tracer: tracer.clone(), context: parent.with_span(span) }))
    }

    /// A span for a batch of this writer, linked to the callers that are sampled. That of one caller is in its trace too.
    pub(crate) fn writing(writer: &'static str, callers: &[Self]) -> Self {
        let mut sampled = callers.iter().filter_map(|caller| caller.0.as_ref()).peekable();
        let Some(Sampled { tracer, context }) = sampled.peek().copied() else { return Self::default() };
        let parent = if callers.len() == 1 { context.clone() } else { Context::new() };
        let links = sampled.map(|caller| Link::with_context(caller.context.span().span_context().clone()));
        Self::start(tracer, SpanBuilder::from_name(format!("write {writer}")).with_links(links.collect()), &parent)
    }

    /// A span for the making of a message that is sent later.
    #[must_use]
    pub fn creating(&self, name: &'static str) -> Self {
        let Some(Sampled { tracer, context }) = &self.0 else { return Self::default() };
        Self::start(tracer, SpanBuilder::from_name(name).with_kind(SpanKind::Producer), context)
    }

    /// Whether there is a span.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.0.is_some()
    }

    /// Sets an attribute.
    pub fn set(&self, name: &'static str, value: impl Into<Value>) {
        if let Some(Sampled { context, .. }) = &self.0 {
            context.span().set_attribute(KeyValue::new(name, value));
        }
    }

    /// Marks the span as failed, for `reason`.
    pub fn fail(&self, reason: impl Into<Cow<'static, str>>) {
        if let Some(Sampled { context, .. }) = &self.0 {
            context.span().set_status(Status::error(reason));
        }
    }

    /// Ends the span.
    pub fn end(&self) {
        if let Some(Sampled { context, .. }) = &self.0 {
            context.span().end();
        }
    }

    /// The span as the parent of others, in the form of W3C's header `traceparent`.
    #[must_use]
    pub fn trace_parent(&self) -> Option<String> {
        let Sampled { context, .. } = self.0.as_ref()?;
        let context = context.span().span_context().clone();
        Some(format!("00-{}-{}-{:02x}", context.trace_id(), context.span_id(), context.trace_flags().to_u8()))
    }

    /// A span of the log that has the ids of this one.
    #[must_use]
    pub fn in_log(&self) -> tracing::Span {
        if !self.is_sampled() {
            return tracing::Span::none();
        }
        let span = tracing::info_span!("trace", trace_id = Empty, span_id = Empty);
        self.record_in(&span);
        span
    }

    /// Adds the ids to a span of the log that has fields for them.
    pub(super) fn record_in(&self, log: &tracing::Span) {
        if let Some(Sampled { context, .. }) = &self.0 {
            let span = context.span();
            let context = span.span_context();
            log.record("trace_id", display(context.trace_id())).record("span_id", display(context.span_id()));
        }
    }
}

impl TaskContext for Span {
    fn capture() -> Self {
        Self::current()
    }

    fn scope<F: Future + Send>(self, future: F) -> impl Future<Output = F::Output> + Send {
        CURRENT.scope(self, future)
    }
}

/// The span that a text names as parent, in the form of the header `traceparent`.
pub(super) fn trace_parent(text: &str) -> Option<SpanContext> {
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
