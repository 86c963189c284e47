//! Permissions: each role at each field, through each door.

use std::collections::BTreeSet;

use axum::http::Method;
use finance::permissions::PERMISSIONS;
use rstest::rstest;
use serde_json::json;
use testkit::{Answer, Backend, Doors, RoleUsers, SchemaNames};

use crate::running::{running, start_for};

const USERS: [&str; 6] = ["reader", "clinician", "finance", "operator", "service", "nobody"];
const ID: &str = "\"ea959b03-5577-45c9-b9f7-a45d3e77ce82\"";

/// Documents and the roles that may ask them. ID stands for an id.
const MATRIX: [(&str, &str); 15] = [
    ("{ payment(id: ID) { id } }", "reader finance operator service"),
    ("{ payments { totalCount } }", "reader finance operator service"),
    ("{ payments { edges { node { consultation { id payment { id } } } } } }", "reader finance operator service"),
    ("{ payment(appointmentId: ID) { id } }", "reader finance operator service"),
    ("{ node(id: ID) { id } }", "reader finance operator service"),
    ("{ nodes(ids: [ID]) { id } }", "reader finance operator service"),
    ("{ payments { edges { node { recordedBy } } } }", "finance operator"),
    (
        "mutation { recordPayment(input: { appointmentId: ID, totalPrice: \"1.00\" }) { payment { recordedBy } } }",
        "finance",
    ),
    (
        "{ _entities(representations: [{ __typename: \"Consultation\", id: ID }]) { __typename } }",
        "reader finance operator service",
    ),
    // It is permitted first, and then invalid: a valid one has no event before somebody pays.
    ("subscription { paymentRecorded { nothing } }", "reader finance operator service"),
    ("{ instanceId }", "operator service"),
    (
        "mutation { recordPayment(input: { appointmentId: ID, totalPrice: \"1.00\" }) { alreadyRecorded } }",
        "finance service",
    ),
    ("mutation { recordPayments(input: { payments: [] }) { userErrors { __typename } } }", "service"),
    (
        "mutation { recordPayment(input: { appointmentId: ID, totalPrice: \"1.00\" }) { alreadyRecorded }
        recordPayments(input: { payments: [] }) { userErrors { __typename } } }",
        "service",
    ),
    (
        "{ __typename __schema { queryType { name } } _service { sdl } }",
        "reader clinician finance operator service nobody",
    ),
];

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
        let client = service.client.as_user(user);
        let rest = Answer::of(client.request(Method::POST, "/app/finance/record/").body("{}")).await;
        let expected = if ["finance", "service"].contains(&user) { 400 } else { 403 };
        if rest.status != expected || !rest.body.is_string() {
            surprises.push(format!("{user} by REST: {} {}", rest.status, rest.body));
        }
        assert_eq!(Answer::of(client.request(Method::GET, "/graphiql")).await.status, 200, "{user}");
    }
    assert!(surprises.is_empty(), "{surprises:#?}");
}

#[rstest]
#[tokio::test]
async fn who_may_record_one_payment_may_not_record_many(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let users = RoleUsers::of(PERMISSIONS.roles);
    let grouped = start_for(&service.db, users.access());
    let finance = grouped.client.as_user("finance");
    let one = "recordPayment(input: { appointmentId: ID, totalPrice: \"1.00\" }) { alreadyRecorded }".replace("ID", ID);
    let both =
        format!("mutation {{ {one} recordPayments(input: {{ payments: [] }}) {{ userErrors {{ __typename }} }} }}");
    let refused = finance.error(&both, json!({})).await;
    let message = "recordPayments needs the role service; the user \"finance\" has finance";
    assert_eq!(refused, ("FORBIDDEN".to_owned(), message.to_owned()));
    assert_eq!(service.stored().await.len(), 0);
    let recorded = finance.call(&format!("mutation {{ {one} }}"), json!({})).await;
    assert_eq!(recorded["recordPayment"]["alreadyRecorded"], false);
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
