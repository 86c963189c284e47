//! Faults: a client gets an id to ask about and never the text, which may tell secrets.

use std::{
    io,
    sync::{Arc, Mutex},
};

use rstest::rstest;
use testkit::Answer;

use super::api::{self, SECRET};

fn request_id(answer: &Answer) -> &str {
    answer.headers["x-request-id"].to_str().expect("a text")
}

#[rstest]
#[case::an_error("{ hello fault }")]
#[case::an_error_of_a_nullable_field("{ hello nullableFault }")]
#[case::a_panic("{ hello panics }")]
#[tokio::test]
async fn a_fault_is_masked_under_the_id_of_its_request(
    #[values("application/graphql-response+json", "application/json")] media_type: &str,
    #[case] document: &str,
) {
    let api = api::serve();
    let answer = api.ask_in(media_type, document).await;
    assert_eq!((answer.status, answer.code()), (200, "INTERNAL_SERVER_ERROR"), "{}", answer.body);
    assert_eq!(answer.body["errors"][0]["extensions"]["requestId"], request_id(&answer));
    for text in [answer.body.to_string(), format!("{:?}", answer.headers)] {
        assert!(!text.contains(SECRET) && !text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn a_fault_in_a_nullable_field_leaves_the_others() {
    let answer = api::serve().ask_in("application/json", "{ hello nullableFault }").await;
    assert_eq!(answer.body["data"], serde_json::json!({ "hello": "hello world", "nullableFault": null }));
    assert_eq!(answer.body["errors"][0]["path"], serde_json::json!(["nullableFault"]));
}

/// What is logged meanwhile, in lines.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_faults_of_a_request_are_one_line_of_the_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
    let _logged = tracing::subscriber::set_default(subscriber);
    let faults = (0..15).map(|n| format!("a{n}: nullableFault ")).collect::<Vec<_>>().concat();
    let answer = api::serve().ask_in("application/json", &format!("{{ hello {faults} }}")).await;
    assert_eq!(answer.body["errors"].as_array().map(Vec::len), Some(15), "{}", answer.body);
    let log = String::from_utf8(log.0.lock().expect("no panic").clone()).expect("a text");
    let lines: Vec<_> = log.lines().filter(|line| line.contains("ERROR")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    for part in [SECRET, "faults=15", "a0", request_id(&answer)] {
        assert!(lines[0].contains(part), "{part}: {log}");
    }
}

#[tokio::test]
async fn the_process_lives_on_after_a_panic() {
    let api = api::serve();
    for _ in 0..3 {
        assert_eq!(api.ask_in("*/*", "{ panics }").await.code(), "INTERNAL_SERVER_ERROR");
    }
    assert_eq!(api.ask_in("*/*", "{ hello }").await.body["data"]["hello"], "hello world");
}
