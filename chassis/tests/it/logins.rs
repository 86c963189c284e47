//! Throttle of failed logins: its limits, and its cost for others.

mod log;

use std::time::Duration;

use axum::response::Response;
use chassis::config::Access;
use rstest::rstest;

use crate::guarded::{Guarded, guard};

/// Bursts of failures by address and name, by address, and by name.
const FOR_NAME_AND_ADDRESS: usize = 10;
const FOR_ADDRESS: usize = 30;
const FOR_NAME: usize = 500;

const HERE: &str = "192.0.2.1";
const ELSEWHERE: &str = "198.51.100.7";
const RIGHT: &str = "admin:s3cret";

fn access() -> Access {
    Access::User { username: "admin".to_owned(), password: "s3cret".into() }
}

fn one_user() -> Guarded {
    guard(&access())
}

async fn status(guarded: &Guarded, address: &str, credentials: &str) -> u16 {
    guarded.from(address, credentials).await.status().as_u16()
}

async fn fail(guarded: &Guarded, address: &str, name: &str, times: usize) {
    for time in 0..times {
        assert_eq!(status(guarded, address, &format!("{name}:{time}")).await, 401, "failure {time} of {name}");
    }
}

fn retry_after(refusal: &Response) -> u64 {
    refusal.headers()["retry-after"].to_str().expect("a text").parse().expect("seconds")
}

#[tokio::test(start_paused = true)]
async fn who_guesses_is_refused_until_time_has_passed_also_with_the_right_password() {
    let guarded = one_user();
    fail(&guarded, HERE, "admin", FOR_NAME_AND_ADDRESS).await;
    let refusal = guarded.from(HERE, RIGHT).await;
    assert_eq!(refusal.status(), 429);
    tokio::time::advance(Duration::from_secs(retry_after(&refusal))).await;
    assert_eq!(status(&guarded, HERE, "admin:wrong").await, 401);
    assert_eq!(status(&guarded, HERE, RIGHT).await, 429);
    tokio::time::advance(Duration::from_mins(1)).await;
    assert_eq!(status(&guarded, HERE, RIGHT).await, 200);
}

#[tokio::test(start_paused = true)]
async fn the_refusal_names_its_code_and_when_to_try_again() {
    let guarded = one_user();
    fail(&guarded, HERE, "admin", FOR_NAME_AND_ADDRESS).await;
    let refusal = guarded.from(HERE, "admin:wrong").await;
    assert_eq!(retry_after(&refusal), 5);
    let body = axum::body::to_bytes(refusal.into_body(), 1024).await.expect("a body");
    let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(body["errors"][0]["extensions"]["code"], "TOO_MANY_FAILED_LOGINS");
}

#[tokio::test(start_paused = true)]
async fn guesses_from_one_address_keep_no_other_out() {
    let guarded = one_user();
    fail(&guarded, HERE, "admin", FOR_NAME_AND_ADDRESS).await;
    assert_eq!(status(&guarded, HERE, RIGHT).await, 429);
    assert_eq!(status(&guarded, ELSEWHERE, RIGHT).await, 200);
}

#[tokio::test(start_paused = true)]
async fn names_cannot_be_tried_without_end_from_one_address() {
    let guarded = one_user();
    for name in 0..FOR_ADDRESS {
        fail(&guarded, HERE, &format!("user{name}"), 1).await;
    }
    assert_eq!(status(&guarded, HERE, "another:x").await, 429);
    assert_eq!(status(&guarded, HERE, RIGHT).await, 429);
    assert_eq!(status(&guarded, ELSEWHERE, RIGHT).await, 200);
}

#[tokio::test(start_paused = true)]
async fn a_name_cannot_be_guessed_without_end_from_many_addresses_and_who_was_in_stays_in() {
    let guarded = one_user();
    assert_eq!(status(&guarded, HERE, RIGHT).await, 200);
    for address in 0..FOR_NAME {
        fail(&guarded, &format!("203.0.{}.{}", address / 250, address % 250), "admin", 1).await;
    }
    assert_eq!(status(&guarded, ELSEWHERE, "admin:x").await, 429);
    assert_eq!(status(&guarded, ELSEWHERE, RIGHT).await, 429);
    assert_eq!(status(&guarded, HERE, RIGHT).await, 200, "known from this address");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(status(&guarded, ELSEWHERE, RIGHT).await, 200);
}

#[tokio::test(start_paused = true)]
async fn a_neighbour_who_tries_names_does_not_keep_out_who_was_in() {
    let guarded = one_user();
    assert_eq!(status(&guarded, HERE, RIGHT).await, 200);
    for name in 0..FOR_ADDRESS {
        fail(&guarded, HERE, &format!("user{name}"), 1).await;
    }
    assert_eq!(status(&guarded, HERE, RIGHT).await, 200);
    // But that does not speed up guessing the password.
    for _ in 0..FOR_NAME_AND_ADDRESS {
        assert_eq!(status(&guarded, HERE, "admin:x").await, 429);
    }
    assert_eq!(status(&guarded, HERE, RIGHT).await, 429);
}

#[tokio::test(start_paused = true)]
async fn invented_names_do_not_make_the_throttle_forget() {
    let guarded = one_user();
    assert_eq!(status(&guarded, HERE, RIGHT).await, 200);
    fail(&guarded, HERE, "admin", FOR_NAME_AND_ADDRESS).await;
    for name in 0..11_000 {
        guarded.from(HERE, &format!("user{name}:x")).await;
    }
    assert_eq!(status(&guarded, HERE, RIGHT).await, 429);
}

#[rstest]
#[case::of_a_network_of_ipv6("2001:db8::1", "2001:db8::2:0:0:1", 429)]
#[case::of_another_network("2001:db8::1", "2001:db8:0:1::1", 401)]
#[case::of_ipv4_in_ipv6("192.0.2.1", "::ffff:192.0.2.1", 429)]
#[tokio::test(start_paused = true)]
async fn addresses_of_one_client_count_as_one(#[case] one: &str, #[case] other: &str, #[case] expected: u16) {
    let guarded = one_user();
    fail(&guarded, one, "admin", FOR_NAME_AND_ADDRESS).await;
    assert_eq!(status(&guarded, other, "admin:x").await, expected);
}

#[tokio::test(start_paused = true)]
async fn right_passwords_are_never_counted() {
    let guarded = one_user();
    for _ in 0..2 * FOR_NAME {
        assert_eq!(status(&guarded, HERE, RIGHT).await, 200);
    }
}

#[tokio::test]
async fn guesses_through_sockets_are_counted_by_the_peers_address() {
    let guarded = one_user();
    for guess in 0..FOR_NAME_AND_ADDRESS {
        assert_eq!(guarded.status("admin", &guess.to_string()).await, 401);
    }
    assert_eq!(guarded.status("admin", "s3cret").await, 429);
    // Other addresses are not affected.
    assert_eq!(status(&guarded, HERE, RIGHT).await, 200);
}
