//! Cancelling consultations: final, free of charge, and of a race with a finish exactly one wins.

use axum::http::Method;
use futures_util::future::join_all;
use rstest::rstest;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use testkit::{Answer, Backend, GraphqlClient, RoleUsers};
use uuid::Uuid;

use crate::{
    rest::{self, request},
    running::{Running, finish, refusal, running, start_for, start_service},
};

const CANCEL: &str = "mutation ($id: ID!, $reason: String!) {
    cancelConsultation(input: { consultationId: $id, reason: $reason }) {
        consultation { id status startDate endDate price cancelReason cancelledBy finishedBy origin
            pendingPayment { status } }
        userErrors { __typename ... on UserError { code message field }
            ... on ConsultationAlreadyFinished { consultation { id price } }
            ... on ConsultationCancelled { consultation { id cancelReason } } } } }";
const FINISH_CANCELLED: &str = "mutation ($id: ID!) { finishConsultation(input: { consultationId: $id }) {
    consultation { id } userErrors { ... on UserError { code field }
        ... on ConsultationCancelled { consultation { id status cancelReason } } } } }";

pub(crate) async fn cancel(client: &GraphqlClient, id: &str, reason: &str) -> Value {
    client.call(CANCEL, json!({ "id": id, "reason": reason })).await["cancelConsultation"].take()
}

async fn cancelled(service: &Running) -> String {
    let (id, _) = service.started().await;
    assert_eq!(cancel(service.client(), &id, "a mistake").await["userErrors"], json!([]));
    id
}

#[rstest]
#[tokio::test]
async fn a_cancelled_consultation_has_an_end_and_a_reason_and_costs_nothing(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let (id, start) = service.started().await;
    let mut answer = cancel(service.client(), &id, "  wrong patient; começou por engano \u{3000}").await;
    assert_eq!(answer["userErrors"], json!([]));
    let end = answer["consultation"]["endDate"].take();
    assert!(end.as_str().is_some_and(|end| end > start.as_str()), "{end} after {start}");
    let expected = json!({ "id": id, "status": "CANCELLED", "startDate": start, "endDate": null, "price": null,
        "cancelReason": "wrong patient; começou por engano", "cancelledBy": "admin", "finishedBy": null,
        "origin": "STARTED", "pendingPayment": null });
    assert_eq!(answer["consultation"], expected);
    assert_eq!(service.pending_payments().await.len(), 0);

    let again = cancel(service.client(), &id, "another").await;
    assert_eq!(refusal(&again), "CONSULTATION_CANCELLED");
    let stored = json!({ "id": id, "cancelReason": "wrong patient; começou por engano" });
    assert_eq!(again["userErrors"][0]["consultation"], stored, "a client whose answer was lost can go on");
}

#[rstest]
#[tokio::test]
async fn a_finish_of_a_cancelled_consultation_is_refused_by_both_doors(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let id = cancelled(&service).await;
    let refused = service.client().call(FINISH_CANCELLED, json!({ "id": id })).await["finishConsultation"].take();
    assert_eq!(refusal(&refused), "CONSULTATION_CANCELLED");
    assert_eq!(refused["userErrors"][0]["field"], json!(["input", "consultationId"]));
    let stored = json!({ "id": id, "status": "CANCELLED", "cancelReason": "a mistake" });
    assert_eq!(refused["userErrors"][0]["consultation"], stored);

    let body = json!({ "consultation_id": id }).to_string();
    for (language, why) in [("en", "was cancelled before"), ("pt-BR", "foi cancelada antes")] {
        let finish = request(&service, Method::PUT, rest::FINISH).header("accept-language", language);
        let answer = Answer::of(finish.body(body.clone())).await;
        assert!(rest::refusal(&answer).contains(why), "{}", answer.body);
    }
    assert_eq!(service.pending_payments().await.len(), 0);
}

#[rstest]
#[tokio::test]
async fn what_cannot_be_cancelled_is_refused_with_what_is_stored(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let (finished, _) = service.started().await;
    service.finish(&finished, None).await;
    let refused = cancel(service.client(), &finished, "too late").await;
    assert_eq!(refusal(&refused), "CONSULTATION_ALREADY_FINISHED");
    assert_eq!(refused["userErrors"][0]["consultation"], json!({ "id": finished, "price": "200.00" }));
    for (id, code) in [(Uuid::new_v4().to_string(), "CONSULTATION_NOT_FOUND"), ("x".to_owned(), "INVALID_INPUT")] {
        let refused = cancel(service.client(), &id, "a mistake").await;
        assert_eq!(refusal(&refused), code);
        assert_eq!(refused["userErrors"][0]["field"], json!(["input", "consultationId"]));
    }
    assert_eq!(service.pending_payments().await.len(), 1);
}

