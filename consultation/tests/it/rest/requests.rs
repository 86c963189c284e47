//! HTTP requests to the predecessor's endpoints: bodies, origins and credentials.

use axum::http::Method;
use rstest::rstest;
use serde_json::json;
use testkit::{Answer, Backend};

use super::{START, people, request};
use crate::running::running;

#[rstest]
#[case::a_script("application/x-www-form-urlencoded", &[], 201)]
#[case::a_script_without_content_type("", &[], 201)]
#[case::a_page_that_asked_first("application/json", &["origin"], 201)]
#[case::a_form("application/x-www-form-urlencoded", &["origin"], 415)]
#[case::a_form_with_text("text/plain; charset=utf-8", &["origin"], 415)]
#[tokio::test]
async fn any_content_type_is_json_unless_a_browser_sends_it_to_anyone(
    #[case] content_type: &str,
    #[case] headers: &[&str],
    #[case] status: u16,
) {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let mut request = request(&service, Method::POST, START).body(people().to_string());
    if !content_type.is_empty() {
        request = request.header("content-type", content_type);
    }
    for header in headers {
        request = request.header(*header, &service.client().base);
    }
    assert_eq!(Answer::of(request).await.status, status);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused_by_its_one_cause() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let start = || request(&service, Method::POST, START);
    let gzip = Answer::of(start().header("content-encoding", "gzip").body("x")).await;
    assert_eq!(gzip.status, 415);
    assert!(gzip.body.as_str().is_some_and(|why| why.contains("content-encoding: gzip")), "{}", gzip.body);
    let large = Answer::of(start().body(" ".repeat(16 * 1024 + 1))).await;
    assert_eq!((large.status, large.body), (413, json!("The body is over 16 kB")));
    let marked = Answer::of(start().body(format!("\u{feff}{}", people()))).await;
    assert_eq!(marked.status, 201, "{}", marked.body);
}

#[tokio::test]
async fn a_page_of_another_site_cannot_start_anything() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let request = request(&service, Method::POST, START).body(people().to_string());
    let answer =
        Answer::of(request.header("content-type", "application/json").header("origin", "https://evil.example"));
    assert_eq!(answer.await.status, 403);
}

#[tokio::test]
async fn without_credentials_nothing_is_done() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let get = |credentials: Option<&str>| {
        let request = service.client().get("/openapi.json");
        credentials.iter().fold(request, |request, password| request.basic_auth("admin", Some(password)))
    };
    for request in [get(None), get(Some("wrong"))] {
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, 401);
        assert!(answer.headers.contains_key("www-authenticate"));
    }
}
