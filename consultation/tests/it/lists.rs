//! The cost of lists: no statement per row, and no count unless it is selected.

use rstest::rstest;
use serde_json::{Value, json};
use testkit::Backend;

use crate::{
    list_history::history,
    running::{finish, running, start, start_service},
};

const PEOPLE: usize = 7;

#[rstest]
#[tokio::test]
async fn a_list_is_read_in_one_statement_a_table(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(mut service) = running(backend).await else { return };
    for _ in 0..PEOPLE {
        let (id, _) = service.started().await;
        service.finish(&id, None).await;
    }
    let statements = service.db.record_statements();
    let replica = start_service(&service.db);

    let query = "{ consultations { edges { node { id pendingPayment { consultation { id } } } } } }";
    let list = replica.client.call(query, json!({})).await;
    assert_eq!(list["consultations"]["edges"].as_array().map(Vec::len), Some(PEOPLE));
    // The relay of the replica sends statements too, but none that reads whole rows.
    let statements = statements.lock().expect("no panic").clone();
    let reads =
        |table: &str| statements.iter().filter(|sql| sql.starts_with(&format!("SELECT \"{table}\".\"id\""))).count();
    assert_eq!((reads("pending_payment"), reads("consultation")), (1, 2), "{statements:#?}");
    assert!(!statements.iter().any(|sql| sql.contains("COUNT")), "{statements:#?}");
}

#[rstest]
#[tokio::test]
async fn the_total_counts_all_pages_of_what_is_listed(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    for _ in 0..3 {
        service.started().await;
    }
    let (finished, _) = service.started().await;
    service.finish(&finished, None).await;
    let query = "query ($filter: ConsultationFilter, $after: String) {
        consultations(filter: $filter, first: 2, after: $after) { totalCount edges { cursor } }
        pendingPayments { totalCount } }";
    let total = async |variables: Value| service.client().call(query, variables).await;
    let all = total(json!({})).await;
    assert_eq!((&all["consultations"]["totalCount"], &all["pendingPayments"]["totalCount"]), (&json!(4), &json!(1)));
    let after = total(json!({ "after": all["consultations"]["edges"][1]["cursor"] })).await;
    assert_eq!(after["consultations"]["totalCount"], 4, "the cursor does not change what is listed");
}

#[rstest]
#[tokio::test]
async fn the_total_of_a_filtered_list_is_as_many_as_it_lists(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    for is_finished in [false, false, false, true, true] {
        let (id, _) = service.started().await;
        if is_finished {
            service.finish(&id, None).await;
        }
    }
    let (cancelled, _) = service.started().await;
    let cancel = "mutation ($id: ID!) { cancelConsultation(input: { consultationId: $id, reason: \"a mistake\" }) {
        consultation { id } } }";
    service.client().call(cancel, json!({ "id": cancelled })).await;
    let query = "query ($filter: ConsultationFilter, $pending: PendingPaymentFilter) {
        consultations(filter: $filter) { totalCount edges { node { patientId physicianId } } }
        pendingPayments(filter: $pending) { totalCount edges { cursor } } }";
    let listed = async |list: &str, variables: Value| {
        let list = service.client().call(query, variables.clone()).await[list].take();
        let length = list["edges"].as_array().expect("edges").len();
        assert_eq!(list["totalCount"], length, "{variables}");
        (length, list)
    };
    let consultations = async |filter: Value| listed("consultations", json!({ "filter": filter })).await;
    let (all, list) = consultations(json!({})).await;
    let mut counts = vec![all];
    for status in ["IN_PROGRESS", "FINISHED", "CANCELLED"] {
        counts.push(consultations(json!({ "status": status })).await.0);
    }
    assert_eq!(counts, [6, 3, 2, 1]);
    for name in ["patientId", "physicianId"] {
        let of = &list["edges"][4]["node"][name];
        assert_eq!(consultations(json!({ name: of })).await.0, 1);
        assert_eq!(consultations(json!({ name: of, "status": "FINISHED" })).await.0, 1);
        assert_eq!(consultations(json!({ name: of, "status": "IN_PROGRESS" })).await.0, 0);
        assert_eq!(consultations(json!({ name: of, "status": "CANCELLED" })).await.0, 0);
    }
    // Finance is away: no payment is finished, and each alternates between pending and processing.
    for (status, count) in [(Value::Null, 2), (json!("FINISHED"), 0), (json!("PARKED"), 0)] {
        assert_eq!(listed("pendingPayments", json!({ "pending": { "status": status } })).await.0, count);
    }
}

