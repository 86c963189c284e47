//! One span, which may not be sampled.

use std::{borrow::Cow, future::Future};

use graphql_http::TaskContext;
use opentelemetry::{
    Context, KeyValue, Value,
    trace::{
        Link, Span as _, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt, TraceFlags, TraceState, Tracer,
    },
};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SdkTracer};
use tracing::{
    Instrument,
    field::{Empty, display},
};

use super::trace_parent;

tokio::task_local! {
    static CURRENT: Span;
}

/// The attribute with the id of a message.
pub(super) const MESSAGE_ID: &str = "messaging.message.id";

/// A span, or nothing where traces are off. Without a sampled span its methods do nothing. Clones are the same span. It
/// ends with [`Span::end`], or with its last clone.
#[derive(Clone, Debug, Default)]
pub struct Span(Option<Traced>);

#[derive(Clone, Debug)]
struct Traced {
    tracer: SdkTracer,
    sampled: Option<Context>,
    /// Gives its ids to lines of the log, where no other span of the log does.
    log: tracing::Span,
}

impl Span {
    /// The span of the current request or call.
    #[must_use]
    pub fn current() -> Self {
        CURRENT.try_with(Self::clone).unwrap_or_default()
    }

    pub(super) fn start(tracer: &SdkTracer, builder: SpanBuilder, parent: &Context) -> Self {
        let span = tracer.build_with_context(builder, parent);
        let sampled = span.span_context().is_sampled().then(|| parent.with_span(span));
        Self(Some(Traced { sampled, ..Traced::unsampled(tracer) }))
    }

    pub(super) fn unsampled(tracer: &SdkTracer) -> Self {
        Self(Some(Traced::unsampled(tracer)))
    }

    /// Gives its ids to lines of the log within its scope.
    pub(super) fn logged(mut self) -> Self {
        if self.is_sampled() {
            let log = tracing::error_span!("trace", trace_id = Empty, span_id = Empty);
            self.record_in(&log);
            self.0.iter_mut().for_each(|traced| traced.log = log.clone());
        }
        self
    }

    fn sampled(&self) -> Option<&Context> {
        self.0.as_ref()?.sampled.as_ref()
    }

    /// A span for a batch of this writer, linked to the callers that are sampled. That of one caller is in its trace too.
    pub(crate) fn writing(writer: &'static str, callers: &[Self]) -> Self {
        let sampled = callers.iter().filter_map(|caller| Some((&caller.0.as_ref()?.tracer, caller.sampled()?)));
        let mut sampled = sampled.peekable();
        let Some((tracer, context)) = sampled.peek().copied() else { return Self::default() };
        let parent = if callers.len() == 1 { context.clone() } else { Context::new() };
        let links = sampled.map(|(_, caller)| Link::with_context(caller.span().span_context().clone()));
        Self::start(tracer, SpanBuilder::from_name(format!("write {writer}")).with_links(links.collect()), &parent)
    }

    /// A span for the making of a message that is sent later.
    #[must_use]
    pub fn creating(&self, name: &'static str) -> Self {
        let Some(Traced { tracer, sampled: Some(context), .. }) = &self.0 else { return Self::default() };
        Self::start(tracer, SpanBuilder::from_name(name).with_kind(SpanKind::Producer), context)
    }

    /// Whether it is sampled.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.sampled().is_some()
    }

    /// Sets an attribute.
    pub fn set(&self, name: &'static str, value: impl Into<Value>) {
        if let Some(context) = self.sampled() {
            context.span().set_attribute(KeyValue::new(name, value));
        }
    }

    /// Marks the span as failed, for `reason`.
    pub fn fail(&self, reason: impl Into<Cow<'static, str>>) {
        if let Some(context) = self.sampled() {
            context.span().set_status(Status::error(reason));
        }
    }

    /// Ends the span.
    pub fn end(&self) {
        if let Some(context) = self.sampled() {
            context.span().end();
        }
    }

    /// The span as the parent of others, in the form of W3C's header `traceparent`. None if it is not sampled.
    #[must_use]
    pub fn trace_parent(&self) -> Option<String> {
        Some(trace_parent::text(self.sampled()?.span().span_context()))
    }

    /// The header `traceparent` for the next service. It tells also of what is not sampled: the next service would decide
    /// anew, and sample a part of a trace.
    #[must_use]
    pub fn propagated(&self) -> Option<String> {
        self.0.as_ref()?;
        let unsampled = || {
            let (ids, flags) = (RandomIdGenerator::default(), TraceFlags::NOT_SAMPLED);
            SpanContext::new(ids.new_trace_id(), ids.new_span_id(), flags, false, TraceState::default())
        };
        self.trace_parent().or_else(|| Some(trace_parent::text(&unsampled())))
    }

    /// Adds the ids to a span of the log that has fields for them.
    pub(super) fn record_in(&self, log: &tracing::Span) {
        if let Some(context) = self.sampled() {
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
        let log = self.0.as_ref().map_or_else(tracing::Span::none, |traced| traced.log.clone());
        CURRENT.scope(self, future).instrument(log)
    }

    /// A trace of its own, named by OpenTelemetry's conventions: the span of the upgrade has ended.
    fn operation(self) -> Self {
        let Some(Traced { tracer, .. }) = &self.0 else { return self };
        let protocol = KeyValue::new("network.protocol.name", "websocket");
        let span = SpanBuilder::from_name("GraphQL Operation").with_kind(SpanKind::Server);
        Self::start(tracer, span.with_attributes([protocol]), &Context::new()).logged()
    }
}

impl Traced {
    fn unsampled(tracer: &SdkTracer) -> Self {
        Self { tracer: tracer.clone(), sampled: None, log: tracing::Span::none() }
    }
}
