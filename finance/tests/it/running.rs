//! A running finance service on a database of the test's own.

use chassis::config::{Access, Api, Server};
use entity::payment;
use finance::app;
use migration::finance::Migrator;
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::{Value, json};
use testkit::{Backend, GraphqlClient, TestDatabase, TestService};
use uuid::Uuid;

pub(crate) const RECORD: &str = "mutation ($input: RecordPaymentInput!) {
    recordPayment(input: $input) {
        payment { id appointmentId totalPrice recordedAt } alreadyRecorded
        userErrors { __typename ... on UserError { code message field }
            ... on PaymentConflict { payment { id appointmentId totalPrice recordedAt } } } } }";

pub(crate) struct Running {
    pub(crate) db: TestDatabase,
    service: TestService,
}

/// Starts the service. `None` where PostgreSQL is missing.
pub(crate) async fn running(backend: Backend) -> Option<Running> {
    let db = TestDatabase::empty(backend).await?;
    db.database.migrate::<Migrator>().await.expect("migrated");
    let service = start_service(&db);
    Some(Running { db, service })
}

/// Starts a replica on the database.
pub(crate) fn start_service(db: &TestDatabase) -> TestService {
    start_under(db, Api::default())
}

/// Starts a replica on the database with these limits of the API.
pub(crate) fn start_under(db: &TestDatabase, rules: Api) -> TestService {
    start_server(db, &Server { api: rules, ..db.server("finance") })
}

/// Starts a replica on the database for these users.
pub(crate) fn start_for(db: &TestDatabase, access: Access) -> TestService {
    start_server(db, &Server { access, ..db.server("finance") })
}

pub(crate) fn start_server(db: &TestDatabase, server: &Server) -> TestService {
    let currency = "BRL".parse().expect("a currency");
    TestService::start(|shutdown| app::build(server, currency, &db.database, shutdown).expect("a service"))
}

impl Running {
    pub(crate) fn client(&self) -> &GraphqlClient {
        &self.service.client
    }

    pub(crate) async fn record(&self, appointment: Uuid, total_price: &str) -> Value {
        record(self.client(), appointment, total_price).await
    }

    /// Stored payments in the order of recording.
    pub(crate) async fn stored(&self) -> Vec<payment::Model> {
        let all = payment::Entity::find().order_by_asc(payment::Column::Id);
        all.all(&self.db.database.read).await.expect("rows")
    }
}

pub(crate) async fn record(client: &GraphqlClient, appointment: Uuid, total_price: &str) -> Value {
    client.call(RECORD, json!({ "input": input(appointment, total_price) })).await["recordPayment"].take()
}

pub(crate) fn input(appointment: Uuid, total_price: &str) -> Value {
    json!({ "appointmentId": appointment, "totalPrice": total_price })
}

/// The only refusal. There must be no payment.
pub(crate) fn refusal(payload: &Value) -> &Value {
    assert_eq!(payload["userErrors"].as_array().map(Vec::len), Some(1), "{payload}");
    assert!(payload["payment"].is_null() && payload["alreadyRecorded"] == false, "{payload}");
    &payload["userErrors"][0]
}

/// Whether the payment was recorded just now.
pub(crate) fn is_new(payload: &Value) -> bool {
    !payload["payment"].is_null() && payload["alreadyRecorded"] == false && payload["userErrors"] == json!([])
}

/// Whether the payment had been recorded before.
pub(crate) fn is_already_recorded(payload: &Value) -> bool {
    !payload["payment"].is_null() && payload["alreadyRecorded"] == true && payload["userErrors"] == json!([])
}
