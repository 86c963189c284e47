//! Permissions: each role at each field, through each door.

use std::collections::BTreeSet;

use axum::http::Method;
use consultation::permissions::PERMISSIONS;
use rstest::rstest;
use serde_json::json;
use testkit::{Answer, Backend, Doors, RoleUsers, SchemaNames};

use crate::running::{running, start_for};

const USERS: [&str; 6] = ["reader", "clinician", "finance", "operator", "service", "nobody"];
const ID: &str = "\"ea959b03-5577-45c9-b9f7-a45d3e77ce82\"";

/// Documents and the roles that may ask them. ID stands for an id.
const MATRIX: [(&str, &str); 34] = [
    ("{ consultation(id: ID) { id price } }", "reader clinician finance operator"),
    ("{ consultations { totalCount } }", "reader clinician finance operator"),
    ("{ node(id: ID) { id } }", "reader clinician finance operator"),
    ("{ nodes(ids: [ID]) { ... on Consultation { price } } }", "reader clinician finance operator"),
    ("{ node(id: ID) { ... on PendingPayment { tries } } }", "reader finance operator"),
    ("{ nodes(ids: [ID]) { ...F } } fragment F on PendingPayment { tries }", "reader finance operator"),
    (
        "{ _entities(representations: [{ __typename: \"Consultation\", id: ID }]) { __typename } }",
        "reader clinician finance operator",
    ),
    ("subscription { consultationChanged(id: ID) { status } }", "reader clinician finance operator"),
    // Permitted first, and then invalid: valid ones have no event before something changes.
    ("subscription { consultationsChanged { nothing } }", "reader clinician finance operator"),
    ("subscription { consultationsChanged(filter: { patientId: ID }) { nothing } }", "reader clinician"),
    ("subscription { consultationsChanged { nothing pendingPayment { status } } }", "reader finance operator"),
    ("subscription { pendingPaymentChanged { nothing } }", "reader finance operator"),
    ("{ pendingPayments { totalCount } }", "reader finance operator"),
    ("mutation { startConsultation(input: { physicianId: ID, patientId: ID }) { consultation { id } } }", "clinician"),
    ("mutation { finishConsultation(input: { consultationId: ID }) { consultation { id } } }", "clinician"),
    (
        "mutation { cancelConsultation(input: { consultationId: ID, reason: \"x\" }) { consultation { id } } }",
        "clinician",
    ),
    ("mutation { retryPendingPayment(input: { consultationId: ID }) { userErrors { __typename } } }", "operator"),
    (
        "mutation { settlePendingPayment(input: { consultationId: ID, reason: \"\" }) { userErrors { __typename } } }",
        "operator",
    ),
    ("{ consultations { edges { node { patientId } } } }", "reader clinician"),
    ("{ consultations(filter: { patientId: ID }) { totalCount } }", "reader clinician"),
    (
        "query ($f: ConsultationFilter = { patientId: ID }) { consultations(filter: $f) { totalCount } }",
        "reader clinician",
    ),
    ("{ node(id: ID) { ... on Consultation { patientId } } }", "reader clinician"),
    ("{ pendingPayments { edges { node { consultation { patientId } } } } }", "reader"),
    ("{ consultation(id: ID) { pendingPayment { status } } }", "reader finance operator"),
    ("mutation { retryPendingPayment(input: { consultationId: ID }) { pendingPayment { tries } } }", "operator"),
    ("{ consultations { edges { node { startedBy } } } }", "finance operator"),
    ("{ node(id: ID) { ... on Consultation { finishedBy } } }", "finance operator"),
    ("{ consultations { edges { node { cancelReason } } } }", "reader clinician"),
    ("{ consultation(id: ID) { cancelledBy } }", "finance operator"),
    ("{ pendingPayments { edges { node { retriedBy } } } }", "finance operator"),
    ("{ pendingPayments { edges { node { settlement { settledBy } } } } }", "finance operator"),
    ("{ pendingPayments { edges { node { settlement { settleReason } } } } }", "reader operator"),
    (
        "mutation { settlePendingPayment(input: { consultationId: ID, reason: \"\" }) {
            pendingPayment { settlement { settleReason settledBy } } } }",
        "operator",
    ),
    (
        "{ __typename __schema { queryType { name } } _service { sdl } }",
        "reader clinician finance operator service nobody",
    ),
];

/// The endpoints of the predecessor, and the role that may call them.
const REST: [(Method, &str, &str); 2] =
    [(Method::POST, "/app/consultation/start/", "clinician"), (Method::PUT, "/app/consultation/finish/", "clinician")];

#[rstest]
#[tokio::test]
async fn every_door_lets_through_what_a_role_may_and_nothing_else(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let users = RoleUsers::of(PERMISSIONS.roles);
    let service = start_for(&service.db, users.access());
    let mut surprises = Vec::new();
    for user in USERS {
        let mut doors = Doors::of(&service.client, user).await;
        for (document, roles) in MATRIX {
            let is_permitted = roles.split(' ').any(|role| role == user);
            for (door, is_refused) in doors.refusals(&document.replace("ID", ID)).await {
                if is_refused == is_permitted {
                    surprises.push(format!("{user} by {door}: {document}"));
                }
            }
        }
        for (method, path, role) in REST {
            let answer = Answer::of(service.client.as_user(user).request(method, path).body("{}")).await;
            let expected = if user == role { 400 } else { 403 };
            if answer.status != expected || !answer.body.is_string() {
                surprises.push(format!("{user} at {path}: {} {}", answer.status, answer.body));
            }
        }
        let page = Answer::of(service.client.as_user(user).request(Method::GET, "/graphiql")).await;
        assert_eq!(page.status, 200, "{user}");
    }
    assert!(surprises.is_empty(), "{surprises:#?}");
}

#[rstest]
#[tokio::test]
async fn who_may_not_know_patients_reads_consultations_without_them(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let (id, _) = service.started().await;
    let users = RoleUsers::of(PERMISSIONS.roles);
    let grouped = start_for(&service.db, users.access());
    let finance = grouped.client.as_user("finance");
    let read = finance.call("{ consultations { edges { node { id } } } }", json!({})).await;
    assert_eq!(read["consultations"]["edges"][0]["node"]["id"], id);
    let refused = finance.error("{ consultations { edges { node { id patientId } } } }", json!({})).await;
    let message = "patientId needs the role reader or clinician; the user \"finance\" has finance";
    assert_eq!(refused, ("FORBIDDEN".to_owned(), message.to_owned()));
    let rest = grouped.client.as_user("finance").request(Method::POST, "/app/consultation/start/");
    let refused = Answer::of(rest.header("accept-language", "pt-BR").body("{}")).await;
    assert_eq!(refused.body, "startConsultation exige o papel clinician; finance tem finance");
}

#[tokio::test]
async fn each_root_field_has_a_rule_and_each_rule_a_field() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let names = SchemaNames::of(service.client()).await;
    let ruled: BTreeSet<_> = PERMISSIONS.root_fields.iter().map(|rule| rule.name.to_owned()).collect();
    assert_eq!(names.root_fields, ruled);
    assert!(names.back.is_empty(), "their fields would not be checked: {:?}", names.back);
    for rule in PERMISSIONS.sensitive {
        assert!(names.others.contains(rule.name), "{}", rule.name);
    }
    for role in PERMISSIONS.root_fields.iter().chain(PERMISSIONS.sensitive).flat_map(|rule| rule.roles) {
        assert!(PERMISSIONS.roles.contains(role), "{role}");
    }
}
