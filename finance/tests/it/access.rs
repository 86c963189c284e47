//! Access and readiness.

use rstest::rstest;
use testkit::{Answer, Backend, TestDatabase};

use crate::running::{running, start_service};

#[rstest]
#[tokio::test]
async fn strangers_see_nothing_but_the_health(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    for path in ["/graphql?query=%7B__typename%7D", "/graphiql", "/schema.graphql", "/nonsense"] {
        let known = Answer::of(service.client().get(path).basic_auth("admin", Some("teste123"))).await;
        assert_eq!(known.status, if path == "/nonsense" { 404 } else { 200 }, "{path}");
        assert_eq!(Answer::of(service.client().get(path)).await.status, 401, "{path}");
        let wrong = Answer::of(service.client().get(path).basic_auth("admin", Some("wrong"))).await;
        assert_eq!(wrong.status, 401, "{path}");
    }
    service.client().until_ready().await;
    for path in ["/livez", "/readyz"] {
        assert_eq!(Answer::of(service.client().get(path)).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn who_guesses_is_refused_at_every_door() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let client = service.client();
    let doors = |password: &'static str| {
        let requests = [
            client.get("/graphql?query=%7B__typename%7D"),
            client.post().header("content-type", "application/json").body(r#"{ "query": "{ __typename }" }"#),
            client.post().header("content-type", "application/json").header("accept", "text/event-stream").body("{}"),
            client.get("/graphiql"),
            client.get("/schema.graphql"),
            client.get("/openapi.json"),
            client.get("/app/finance/record/"),
        ];
        requests.map(|request| request.basic_auth("admin", Some(password)))
    };
    for (guess, request) in doors("wrong").into_iter().chain(doors("wrong too")).take(10).enumerate() {
        assert_eq!(Answer::of(request).await.status, 401, "guess {guess}");
    }
    for (door, request) in doors("teste123").into_iter().enumerate() {
        assert_eq!(Answer::of(request).await.status, 429, "door {door}");
    }
}

#[rstest]
#[tokio::test]
async fn a_service_without_its_table_lives_but_is_not_ready(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = TestDatabase::empty(backend).await else { return };
    let service = start_service(&db);
    assert_eq!(Answer::of(service.client.get("/livez")).await.status, 200);
    assert_eq!(Answer::of(service.client.get("/readyz")).await.status, 503);
    db.database.migrate::<migration::finance::Migrator>().await.expect("migrated");
    service.client.until_ready().await;
}
