//! Lines of the console, which stand for the same fields of the API.

use reqwest::Method;
use rstest::rstest;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use testkit::{Answer, Backend};
use tokio::{io::AsyncWriteExt, net::TcpStream};
use uuid::Uuid;

use super::{FINISH, START, audited::Audited, login, operation};

#[rstest]
#[tokio::test]
async fn a_retry_whose_browser_has_gone_is_a_line(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = Audited::start(backend).await else { return };
    let clinician = service.consultation.as_user("clinician");
    let started = clinician.call(START, json!({ "patient": Uuid::new_v4() })).await;
    let id = started["startConsultation"]["consultation"]["id"].as_str().expect("an id").to_owned();
    clinician.call(FINISH, json!({ "id": id })).await;
    service.take();
    // A remembered password is checked at once: nothing but the retry itself is interrupted.
    let path = format!("/console/payments/{id}");
    assert_eq!(Answer::of(service.consultation.as_user("operator").request(Method::GET, &path)).await.status, 200);
    service.take();
    let lock = service.db.database.begin().await.expect("a transaction");
    lock.execute_unprepared("UPDATE pending_payment SET last_error = last_error").await.expect("locked");

    retry_and_hang_up(&service.consultation.base, &path).await;
    service.until_disconnected().await;
    lock.rollback().await.expect("unlocked");
    service.until("retryPendingPayment").await;
    let retried = operation("consultation", "operator", "mutation", "retryPendingPayment", &[&id]);
    assert_eq!(service.take(), [retried]);
}

/// The server has the whole request when it sees the end.
async fn retry_and_hang_up(base: &str, path: &str) {
    let address = base.trim_start_matches("http://");
    let request = format!(
        "POST {path}/retry HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic b3BlcmF0b3I6dGVzdGUxMjM=\r\n\
         Content-Length: 0\r\n\r\n"
    );
    let mut browser = TcpStream::connect(address).await.expect("connected");
    browser.write_all(request.as_bytes()).await.expect("sent");
}

#[rstest]
#[tokio::test]
async fn what_the_console_shows_retries_and_refuses_are_lines(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = Audited::start(backend).await else { return };
    let clinician = service.consultation.as_user("clinician");
    let started = clinician.call(START, json!({ "patient": Uuid::new_v4() })).await;
    let id = started["startConsultation"]["consultation"]["id"].as_str().expect("an id").to_owned();
    let visit = async |user: &str, method: Method, path: &str| {
        let request = service.consultation.as_user(user).request(method, &format!("/console{path}"));
        Answer::of(request).await.status
    };
    service.take();
    assert_eq!(visit("reader", Method::GET, "").await, 200);
    assert_eq!(service.take(), [login("consultation", "reader")], "no payment was shown");
    clinician.call(FINISH, json!({ "id": id })).await;

    let detail = format!("/payments/{id}");
    assert_eq!(visit("reader", Method::GET, &detail).await, 200);
    assert_eq!(service.take(), [operation("consultation", "reader", "query", "pendingPayments", &[&id])]);
    assert_eq!(visit("operator", Method::POST, &format!("{detail}/retry")).await, 303);
    let retried = operation("consultation", "operator", "mutation", "retryPendingPayment", &[&id]);
    assert_eq!(service.take(), [login("consultation", "operator"), retried]);
    assert_eq!(visit("operator", Method::GET, &detail).await, 200);
    let mut named = operation("consultation", "operator", "query", "pendingPayments", &[&id]);
    named["sensitive"] = json!(["retriedBy"]);
    assert_eq!(service.take(), [named], "it says who retried");

    assert_eq!(visit("clinician", Method::GET, "").await, 403);
    let refused: Value = json!({ "service": "consultation", "event": "operation", "outcome": "refused",
        "user": "clinician", "roles": ["clinician"], "refused": "pendingPayments",
        "needs": ["reader", "finance", "operator"] });
    assert_eq!(service.take(), [refused]);
}

#[rstest]
#[tokio::test]
async fn a_line_of_a_settlement_names_what_the_console_showed_of_it(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = Audited::start(backend).await else { return };
    let clinician = service.consultation.as_user("clinician");
    let started = clinician.call(START, json!({ "patient": Uuid::new_v4() })).await;
    let id = started["startConsultation"]["consultation"]["id"].as_str().expect("an id").to_owned();
    clinician.call(FINISH, json!({ "id": id })).await;
    for change in [
        "rejections = 1, parked_at = created_at",
        "finished = true, finished_at = created_at, processing = false, lease_until = NULL, last_error = NULL,
         settled_price_cents = 1, settle_reason = 'agreed', settled_by = 'operator', settled_at = created_at",
    ] {
        let change = format!("UPDATE pending_payment SET {change}");
        service.db.database.write.execute_unprepared(&change).await.expect("settled");
    }
    service.take();
    for (user, shown) in [
        ("reader", json!(["settleReason"])),
        ("finance", json!(["settledBy"])),
        ("operator", json!(["settledBy", "settleReason"])),
    ] {
        let page = service.consultation.as_user(user).request(Method::GET, &format!("/console/payments/{id}"));
        assert_eq!(Answer::of(page).await.status, 200);
        let mut read = operation("consultation", user, "query", "pendingPayments", &[&id]);
        read["sensitive"] = shown;
        assert_eq!(service.take(), [login("consultation", user), read]);
    }
}