#[rstest]
#[tokio::test]
async fn totals_of_whole_lists_count_no_history(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(mut db) = history(backend, false).await else { return };
    let statements = db.record_statements();
    let service = start_service(&db);
    let query = "query ($status: ConsultationStatus) { consultations(filter: { status: $status }) { totalCount } }";
    for (status, total) in [(Value::Null, 2_400), (json!("FINISHED"), 1_500), (json!("CANCELLED"), 500)] {
        statements.lock().expect("no panic").clear();
        let list = service.client.call(query, json!({ "status": status })).await["consultations"].take();
        assert_eq!(list["totalCount"], total, "{status}");
        let statements = statements.lock().expect("no panic").clone();
        let counts: Vec<_> = statements.iter().filter(|sql| sql.contains("consultation_count")).collect();
        assert_eq!(counts.len(), 1, "{status}: {counts:?}");
        assert!(!counts[0].contains("IS NOT NULL"), "{status}: {counts:?}");
    }
}

#[rstest]
#[tokio::test]
async fn entities_of_a_gateway_are_read_in_one_statement(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(mut service) = running(backend).await else { return };
    let statements = service.db.record_statements();
    let replica = start_service(&service.db);
    let client = &replica.client;
    let mut ids = Vec::new();
    for _ in 0..PEOPLE {
        let started = start(client, uuid::Uuid::new_v4()).await;
        ids.push(started["consultation"]["id"].as_str().expect("an id").to_owned());
    }
    finish(client, &ids[0], None).await;
    statements.lock().expect("no panic").clear();

    let unknown = uuid::Uuid::new_v4().to_string();
    let representation = |id: &String| json!({ "__typename": "Consultation", "id": id });
    let representations: Vec<_> = ids.iter().chain([&unknown]).map(representation).collect();
    let query = "query ($representations: [_Any!]!) {
        _entities(representations: $representations) { ... on Consultation { id price } } }";
    let found = client.call(query, json!({ "representations": representations })).await["_entities"].take();

    let mut wanted: Vec<_> = ids.iter().map(|id| json!({ "id": id, "price": null })).collect();
    wanted[0]["price"] = "200.00".into();
    wanted.push(Value::Null);
    assert_eq!(found, Value::Array(wanted), "an unknown one costs the others nothing");
    let statements = statements.lock().expect("no panic").clone();
    let reads = statements.iter().filter(|sql| sql.starts_with("SELECT \"consultation\".\"id\"")).count();
    assert_eq!(reads, 1, "{statements:#?}");
}

#[tokio::test]
async fn a_cursor_of_another_list_is_refused() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let (id, _) = service.started().await;
    service.finish(&id, None).await;
    let query = "{ consultations { edges { cursor } } pendingPayments { edges { cursor } } }";
    let lists = service.client().call(query, json!({})).await;
    for (list, other) in [("consultations", "pendingPayments"), ("pendingPayments", "consultations")] {
        let after = format!("query ($after: String!) {{ {list}(after: $after) {{ totalCount }} }}");
        let cursor = |of: &str| json!({ "after": lists[of]["edges"][0]["cursor"] });
        assert_eq!(service.client().call(&after, cursor(list)).await[list]["totalCount"], 1);
        let (code, message) = service.client().error(&after, cursor(other)).await;
        assert_eq!(code, "BAD_USER_INPUT");
        assert!(message.starts_with(&format!("after: want a cursor of {list}")), "{message}");
    }
}
