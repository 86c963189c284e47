//! The queries of a federation gateway.

use rstest::rstest;
use serde_json::{Value, json};
use testkit::Backend;
use uuid::Uuid;

use crate::running::{running, start_service};

const ENTITIES: &str = "query ($representations: [_Any!]!) { _entities(representations: $representations) {
    ... on Consultation { id payment { totalPrice consultation { id } } }
    ... on Payment { id totalPrice } } }";

#[rstest]
#[tokio::test]
async fn payments_of_consultations_are_read_in_one_statement(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(mut service) = running(backend).await else { return };
    let paid: Vec<_> = (0..5).map(|_| Uuid::new_v4()).collect();
    for id in &paid {
        service.record(*id, "216.00").await;
    }
    let statements = service.db.record_statements();
    let replica = start_service(&service.db);

    let unpaid = Uuid::new_v4();
    let of = |id: &Uuid| json!({ "__typename": "Consultation", "id": id });
    let representations: Vec<_> = paid.iter().chain([&unpaid]).map(of).collect();
    let found = replica.client.call(ENTITIES, json!({ "representations": representations })).await["_entities"].take();
    let mut wanted: Vec<_> = paid
        .iter()
        .map(|id| json!({ "id": id, "payment": { "totalPrice": "216.00", "consultation": { "id": id } } }))
        .collect();
    wanted.push(json!({ "id": unpaid, "payment": null }));
    assert_eq!(found, Value::Array(wanted));
    let statements = statements.lock().expect("no panic").clone();
    let reads = statements.iter().filter(|sql| sql.starts_with("SELECT \"payment\".\"id\"")).count();
    assert_eq!(reads, 1, "{statements:#?}");
}

#[rstest]
#[tokio::test]
async fn a_payment_is_found_by_its_id_and_an_unknown_or_malformed_one_costs_it_nothing(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let id = service.record(Uuid::new_v4(), "216.00").await["payment"]["id"].take();
    let ids = [id.clone(), json!(Uuid::new_v4()), json!("nonsense")];
    let representations: Vec<_> = ids.iter().map(|id| json!({ "__typename": "Payment", "id": id })).collect();
    let answer = service.client().send(ENTITIES, json!({ "representations": representations })).await;
    let found = &answer.body["data"]["_entities"];
    assert_eq!(found, &json!([{ "id": id, "totalPrice": "216.00" }, null, null]), "{}", answer.body);
    assert_eq!(answer.code(), "BAD_USER_INPUT");
}

#[rstest]
#[case::of_another_type(json!({ "__typename": "Nonsense", "id": "1" }))]
#[case::of_a_type_that_is_no_entity(json!({ "__typename": "Query" }))]
#[case::without_a_type(json!({ "id": "1" }))]
#[case::without_its_key(json!({ "__typename": "Payment" }))]
#[case::that_is_no_object(json!(7))]
#[tokio::test]
async fn an_object_that_is_no_entity_is_the_clients_mistake_whatever_is_beside_it(#[case] stranger: Value) {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let known = json!({ "__typename": "Consultation", "id": Uuid::new_v4() });
    let malformed = json!({ "__typename": "Payment", "id": "nonsense" });
    for beside in [vec![], vec![known.clone()], vec![malformed, known]] {
        let representations = [beside, vec![stranger.clone()]].concat();
        let answer = service.client().send(ENTITIES, json!({ "representations": representations })).await;
        let errors = answer.body["errors"].as_array().expect("errors");
        assert!(errors.iter().all(|error| error["extensions"]["code"] == "BAD_USER_INPUT"), "{}", answer.body);
        let messages: Vec<_> = errors.iter().filter_map(|error| error["message"].as_str()).collect();
        assert!(messages.iter().any(|message| message.contains("__typename")), "{messages:?}");
    }
}

#[tokio::test]
async fn the_subgraph_tells_the_committed_schema() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let sdl = service.client().call("{ _service { sdl } }", json!({})).await["_service"]["sdl"].take();
    let sdl = sdl.as_str().expect("a text");
    assert!(sdl.contains("type Consultation @key(fields: \"id\")"), "{sdl}");
}

#[tokio::test]
async fn as_many_entities_may_be_asked_for_by_default_as_by_name() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let all = "{ __typename: \"Consultation\", id: \"none\" } ".repeat(400);
    for (count, is_refused) in [(11, false), (12, true)] {
        let fields = format!("{{ ... on Consultation {{ {} }} }}", "id ".repeat(count));
        for query in [
            format!("query ($of: [_Any!]! = [{all}]) {{ _entities(representations: $of) {fields} }}"),
            format!("{{ _entities(representations: [{all}]) {fields} }}"),
        ] {
            let answer = service.client().send(&query, json!({})).await;
            assert_eq!(answer.code() == "OPERATION_TOO_LARGE", is_refused, "{}", answer.body);
        }
    }
}
