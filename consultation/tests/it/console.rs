//! The console's pages by HTTP: roles, methods, headers, and what they show.

use axum::http::Method;
use consultation::permissions::PERMISSIONS;
use reqwest::{RequestBuilder, header::HeaderMap};
use rstest::rstest;
use testkit::{Backend, GraphqlClient, RoleUsers, TestDatabase, TestService};

use crate::{
    outbox::{outbox, row},
    pending::{in_order, park},
    running::start_for,
};

/// A response of the console.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Page {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Self { status, headers, text: answer.text().await.expect("a text") }
    }

    /// A page for a user, below `/console`.
    pub(crate) async fn get(client: &GraphqlClient, path: &str) -> Self {
        Self::of(client.request(Method::GET, &format!("/console{path}"))).await
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// A service with users of each role, on an outbox with parked payments.
pub(crate) async fn parked(backend: Backend, payments: usize, error: &str) -> Option<(TestDatabase, TestService)> {
    let db = outbox(backend, payments).await?;
    park(&db, in_order(&db).await.iter().map(|row| row.id), error).await;
    let service = start_for(&db, RoleUsers::of(PERMISSIONS.roles).access());
    Some((db, service))
}

#[rstest]
#[tokio::test]
async fn each_role_sees_and_does_what_it_may(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some((db, service)) = parked(backend, 2, "refused").await else { return };
    let id = row(&db).await.appointment_id;
    let (readers, operators) = (&["reader", "finance", "operator"][..], &["operator"][..]);
    let requests = [
        (Method::GET, "/console".to_owned(), readers, 200),
        (Method::HEAD, "/console".to_owned(), readers, 200),
        (Method::GET, format!("/console/payments/{id}"), readers, 200),
        (Method::GET, "/console/parked/retry".to_owned(), operators, 200),
        (Method::POST, format!("/console/payments/{id}/retry"), operators, 303),
        (Method::POST, "/console/parked/retry".to_owned(), operators, 303),
    ];
    for user in ["reader", "clinician", "finance", "operator", "service", "nobody"] {
        for (method, path, permitted, status) in &requests {
            let page = Page::of(service.client.as_user(user).request(method.clone(), path)).await;
            let expected = if permitted.contains(&user) { *status } else { 403 };
            assert_eq!(page.status, expected, "{user} {method} {path}: {}", page.text);
        }
    }
    let refused = Page::get(&service.client.as_user("clinician"), "").await;
    assert!(refused.text.contains("pendingPayments needs the role reader, finance, operator; clinician has clinician"));
    assert!(
        !Page::get(&service.client.as_user("reader"), "").await.text.contains("<form"),
        "no button is shown in vain"
    );
    assert_eq!(Page::of(service.client.get("/console")).await.status, 401);
}

#[tokio::test]
async fn every_page_has_a_strict_policy_and_nothing_inline() {
    let Some((db, service)) = parked(Backend::Sqlite, 1, "refused").await else { return };
    let id = row(&db).await.appointment_id;
    let operator = service.client.as_user("operator");
    let detail = format!("/payments/{id}");
    for (path, status) in
        [("", 200), (detail.as_str(), 200), ("/parked/retry", 200), ("/payments/1", 404), ("/nothing", 404)]
    {
        let page = Page::get(&operator, path).await;
        assert_eq!(page.status, status, "{path}");
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(page.header("referrer-policy"), "same-origin", "without it a browser sends no origin with forms");
        assert_eq!((page.header("cache-control"), page.header("x-content-type-options")), ("no-store", "nosniff"));
        assert!(!page.text.contains("s3cret"), "{path}: the query of finance's URL may be a secret");
        for inline in ["<style", " style=", " onclick=", "<script>", "javascript:", "http-equiv"] {
            assert!(!page.text.contains(inline), "{path}: {inline}");
        }
    }
    let page = Page::get(&operator, "").await.text;
    for (start, kind) in [("href=\"console/console-", "text/css"), ("src=\"console/console-", "text/javascript")] {
        let (_, rest) = page.split_once(start).expect("an address");
        let name = rest.split('"').next().expect("its end");
        let asset = Page::get(&operator, &format!("/console-{name}")).await;
        assert_eq!((asset.status, asset.header("cache-control")), (200, "public, max-age=31536000, immutable"));
        assert!(asset.header("content-type").starts_with(kind) && !asset.text.is_empty());
    }
}

#[tokio::test]
async fn wrong_methods_and_addresses_are_pages_in_the_language_of_the_reader() {
    let Some((_db, service)) = parked(Backend::Sqlite, 1, "refused").await else { return };
    let operator = service.client.as_user("operator");
    let id = "ea959b03-5577-45c9-b9f7-a45d3e77ce82";
    for (method, path, status, text) in [
        (Method::POST, "/console".to_owned(), 405, "O console não tem esse tipo de requisição"),
        (Method::DELETE, format!("/console/payments/{id}"), 405, "O console não tem esse tipo de requisição"),
        (Method::GET, format!("/console/payments/{id}/retry"), 405, "O reenvio é feito pelo botão"),
        (Method::GET, format!("/console/payments/{id}"), 404, "Não há pagamento desta consulta"),
        (Method::POST, "/console/payments/nonsense/retry".to_owned(), 404, "Não há pagamento desta consulta"),
        (Method::GET, "/console/payments/%ff".to_owned(), 404, "Não há pagamento desta consulta"),
        (Method::POST, "/console/payments/%ff/retry".to_owned(), 404, "Não há pagamento desta consulta"),
        (Method::GET, "/console/a/b".to_owned(), 404, "O console não tem essa página"),
    ] {
        let request = operator.request(method.clone(), &path).header("accept-language", "pt-BR");
        let page = Page::of(request).await;
        assert_eq!(page.status, status, "{method} {path}");
        assert!(page.text.contains("<html lang=\"pt-BR\">") && page.text.contains(text), "{path}: {}", page.text);
        assert!(status != 405 || page.headers.contains_key("allow"), "{path}");
        let steps = "../".repeat(path.matches('/').count() - 1);
        assert!(page.text.contains(&format!("href=\"{steps}console\"")), "{path} leads back");
    }
    let refused = Page::get(&service.client.as_user("clinician"), "/payments/%ff").await;
    assert_eq!(refused.status, 403, "the role comes first");
    let slash = Page::get(&operator, "/").await;
    assert_eq!((slash.status, slash.header("location")), (307, "../console"));
}

#[rstest]
#[tokio::test]
async fn no_page_names_a_patient_or_an_operator_to_those_who_may_not_know(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((db, service)) = parked(backend, 1, "refused").await else { return };
    let id = row(&db).await.appointment_id;
    Page::of(service.client.as_user("operator").request(Method::POST, &format!("/console/payments/{id}/retry"))).await;
    let query = "query ($id: ID!) { consultation(id: $id) { patientId physicianId } }";
    let people = service.client.as_user("reader").call(query, serde_json::json!({ "id": id })).await;
    for (user, knows) in [("reader", false), ("finance", true), ("operator", true)] {
        let client = service.client.as_user(user);
        let detail = Page::get(&client, &format!("/payments/{id}")).await.text;
        assert_eq!(detail.contains("Last retried by"), knows, "{user}");
        for text in [detail, Page::get(&client, "").await.text] {
            for person in ["patientId", "physicianId"] {
                assert!(!text.contains(people["consultation"][person].as_str().expect("an id")), "{user}: {person}");
            }
        }
    }
}
