//! Host names by which clients may call.

use axum::http::Method;
use chassis::config::Server;
use rstest::rstest;

use super::{ask, bound_to, hello, request, text};

#[rstest]
#[case::localhost("localhost:8010", 200)]
#[case::in_capitals("LocalHost:8010", 200)]
#[case::an_address("127.0.0.1:8010", 200)]
#[case::an_address_of_ipv6("[::1]:8010", 200)]
#[case::another_name("evil.example", 421)]
#[case::with_the_port("evil.example:8010", 421)]
#[case::a_name_that_begins_alike("localhost.evil.example:8010", 421)]
#[case::another_address("192.0.2.1:8010", 421)]
#[case::every_address("0.0.0.0:8010", 421)]
#[case::no_name("a b", 421)]
#[case::nothing("", 421)]
#[tokio::test]
async fn on_loopback_a_service_is_called_by_names_of_loopback_only(#[case] host: &str, #[case] status: u16) {
    let answer = ask(|_| {}, hello(&[("host", host)])).await;
    assert_eq!(answer.status().as_u16(), status);
}

#[tokio::test]
async fn who_calls_by_another_name_learns_which_setting_allows_it() {
    let answer = ask(|_| {}, hello(&[("host", "evil.example")])).await;
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
    let body = String::from_utf8_lossy(&body);
    assert!(body.contains("evil.example") && body.contains("--demo-allowed-hosts"), "{body}");
}

#[rstest]
#[case("api.example", 200)]
#[case("API.example:8010", 200)]
#[case("localhost", 200)]
#[case("evil.example", 421)]
#[tokio::test]
async fn names_that_are_set_are_the_only_ones_besides(#[case] host: &str, #[case] status: u16) {
    for address in ["127.0.0.1:8010", "0.0.0.0:8010"] {
        let set = |server: &mut Server| {
            bound_to(address)(server);
            server.browsers.allowed_hosts = vec!["api.example".to_owned()];
        };
        assert_eq!(ask(set, hello(&[("host", host)])).await.status().as_u16(), status, "{address}");
    }
}

#[tokio::test]
async fn on_other_addresses_any_name_will_do_unless_names_are_set() {
    assert_eq!(ask(bound_to("0.0.0.0:8010"), hello(&[("host", "any.example")])).await.status(), 200);
}

#[tokio::test]
async fn supervisors_may_call_by_any_name() {
    for path in ["/livez", "/readyz"] {
        let answer = ask(|_| {}, request(Method::GET, path, &[("host", "10.0.0.7:8010")])).await;
        assert_eq!((answer.status().as_u16(), text(answer.headers(), "x-service")), (200, "demo"));
    }
}
