//! The client's address behind proxies.

use axum::http::{HeaderMap, HeaderValue};
use chassis::gate::client_address::TrustedProxies;
use rstest::rstest;

fn client(peer: &str, lines: &[&str]) -> String {
    let proxies: TrustedProxies = "10.0.0.0/8, 2001:db8::/32,192.0.2.1".parse().expect("networks");
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append("x-forwarded-for", HeaderValue::from_str(line).expect("a value"));
    }
    proxies.client(peer.parse().expect("an address"), &headers).to_string()
}

#[rstest]
#[case::no_proxy("198.51.100.1", &[], "198.51.100.1")]
#[case::told_by_a_stranger("198.51.100.1", &["203.0.113.9"], "198.51.100.1")]
#[case::told_by_the_proxy("10.0.0.1", &["203.0.113.9"], "203.0.113.9")]
#[case::told_by_an_ipv6_proxy("2001:db8::1", &["2001:db9::5"], "2001:db9::5")]
#[case::told_by_one_address("192.0.2.1", &["203.0.113.9"], "203.0.113.9")]
#[case::invented_before("10.0.0.1", &["198.51.100.7, 203.0.113.9"], "203.0.113.9")]
#[case::invented_in_a_line_before("10.0.0.1", &["198.51.100.7", "203.0.113.9"], "203.0.113.9")]
#[case::two_proxies("10.0.0.1", &["198.51.100.7, 203.0.113.9, 10.0.0.2"], "203.0.113.9")]
#[case::proxies_in_two_lines("10.0.0.1", &["203.0.113.9", "10.0.0.2"], "203.0.113.9")]
#[case::a_proxy_itself("10.0.0.1", &[], "10.0.0.1")]
#[case::none_but_proxies("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3")]
#[case::with_a_port("10.0.0.1", &["203.0.113.9:4711"], "203.0.113.9")]
#[case::with_a_port_of_ipv6("10.0.0.1", &["[2001:db9::5]:4711"], "2001:db9::5")]
#[case::ipv4_in_ipv6("10.0.0.1", &["::ffff:203.0.113.9"], "203.0.113.9")]
#[case::nonsense("10.0.0.1", &["203.0.113.9, unknown"], "10.0.0.1")]
#[case::nonsense_before_a_proxy("10.0.0.1", &["unknown, 10.0.0.2"], "10.0.0.2")]
#[case::nothing("10.0.0.1", &[""], "10.0.0.1")]
#[case::no_text("10.0.0.1", &["\u{e9}"], "10.0.0.1")]
fn the_client_is_the_rightmost_address_that_is_no_trusted_proxy(
    #[case] peer: &str,
    #[case] lines: &[&str],
    #[case] expected: &str,
) {
    assert_eq!(client(peer, lines), expected);
}

#[test]
fn networks_are_shown_as_they_are_given_and_may_be_none() {
    for (text, shown) in [("10.0.0.0/8,::1", "10.0.0.0/8,::1/128"), ("", ""), (" 10.0.0.1 ,", "10.0.0.1/32")] {
        assert_eq!(text.parse::<TrustedProxies>().expect("networks").to_string(), shown);
    }
}

#[test]
fn what_is_no_network_is_refused_by_name() {
    for text in ["proxy.example", "10.0.0.0/33", "10.0.0.0/8;::1"] {
        let refusal = text.parse::<TrustedProxies>().expect_err("refused");
        assert!(refusal.starts_with(&format!("{text:?} is no network")), "{refusal}");
    }
}