#[rstest]
#[case::empty("", "reason is empty")]
#[case::blank(" \t\n", "reason is empty")]
#[case::long(&"é".repeat(501), "reason has 501 characters: shorten it to at most 500")]
#[tokio::test]
async fn a_reason_that_breaks_a_rule_is_refused_by_name(#[case] reason: &str, #[case] why: &str) {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let (id, _) = service.started().await;
    let refused = cancel(service.client(), &id, reason).await;
    assert_eq!(refusal(&refused), "INVALID_INPUT");
    assert_eq!(refused["userErrors"][0]["field"], json!(["input", "reason"]));
    let message = refused["userErrors"][0]["message"].as_str().expect("a message");
    assert!(message.contains(why), "{message}");
    assert_eq!(service.finish(&id, None).await["userErrors"], json!([]), "it is still in progress");
}

#[tokio::test]
async fn a_reason_is_stored_as_one_line_without_control_characters() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let (id, _) = service.started().await;
    let reason = " one\ntwo \u{1b}[31mred\u{0} ";
    assert_eq!(cancel(service.client(), &id, reason).await["consultation"]["cancelReason"], "one two  [31mred");
}

#[rstest]
#[tokio::test]
async fn the_longest_reason_is_stored_whole(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    let (id, _) = service.started().await;
    let reason = "🩺".repeat(500);
    assert_eq!(cancel(service.client(), &id, &reason).await["consultation"]["cancelReason"], reason);
}

#[rstest]
#[tokio::test]
async fn of_simultaneous_cancellations_and_finishes_on_two_replicas_one_wins(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let replica = start_service(&service.db);
    for _ in 0..10 {
        let (id, _) = service.started().await;
        let clients = (0..12).map(|number| if number % 2 == 0 { service.client() } else { &replica.client });
        let answers = join_all(clients.enumerate().map(async |(number, client)| match number % 3 {
            0 => finish(client, &id, None).await,
            _ => cancel(client, &id, "a mistake").await,
        }));
        let answers = answers.await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| !answer["consultation"].is_null());
        assert_eq!(won.len(), 1, "{answers:#?}");
        let is_cancelled = won[0]["consultation"]["status"] == "CANCELLED";
        let code = if is_cancelled { "CONSULTATION_CANCELLED" } else { "CONSULTATION_ALREADY_FINISHED" };
        assert!(lost.iter().all(|answer| refusal(answer) == code), "{answers:#?}");
        let payments = service.pending_payments().await;
        let is_charged = payments.iter().any(|payment| payment.appointment_id.to_string() == id);
        assert_eq!(is_charged, !is_cancelled);
    }
}

#[rstest]
#[tokio::test]
async fn a_locked_consultation_is_cancelled_once_it_is_unlocked_or_refused_for_now(
    #[values(Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let (id, _) = service.started().await;
    let operator = service.db.database.begin().await.expect("a transaction");
    let row = entity::consultation::Entity::find_by_id(id.parse::<Uuid>().expect("an id"));
    sea_orm::QuerySelect::lock_exclusive(row).one(&operator).await.expect("locked").expect("found");
    let (code, message) = service.client().error(CANCEL, json!({ "id": id, "reason": "a mistake" })).await;
    assert_eq!(code, "UNAVAILABLE", "{message}");
    operator.rollback().await.expect("unlocked");
    assert_eq!(cancel(service.client(), &id, "a mistake").await["userErrors"], json!([]));
}

#[rstest]
#[tokio::test]
async fn a_cancellation_names_its_caller(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    let users = RoleUsers::equal(&["ana", "bruno"]);
    let replica = start_for(&service.db, users.access());
    let (id, _) = service.started().await;
    let answer = cancel(&replica.client.as_user("bruno"), &id, "a mistake").await;
    assert_eq!(answer["consultation"]["cancelledBy"], "bruno");
}
