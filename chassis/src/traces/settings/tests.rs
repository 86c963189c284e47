//! What a variable changes, and which values are refused.

use rstest::rstest;

use super::*;

const ENDPOINT: (&str, &str) = (OTEL_EXPORTER_OTLP_ENDPOINT, "http://collector:4318");

fn read(given: &[(&str, &str)]) -> anyhow::Result<Option<Settings>> {
    Settings::read(&|variable| {
        let found = given.iter().rev().find(|(name, _)| *name == variable);
        found.map(|(_, value)| (*value).to_owned())
    })
}

#[rstest]
#[case::no_url(OTEL_EXPORTER_OTLP_ENDPOINT, "s3cret")]
#[case::no_scheme(OTEL_EXPORTER_OTLP_ENDPOINT, "ana:s3cret@collector:4318")]
#[case::of_grpc(OTEL_EXPORTER_OTLP_ENDPOINT, "grpc://ana:s3cret@collector:4317")]
#[case::no_port(OTEL_EXPORTER_OTLP_ENDPOINT, "http://s3cret:43180000")]
#[case::a_space(OTEL_EXPORTER_OTLP_ENDPOINT, "http://ana:s3cret@collector:4318/a b")]
#[case::no_ascii(OTEL_EXPORTER_OTLP_ENDPOINT, "http://ana:s3cret\u{fffd}@collector:4318")]
#[case::credentials(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, "https://ana:s3cret@collector/v1/traces")]
fn an_endpoint_is_refused_without_its_value(#[case] variable: &str, #[case] value: &str) {
    let error = format!("{:#}", read(&[(variable, value)]).expect_err("refused"));
    assert!(error.starts_with(variable) && !error.contains("s3cret"), "{error}");
}

#[rstest]
#[case::no_name(OTEL_EXPORTER_OTLP_HEADERS, "Bearer s3cret")]
#[case::a_space_in_a_name(OTEL_EXPORTER_OTLP_HEADERS, "x-tenant=one,api key=s3cret")]
#[case::no_pair(OTEL_EXPORTER_OTLP_TRACES_HEADERS, "authorization=s3cret,,x-tenant=one")]
#[case::a_line_break(OTEL_EXPORTER_OTLP_TRACES_HEADERS, "authorization=s3cret\nx-tenant=one")]
fn headers_are_refused_without_their_values(#[case] variable: &str, #[case] value: &str) {
    let error = format!("{:#}", read(&[ENDPOINT, (variable, value)]).expect_err("refused"));
    assert!(error.starts_with(variable) && !error.contains("s3cret"), "{error}");
    let right = "authorization=Bearer%20TOKEN, x-tenant=a=b,";
    assert!(read(&[ENDPOINT, (variable, right)]).expect("valid").is_some());
}

#[rstest]
#[case(DISABLED, "1")]
#[case(EXPORTER, "zipkin")]
#[case(EXPORTER, "otlp,console")]
#[case(OTEL_EXPORTER_OTLP_PROTOCOL, "grpc")]
#[case(OTEL_EXPORTER_OTLP_TRACES_PROTOCOL, "http/json")]
#[case(OTEL_EXPORTER_OTLP_COMPRESSION, "zstd")]
#[case(OTEL_EXPORTER_OTLP_TRACES_COMPRESSION, "gzip ")]
#[case(OTEL_EXPORTER_OTLP_TIMEOUT, "10s")]
#[case(OTEL_EXPORTER_OTLP_TRACES_TIMEOUT, "0")]
#[case(OTEL_BSP_SCHEDULE_DELAY, "0")]
#[case(OTEL_BSP_SCHEDULE_DELAY, "-1")]
#[case(OTEL_BSP_MAX_QUEUE_SIZE, "0")]
#[case(OTEL_BSP_MAX_QUEUE_SIZE, "18446744073709551615")]
#[case(OTEL_BSP_MAX_EXPORT_BATCH_SIZE, "0")]
#[case(SAMPLER, "jaeger_remote")]
#[case(SAMPLER_ARGUMENT, "5 %")]
#[case(SAMPLER_ARGUMENT, "NaN")]
fn a_wrong_value_is_refused_by_name(#[case] variable: &str, #[case] value: &str) {
    let error = format!("{:#}", read(&[ENDPOINT, (variable, value)]).expect_err("refused"));
    assert!(error.starts_with(&format!("{variable}={value}: want ")), "{error}");
}

#[rstest]
#[case::no_endpoint(&[(DISABLED, "nonsense"), (OTEL_EXPORTER_OTLP_ENDPOINT, "")])]
#[case::disabled(&[ENDPOINT, (DISABLED, "True")])]
#[case::without_exporter(&[ENDPOINT, (EXPORTER, "none")])]
#[case::nothing_is_sampled(&[ENDPOINT, (SAMPLER, "always_off")])]
fn nothing_is_traced_without_an_endpoint_or_once_it_is_turned_off(#[case] given: &[(&str, &str)]) {
    assert!(read(given).expect("valid").is_none());
}

#[test]
fn variables_of_traces_precede_those_of_all_signals() {
    let settings = read(&[
        ENDPOINT,
        (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, "http://traces:4318/v1/traces"),
        (OTEL_EXPORTER_OTLP_PROTOCOL, "grpc"),
        (OTEL_EXPORTER_OTLP_TRACES_PROTOCOL, "http/protobuf"),
        (OTEL_EXPORTER_OTLP_TIMEOUT, "20"),
        (OTEL_EXPORTER_OTLP_TRACES_TIMEOUT, "10"),
        (OTEL_EXPORTER_OTLP_COMPRESSION, "GZIP"),
        (DISABLED, ""),
    ]);
    let settings = settings.expect("valid").expect("on");
    assert_eq!((settings.endpoint, settings.timeout.as_millis()), (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, 10));
}
