//! Pages of other sites: a browser sends its stored credentials with their requests too.

use axum::{
    body::Body,
    http::{Method, Request},
};
use rstest::rstest;
use tower::ServiceExt;

use super::api;

/// The status, and the number of times that the mutation ran.
async fn post(address: &str, headers: &[(&str, &str)]) -> (u16, usize) {
    let mut request = Request::post(address).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (router, touched) = api::routes();
    let request = request.body(Body::from(r#"{"query": "mutation { touch }"}"#)).expect("a request");
    let status = router.oneshot(request).await.expect("an answer").status().as_u16();
    (status, touched.load(std::sync::atomic::Ordering::SeqCst))
}

#[rstest]
#[case::a_script(&[])]
#[case::a_page_of_the_service(&[("sec-fetch-site", "same-origin"), ("origin", "http://api.test:8010")])]
#[case::an_address_that_was_typed(&[("sec-fetch-site", "none")])]
#[case::a_browser_that_gives_no_site(&[("origin", "http://api.test:8010")])]
#[case::behind_a_proxy_that_speaks_https(&[("origin", "https://api.test:8010")])]
#[case::in_capitals(&[("origin", "http://API.test:8010")])]
#[tokio::test]
async fn others_may_ask(#[case] headers: &[(&str, &str)]) {
    assert_eq!(post("/graphql", &[&[("host", "api.test:8010")], headers].concat()).await, (200, 1));
}

#[rstest]
#[case::another_site(&[("sec-fetch-site", "cross-site")])]
#[case::another_service_of_the_domain(&[("sec-fetch-site", "same-site"), ("origin", "http://api.test:8010")])]
#[case::a_site_that_says_it_twice(&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")])]
#[case::a_word_of_the_future(&[("sec-fetch-site", "near-by")])]
#[case::another_host(&[("origin", "http://evil.test:8010")])]
#[case::another_port(&[("origin", "http://api.test:8020")])]
#[case::no_port(&[("origin", "http://api.test")])]
#[case::a_longer_name(&[("origin", "http://api.test.evil.test:8010")])]
#[case::a_file_or_a_sandbox(&[("origin", "null")])]
#[case::an_extension(&[("origin", "chrome-extension://api.test:8010")])]
#[case::two_origins(&[("origin", "http://api.test:8010"), ("origin", "http://evil.test")])]
#[case::nonsense(&[("origin", "api.test:8010")])]
#[tokio::test]
async fn a_page_of_another_site_is_refused(#[case] headers: &[(&str, &str)]) {
    assert_eq!(post("/graphql", &[&[("host", "api.test:8010")], headers].concat()).await, (403, 0));
}

#[rstest]
#[case::https("api.test", "https://api.test", 200)]
#[case::https_with_its_port("api.test:443", "https://api.test", 200)]
#[case::http_with_its_port("api.test", "http://api.test:80", 200)]
#[case::http_for_https("api.test:443", "http://api.test", 403)]
#[case::an_ipv6_address("[::1]:8010", "http://[::1]:8010", 200)]
#[case::no_host("", "http://api.test", 403)]
#[tokio::test]
async fn the_port_that_browsers_leave_out_is_that_of_the_scheme(
    #[case] host: &str,
    #[case] origin: &str,
    #[case] status: u16,
) {
    assert_eq!(post("/graphql", &[("host", host), ("origin", origin)]).await.0, status);
}

#[tokio::test]
async fn http_2_has_the_host_in_the_address() {
    let address = "http://api.test:8010/graphql";
    assert_eq!(post(address, &[("origin", "http://api.test:8010")]).await, (200, 1));
    assert_eq!(post(address, &[("origin", "http://evil.test")]).await, (403, 0));
}

#[rstest]
#[tokio::test]
async fn a_refusal_says_why(#[values(Method::GET, Method::POST)] method: Method) {
    let api = api::serve();
    let request = api.client.request(method, "/graphql?query={hello}");
    let answer = testkit::Answer::of(request.header("sec-fetch-site", "cross-site")).await;
    assert_eq!((answer.status, answer.code()), (403, "FORBIDDEN"), "{}", answer.body);
    assert!(answer.body["errors"][0]["message"].as_str().is_some_and(|text| text.contains("other sites")));
}
