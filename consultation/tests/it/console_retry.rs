//! Retries from the console: whose, of what, and from which pages.

use axum::http::Method;
use consultation::outbox::store::now_plus;
use entity::pending_payment::{self, Column};
use rstest::rstest;
use sea_orm::{ConnectionTrait, EntityTrait};
use testkit::Backend;
use uuid::Uuid;

use crate::{
    console::{Page, parked},
    outbox::{LEASE, row, rows},
};

#[rstest]
#[tokio::test]
async fn a_retry_leads_back_to_its_payment_and_names_the_operator(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((db, service)) = parked(backend, 1, "refused").await else { return };
    let operator = service.client.as_user("operator");
    let retry = |id: Uuid| operator.request(Method::POST, &format!("/console/payments/{id}/retry"));
    let id = row(&db).await.appointment_id;
    let answer = Page::of(retry(id)).await;
    assert_eq!((answer.status, answer.header("location")), (303, format!("../{id}?retried=1").as_str()));
    let retried = row(&db).await;
    assert_eq!((retried.retried_by.as_deref(), retried.parked_at), (Some("operator"), None));
    let page = Page::get(&operator, &format!("/payments/{id}?retried=1")).await.text;
    assert!(page.contains("The payment is due now") && page.contains("Last retried by"), "{page}");

    let unknown = Uuid::new_v4();
    assert_eq!(Page::of(retry(unknown)).await.header("location"), format!("../{unknown}?retried=0"));
    for nonsense in ["-1", "101", "256", "<b>", "1&x"] {
        let page = Page::get(&operator, &format!("/payments/{id}?retried={nonsense}")).await;
        assert!(page.status == 200 && !page.text.contains("due now</p>"), "{nonsense}");
    }
}

#[rstest]
#[tokio::test]
async fn a_retry_of_a_payment_that_was_being_sent_promises_no_other_send(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((db, service)) = parked(backend, 1, "refused").await else { return };
    let lease = now_plus(db.database.write.get_database_backend(), LEASE);
    let leased = pending_payment::Entity::update_many()
        .col_expr(Column::Processing, true.into())
        .col_expr(Column::LeaseUntil, lease);
    leased.exec(&db.database.write).await.expect("leased");
    let operator = service.client.as_user("operator");
    let id = row(&db).await.appointment_id;
    let answer = Page::of(operator.request(Method::POST, &format!("/console/payments/{id}/retry"))).await;
    assert_eq!((answer.status, answer.header("location")), (303, format!("../{id}?retried=while-sent").as_str()));
    let page = Page::get(&operator, &format!("/payments/{id}?retried=while-sent")).await.text;
    assert!(page.contains("was being sent already") && !page.contains("is due now"), "{page}");
}

#[rstest]
#[tokio::test]
async fn at_most_a_hundred_parked_payments_are_retried_at_once(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((db, service)) = parked(backend, 103, "refused").await else { return };
    let operator = service.client.as_user("operator");
    let confirmation = Page::get(&operator, "/parked/retry").await.text;
    assert!(
        confirmation.contains("Parked payments: 103.") && confirmation.contains("Retry now: 100"),
        "{confirmation}"
    );
    assert_eq!(rows(&db).await.iter().filter(|row| row.retried_by.is_some()).count(), 0, "asking changes nothing");
    for (redriven, left) in [(100, 3), (3, 0), (0, 0)] {
        let answer = Page::of(operator.request(Method::POST, "/console/parked/retry")).await;
        assert_eq!(answer.header("location"), format!("../../console?retried={redriven}"));
        assert_eq!(rows(&db).await.iter().filter(|row| row.parked_at.is_some()).count(), left);
    }
    assert!(!Page::get(&operator, "/parked/retry").await.text.contains("<form"), "there is nothing to confirm");
}

#[rstest]
#[case::another_site("origin", "https://evil.example")]
#[case::a_sandboxed_frame("origin", "null")]
#[case::a_sibling_domain("sec-fetch-site", "same-site")]
#[tokio::test]
async fn a_form_of_another_page_retries_nothing(#[case] header: &str, #[case] value: &str) {
    let Some((db, service)) = parked(Backend::Sqlite, 1, "refused").await else { return };
    let operator = service.client.as_user("operator");
    let id = row(&db).await.appointment_id;
    for path in [format!("/console/payments/{id}/retry"), "/console/parked/retry".to_owned()] {
        let refused = Page::of(operator.request(Method::POST, &path).header(header, value)).await;
        assert_eq!(refused.status, 403, "{path}");
        assert!(refused.text.contains("Pages of other sites may not retry payments"), "{}", refused.text);
    }
    assert_eq!(row(&db).await.retried_by, None);
    let own = operator.request(Method::POST, "/console/parked/retry").header("origin", &operator.base);
    assert_eq!(Page::of(own).await.status, 303);
}
