//! Settling from the console: who may, what it asks, and what becomes of a form without a reason.

use axum::http::{Method, header};
use consultation::{
    outbox::store::{self, Lost},
    permissions::PERMISSIONS,
};
use rstest::rstest;
use testkit::{Backend, RoleUsers};

use crate::{
    console::Page,
    outbox::{outbox, row},
    pending::{in_order, park},
    running::start_calling,
    settle::finance,
};

#[rstest]
#[tokio::test]
async fn an_operator_settles_by_a_form_that_shows_both_amounts_and_wants_a_reason(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    park(&db, in_order(&db).await.iter().map(|row| row.id), "refused").await;
    let service = start_calling(&db, RoleUsers::of(PERMISSIONS.roles).access(), &finance(Some("1.00")).await);
    let id = row(&db).await.appointment_id;
    let path = format!("/console/payments/{id}/settle");
    let as_user = |user, method| service.client.as_user(user).request(method, &path);
    for user in ["reader", "clinician", "finance", "service", "nobody"] {
        for method in [Method::GET, Method::POST] {
            assert_eq!(Page::of(as_user(user, method)).await.status, 403, "{user}");
        }
    }
    let operator = service.client.as_user("operator");
    let link = format!("href=\"{id}/settle\"");
    assert!(Page::get(&operator, &format!("/payments/{id}")).await.text.contains(&link));
    let asked = Page::of(as_user("operator", Method::GET)).await;
    assert_eq!(asked.status, 200, "{}", asked.text);
    assert!(asked.text.contains("999999999.99") && asked.text.contains("Let 1.00 stand"), "{}", asked.text);

    let form = |body: &str| {
        let request =
            as_user("operator", Method::POST).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        Page::of(request.body(body.to_owned()))
    };
    let (empty, long) = (" is empty: say in a few words why", " has 501 characters: shorten it to at most 500");
    let (too_long, too_large) = (format!("reason={}", "a".repeat(501)), "a".repeat(20_000));
    for (body, why) in [("", empty), ("reason=", empty), ("reason=+%00", empty), (&too_long, long), (&too_large, empty)]
    {
        let page = form(body).await;
        assert_eq!(page.status, 422, "{}", page.text);
        assert!(page.text.contains(why), "{}", page.text);
    }
    let settled = form("reason=agreed+%C3%A7+%3Cb%3E").await;
    assert_eq!((settled.status, settled.header("location")), (303, format!("../{id}").as_str()));
    let stored = row(&db).await;
    assert_eq!(
        (stored.settle_reason.as_deref(), stored.settled_by.as_deref()),
        (Some("agreed ç <b>"), Some("operator"))
    );
    let page = Page::get(&operator, &format!("/payments/{id}")).await.text;
    assert!(page.contains("Settled:") && page.contains("agreed ç &lt;b&gt;") && page.contains("operator"), "{page}");
    assert!(!page.contains(&link) && !page.contains("Next try"), "there is nothing left to settle or to send");
    assert_eq!(form("reason=again").await.status, 409);
    let lost = Lost { consultation: id, price: stored.total_price_cents, redeliveries: Some(0) };
    store::redeliver(&db.database, &[lost], "operator").await.expect("on its way again");
    let page = Page::get(&operator, &format!("/payments/{id}")).await.text;
    assert!(page.contains("Settled:") && page.contains("Next try"), "{page}");
}
