//! A running consultation service on a database of the test's own. Its finance is down.

use std::time::Duration;

use chassis::config::{Access, Api, Server};
use consultation::{
    app,
    config::{DomainSettings, FinanceTarget},
};
use entity::{Money, pending_payment};
use migration::consultation::Migrator;
use rust_decimal::Decimal;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use testkit::{Backend, GraphqlClient, TestDatabase, TestService};
use uuid::Uuid;

pub(crate) const START: &str = "mutation ($physician: UUID!, $patient: UUID!) {
    startConsultation(input: { physicianId: $physician, patientId: $patient }) {
        consultation { id physicianId patientId status startDate endDate price pendingPayment { status } }
        userErrors { __typename ... on UserError { code message field }
            ... on PatientInConsultation { consultation { id } } } } }";
pub(crate) const FINISH: &str = "mutation ($id: ID!, $end: DateTime) {
    finishConsultation(input: { consultationId: $id, endDate: $end }) {
        consultation { id status startDate endDate price pendingPayment { status totalPrice tries } }
        userErrors { __typename ... on UserError { code message field }
            ... on ConsultationAlreadyFinished { consultation { id price } } } } }";

/// The default.
pub(crate) const LONGEST: Duration = Duration::from_hours(24);
pub(crate) const NOBODY: &str = "http://127.0.0.1:9/graphql?key=s3cret";
const FOR_EVER: Duration = Duration::from_hours(24 * 366 * 10_000);

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

/// As [`running`], with consultations that may last for ever: dates in tests are fixed, starts are not.
pub(crate) async fn running_without_longest(backend: Backend) -> Option<Running> {
    let db = TestDatabase::empty(backend).await?;
    db.database.migrate::<Migrator>().await.expect("migrated");
    let service = start_with(&db, Api::default(), &DomainSettings { longest: FOR_EVER, ..domain() });
    Some(Running { db, service })
}

/// Starts a replica on the database.
pub(crate) fn start_service(db: &TestDatabase) -> TestService {
    start_under(db, Api::default())
}

/// Starts a replica on the database with these limits of the API.
pub(crate) fn start_under(db: &TestDatabase, rules: Api) -> TestService {
    start_with(db, rules, &domain())
}

/// Starts a replica on the database for these users.
pub(crate) fn start_for(db: &TestDatabase, access: Access) -> TestService {
    start_server(db, &Server { access, ..db.server("consultation") }, &domain(), NOBODY)
}

/// Starts a replica on the database for these users, which calls finance at this URL.
pub(crate) fn start_calling(db: &TestDatabase, access: Access, finance: &str) -> TestService {
    start_server(db, &Server { access, ..db.server("consultation") }, &domain(), finance)
}

/// Starts a replica on the database with these settings.
pub(crate) fn start_with(db: &TestDatabase, rules: Api, domain: &DomainSettings) -> TestService {
    start_server(db, &Server { api: rules, ..db.server("consultation") }, domain, NOBODY)
}

pub(crate) fn start_server(db: &TestDatabase, server: &Server, domain: &DomainSettings, finance: &str) -> TestService {
    let finance = FinanceTarget::in_development(finance.parse().expect("a URL"));
    TestService::start(|shutdown| app::build(server, finance, domain, &db.database, shutdown).expect("a service"))
}

pub(crate) fn domain() -> DomainSettings {
    DomainSettings {
        currency: "BRL".parse().expect("a currency"),
        price_per_hour: Money::try_from(Decimal::from(200)).expect("money"),
        time_zone: "America/Sao_Paulo".parse().expect("a time zone"),
        longest: LONGEST,
        longest_backdate: LONGEST,
        poll_interval: Duration::from_mins(1),
        retention: None,
    }
}

impl Running {
    pub(crate) fn client(&self) -> &GraphqlClient {
        &self.service.client
    }

    pub(crate) async fn start(&self, patient: Uuid) -> Value {
        start(self.client(), patient).await
    }

    /// Starts a consultation of a new patient. Returns its id and start.
    pub(crate) async fn started(&self) -> (String, String) {
        let started = self.start(Uuid::new_v4()).await;
        let text = |field: &str| started["consultation"][field].as_str().expect("started").to_owned();
        (text("id"), text("startDate"))
    }

    pub(crate) async fn finish(&self, id: &str, end: Option<&str>) -> Value {
        finish(self.client(), id, end).await
    }

    pub(crate) async fn pending_payments(&self) -> Vec<pending_payment::Model> {
        pending_payment::Entity::find().all(&self.db.database.read).await.expect("rows")
    }
}

pub(crate) async fn start(client: &GraphqlClient, patient: Uuid) -> Value {
    let people = json!({ "physician": Uuid::new_v4(), "patient": patient });
    client.call(START, people).await["startConsultation"].take()
}

pub(crate) async fn finish(client: &GraphqlClient, id: &str, end: Option<&str>) -> Value {
    client.call(FINISH, json!({ "id": id, "end": end })).await["finishConsultation"].take()
}

/// The code of the refusal, which must be the only one.
pub(crate) fn refusal(payload: &Value) -> &str {
    assert_eq!(payload["userErrors"].as_array().map(Vec::len), Some(1), "{payload}");
    assert!(payload["consultation"].is_null(), "{payload}");
    payload["userErrors"][0]["code"].as_str().expect("a code")
}
