//! Failed logins in the log, and the client's address behind proxies.

use axum::http::HeaderName;
use chassis::gate::logins::Authenticator;
use testkit::Log;

use super::{ELSEWHERE, FOR_NAME_AND_ADDRESS, HERE, RIGHT, access, fail, one_user, status};
use crate::guarded::{Guarded, guard_with};

fn guard_behind(proxies: &str) -> Guarded {
    let authenticator = Authenticator::new("demo", &access(), &[]).expect("users");
    guard_with(authenticator.behind(proxies.parse().expect("networks")))
}

#[tokio::test(start_paused = true)]
async fn each_failure_is_one_line_that_names_user_and_address_and_no_password() {
    let log = Log::capture();
    let guarded = one_user();
    fail(&guarded, HERE, "mallory\n\u{1b}[31m WARN forged", 3).await;
    assert_eq!(guarded.from(HERE, RIGHT).await.status(), 200);
    let text = log.text();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines.iter().all(|line| line.contains("a login failed") && line.contains(r#""mallory\n"#)), "{text}");
    assert!(lines.iter().all(|line| line.contains("address=192.0.2.1")), "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains("s3cret"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn refusals_without_a_check_leave_the_log_alone() {
    let guarded = one_user();
    fail(&guarded, HERE, "admin", FOR_NAME_AND_ADDRESS).await;
    let log = Log::capture();
    for _ in 0..100 {
        assert_eq!(status(&guarded, HERE, "admin:x").await, 429);
    }
    assert_eq!(log.text(), "");
}

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

#[tokio::test(start_paused = true)]
async fn clients_of_a_trusted_proxy_are_told_apart() {
    let guarded = guard_behind("10.0.0.0/8");
    let through_proxy = async |client: &str, credentials: &str| {
        guarded.through_proxies("10.0.0.1", credentials, &[(FORWARDED_FOR, client)]).await.status().as_u16()
    };
    for guess in 0..FOR_NAME_AND_ADDRESS {
        // The client's own entries come first.
        let forwarded = format!("198.51.100.{guess}, {HERE}");
        assert_eq!(through_proxy(&forwarded, &format!("admin:{guess}")).await, 401);
    }
    assert_eq!(through_proxy(HERE, RIGHT).await, 429);
    assert_eq!(through_proxy(ELSEWHERE, RIGHT).await, 200);
}

#[tokio::test(start_paused = true)]
async fn what_others_tell_of_their_address_counts_for_nothing_and_is_logged_once() {
    let log = Log::capture();
    let guarded = guard_behind("10.0.0.0/8");
    for guess in 0..FOR_NAME_AND_ADDRESS {
        let headers = [(FORWARDED_FOR, format!("198.51.100.{guess}"))];
        let headers = headers.each_ref().map(|(name, value)| (name.clone(), value.as_str()));
        assert_eq!(guarded.through_proxies(HERE, &format!("admin:{guess}"), &headers).await.status(), 401);
    }
    assert_eq!(status(&guarded, HERE, RIGHT).await, 429);
    assert_eq!(log.text().matches("X-Forwarded-For is ignored").count(), 1, "{}", log.text());
    assert!(log.text().contains("--demo-trusted-proxies"), "{}", log.text());
}
