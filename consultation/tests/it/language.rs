//! The language of messages, over REST and GraphQL.

use axum::http::Method;
use rstest::rstest;
use serde_json::json;
use testkit::{Answer, Backend, Events};
use uuid::Uuid;

use crate::{
    rest::{FINISH, refusal, request},
    running::running,
};

#[rstest]
#[case("pt-BR", "Não existe consulta com este id")]
#[case("pt", "Não existe consulta com este id")]
#[case("de, pt-PT;q=0.9, en;q=0.8", "Não existe consulta com este id")]
#[case("en-GB, pt;q=0.5", "There is no consultation with this id")]
#[case("de", "There is no consultation with this id")]
#[case("*", "There is no consultation with this id")]
#[case("nonsense;;q=x", "There is no consultation with this id")]
#[tokio::test]
async fn messages_are_in_the_clients_language_and_codes_stay(#[case] accepted: &str, #[case] message: &str) {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let body = json!({ "consultation_id": Uuid::new_v4() });
    let refused = request(&service, Method::PUT, FINISH).header("accept-language", accepted).body(body.to_string());
    assert_eq!(refusal(&Answer::of(refused).await), message);

    let query = "mutation ($id: ID!) { finishConsultation(input: { consultationId: $id }) {
        userErrors { ... on UserError { code message } } } }";
    let body = json!({ "query": query, "variables": { "id": Uuid::new_v4() } });
    let request = service.client().post().basic_auth("admin", Some("teste123"));
    let request = request.header("content-type", "application/json").header("accept-language", accepted);
    let request = request.body(body.to_string());
    let events = request.try_clone().expect("a text");
    let answer = Answer::of(request).await;
    let expected = json!([{ "code": "CONSULTATION_NOT_FOUND", "message": message }]);
    assert_eq!(answer.body["data"]["finishConsultation"]["userErrors"], expected);
    let event = Events::of(events).await.next().await.expect("an event");
    assert_eq!(event["data"]["finishConsultation"]["userErrors"], expected);
}
