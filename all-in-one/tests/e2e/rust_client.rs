//! A Rust client whose types graphql_client generates from the schemas for clients.

use graphql_client::{GraphQLQuery, Response};
use reqwest::Method;
use rstest::rstest;
use testkit::{Backend, GraphqlClient};
use uuid::Uuid;

use crate::{cluster::Cluster, delivery::all_arrive};

// Scalars, under the names that `normalization = "rust"` gives them.
type DateTime = String;
type Decimal = String;

/// Operations of a service, each with a module of its variables and its data.
macro_rules! operations {
    ($schema:literal, $documents:literal: $($operation:ident),+) => {$(
        #[derive(GraphQLQuery)]
        #[graphql(
            schema_path = $schema,
            query_path = $documents,
            normalization = "rust",
            variables_derives = "Clone",
            response_derives = "Debug, PartialEq"
        )]
        struct $operation;
    )+};
}

operations!("../consultation/client.graphql", "tests/e2e/rust_client/consultation.graphql": Start, Finish, List);
operations!("../finance/client.graphql", "tests/e2e/rust_client/finance.graphql": PaymentOf);

/// Sends an operation and returns its data.
async fn ask<Q: GraphQLQuery>(service: &GraphqlClient, variables: Q::Variables) -> Q::ResponseData {
    let body = serde_json::to_string(&Q::build_query(variables)).expect("JSON");
    let request = service.request(Method::POST, "/graphql").header("content-type", "application/json").body(body);
    let body = request.send().await.expect("an answer").bytes().await.expect("a body");
    let response: Response<Q::ResponseData> = serde_json::from_slice(&body).expect("an answer of the generated types");
    assert!(response.errors.is_none(), "{:?}", response.errors);
    response.data.expect("data")
}

#[rstest]
#[tokio::test]
async fn a_client_generated_from_the_client_schemas_finishes_a_consultation(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(cluster) = Cluster::start(backend).await else { return };
    let service = &cluster.consultation.client;
    let patient_id = Uuid::new_v4();

    let input = start::StartConsultationInput { physician_id: Uuid::new_v4(), patient_id };
    let variables = start::Variables { input };
    let started = ask::<Start>(service, variables.clone()).await.start_consultation.expect("a payload");
    let id = started.consultation.expect("a consultation").id;
    let again = ask::<Start>(service, variables).await.start_consultation.expect("a payload");
    let [start::StartStartConsultationUserErrors::PatientInConsultation(refusal)] = &again.user_errors[..] else {
        panic!("{again:?}")
    };
    assert_eq!((refusal.code.as_str(), &refusal.consultation.id), ("PATIENT_IN_CONSULTATION", &id));

    let input = finish::FinishConsultationInput { consultation_id: id.clone(), end_date: None };
    let finished = ask::<Finish>(service, finish::Variables { input }).await.finish_consultation.expect("a payload");
    let finished = finished.consultation.expect("a consultation");
    assert_eq!((finished.status, finished.price), (finish::ConsultationStatus::Finished, Some("200.00".to_owned())));
    let listed = ask::<List>(service, list::Variables { patient_id }).await.consultations.edges;
    assert_eq!(listed.iter().map(|edge| &edge.node.id).collect::<Vec<_>>(), [&id]);

    all_arrive(&cluster, 1).await;
    let variables = payment_of::Variables { appointment_id: id.parse().expect("a UUID") };
    let paid = ask::<PaymentOf>(cluster.finance_client(), variables).await.payments.edges;
    assert_eq!(paid.iter().map(|edge| edge.node.total_price.as_str()).collect::<Vec<_>>(), ["200.00"]);
}
