//! Sampling by links, and what a span costs that is off.

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use uuid::Uuid;

use super::{Span, Traces, Tracing, sampler::ByLinks, trace_parent::parse};

const SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const NOT_SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

/// Traces whose root spans are sampled by `root`.
pub(super) fn sampled_by(root: Sampler) -> Traces {
    let other = Box::new(Sampler::ParentBased(Box::new(root)));
    let provider = SdkTracerProvider::builder().with_sampler(ByLinks { other }).build();
    let tracer = provider.tracer("test");
    Traces(Some(Tracing { provider, tracer }))
}

fn sending(origins: &[&str], goes_on: bool) -> Span {
    sampled_by(Sampler::AlwaysOff).sending("send", origins.iter().map(|origin| (*origin, Uuid::nil())), goes_on)
}

#[test]
fn a_batch_is_sampled_if_one_of_its_origins_is() {
    assert!(sending(&[NOT_SAMPLED, SAMPLED], false).is_sampled());
    for origins in [&[NOT_SAMPLED][..], &["nonsense"], &[]] {
        assert!(!sending(origins, false).is_sampled(), "{origins:?}");
    }
}

#[test]
fn a_lone_message_goes_on_with_the_trace_of_its_origin_and_a_batch_does_not() {
    let trace = |span: Span| span.trace_parent().expect("sampled")[3..35].to_owned();
    assert_eq!(trace(sending(&[SAMPLED], true)), SAMPLED[3..35]);
    assert_ne!(trace(sending(&[SAMPLED], false)), SAMPLED[3..35]);
}

#[test]
fn only_a_whole_parent_is_one() {
    assert!(parse(SAMPLED).is_some_and(|parent| parent.is_sampled() && parent.is_remote()));
    let zeroes = "00-00000000000000000000000000000000-b7ad6b7169203331-01";
    for text in ["", "00", "nonsense", zeroes, &SAMPLED[..50], &SAMPLED.to_uppercase()] {
        assert!(parse(text).is_none(), "{text}");
    }
    for text in ["00-1-1-1", "+0-+1-+2-+1", &format!("{SAMPLED}-"), &SAMPLED.replace("-0af", "-+af")] {
        assert!(parse(text).is_none(), "{text}");
    }
    let later = format!("{}-more", SAMPLED.replacen("00", "01", 1));
    assert!(parse(&later).is_some() && parse(&later.replace("-more", "more")).is_none());
}

#[test]
fn a_span_that_is_off_does_nothing() {
    let off = Traces::default().sending("send", [(SAMPLED, Uuid::nil())].into_iter(), true);
    assert!(!off.is_sampled() && off.trace_parent().is_none() && off.propagated().is_none());
    assert!(!off.creating("create").is_sampled() && !Span::writing("rows", &[off]).is_sampled());
}

#[test]
fn the_next_service_is_told_what_is_not_sampled() {
    let traces = sampled_by(Sampler::AlwaysOn);
    for span in [sending(&[NOT_SAMPLED], false), sending(&[], false), traces.unsampled()] {
        let told = span.propagated().and_then(|text| parse(&text)).expect("a parent");
        assert!(!told.is_sampled() && span.trace_parent().is_none());
        assert!(span.creating("create").propagated().is_none(), "nothing of it is stored");
    }
    let sampled = sending(&[SAMPLED], false);
    assert!(sampled.is_sampled() && sampled.propagated() == sampled.trace_parent());
}
