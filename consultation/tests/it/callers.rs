//! Who started, finished and retried: each row names its caller, whatever the door.

use axum::http::Method;
use futures_util::future::join_all;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Answer, Backend, GraphqlClient, RoleUsers};
use uuid::Uuid;

use crate::running::{finish, running, start, start_for};

const CALLERS: &str =
    "query ($id: ID!) { consultation(id: $id) { startedBy finishedBy pendingPayment { retriedBy } } }";
const RETRY: &str = "mutation ($id: ID!) { retryPendingPayment(input: { consultationId: $id }) {
    pendingPayment { retriedBy } } }";

/// Who started, finished and retried.
async fn callers(client: &GraphqlClient, id: &str) -> [Value; 3] {
    let mut consultation = client.call(CALLERS, json!({ "id": id })).await["consultation"].take();
    let retried_by = consultation["pendingPayment"]["retriedBy"].take();
    [consultation["startedBy"].take(), consultation["finishedBy"].take(), retried_by]
}

async fn started(client: &GraphqlClient) -> String {
    start(client, Uuid::new_v4()).await["consultation"]["id"].as_str().expect("started").to_owned()
}

#[rstest]
#[tokio::test]
async fn a_consultation_names_who_started_finished_and_last_retried_it(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let users = RoleUsers::equal(&["ana", "bruno", "olga", "oto"]);
    let replica = start_for(&service.db, users.access());
    let [ana, bruno, olga, oto] = ["ana", "bruno", "olga", "oto"].map(|user| replica.client.as_user(user));
    let id = started(&ana).await;
    assert_eq!(callers(&ana, &id).await, [json!("ana"), Value::Null, Value::Null]);
    finish(&bruno, &id, None).await;
    assert_eq!(callers(&ana, &id).await, [json!("ana"), json!("bruno"), Value::Null]);
    finish(&ana, &id, None).await;
    for (operator, name) in [(olga, "olga"), (oto, "oto")] {
        operator.call(RETRY, json!({ "id": id })).await;
        assert_eq!(callers(&ana, &id).await, [json!("ana"), json!("bruno"), json!(name)]);
    }
}

#[rstest]
#[tokio::test]
async fn the_winner_of_a_race_has_finished_the_consultation(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let users = RoleUsers::equal(&["ana", "bruno"]);
    let replicas = [start_for(&service.db, users.access()), start_for(&service.db, users.access())];
    let [ana, bruno] = [replicas[0].client.as_user("ana"), replicas[1].client.as_user("bruno")];
    // Logged in, so that no hash decides the race.
    let rows = join_all([&ana, &bruno, &ana, &bruno, &ana, &bruno].map(started)).await;
    for id in rows {
        let (by_ana, by_bruno) = tokio::join!(finish(&ana, &id, None), finish(&bruno, &id, None));
        let winners = [(by_ana, "ana"), (by_bruno, "bruno")].into_iter();
        let winners: Vec<_> = winners.filter(|(answer, _)| !answer["consultation"].is_null()).collect();
        assert_eq!(winners.len(), 1);
        assert_eq!(callers(&ana, &id).await[1], winners[0].1);
    }
}

#[rstest]
#[tokio::test]
async fn the_endpoints_of_the_predecessor_name_their_caller(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let people = json!({ "physician_id": Uuid::new_v4(), "patient_id": Uuid::new_v4() });
    let start = service.client().request(Method::POST, "/app/consultation/start/").body(people.to_string());
    let id = Answer::of(start).await.body["id"].as_str().expect("an id").to_owned();
    let end = json!({ "consultation_id": id }).to_string();
    Answer::of(service.client().request(Method::PUT, "/app/consultation/finish/").body(end)).await;
    assert_eq!(callers(service.client(), &id).await, [json!("admin"), json!("admin"), Value::Null]);
}
