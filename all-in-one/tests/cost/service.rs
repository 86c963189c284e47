//! A service whose every step runs in this thread, without its network.

mod subscribers;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Body, http::Request};
use consultation::config::{DomainSettings, FinanceTarget};
use entity::Money;
use migration::MigratorTrait;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use testkit::{Backend, TestDatabase};
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

const CURRENCY: &str = "BRL";

/// The cost of one request.
#[derive(Debug)]
pub(crate) struct Cost {
    /// Sent to the database, without BEGIN and COMMIT.
    pub(crate) statements: Vec<String>,
    /// Of this thread: on SQLite the database's own thread is not counted.
    pub(crate) allocations: u64,
}

pub(crate) struct Service {
    router: Router,
    statements: Arc<Mutex<Vec<String>>>,
    _database: TestDatabase,
    runtime: Runtime,
}

impl Service {
    /// Without its relay.
    pub(crate) fn consultation(backend: Backend) -> Option<Self> {
        let nobody = "http://127.0.0.1:9/graphql".parse().expect("a URL");
        let domain = DomainSettings {
            currency: CURRENCY.parse().expect("a currency"),
            price_per_hour: Money::try_from(Decimal::from(200)).expect("money"),
            time_zone: "America/Sao_Paulo".parse().expect("a time zone"),
            longest: Duration::from_hours(24),
            longest_backdate: Duration::from_hours(24),
            poll_interval: Duration::from_secs(1),
            retention: None,
        };
        Self::start::<migration::consultation::Migrator>(backend, |db, shutdown| {
            let finance = FinanceTarget::in_development(nobody);
            consultation::app::build(&db.server("consultation"), finance, &domain, &db.database, shutdown)
        })
    }

    pub(crate) fn finance(backend: Backend) -> Option<Self> {
        Self::start::<migration::finance::Migrator>(backend, |db, shutdown| {
            let currency = CURRENCY.parse().expect("a currency");
            finance::app::build(&db.server("finance"), currency, &db.database, shutdown)
        })
    }

    fn start<M: MigratorTrait>(
        backend: Backend,
        build: impl FnOnce(&TestDatabase, &CancellationToken) -> anyhow::Result<chassis::Service>,
    ) -> Option<Self> {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (router, statements, database) = runtime.block_on(async {
            let mut database = TestDatabase::empty(backend).await?;
            database.database.migrate::<M>().await.expect("migrated");
            let statements = database.record_statements();
            let service = build(&database, &CancellationToken::new()).expect("a service");
            // The statements and allocations of background tasks would count as the requests'.
            for (name, task) in service.tasks {
                if name.ends_with("writer") {
                    tokio::spawn(task);
                }
            }
            Some((service.router, statements, database))
        })?;
        Some(Self { router, statements, _database: database, runtime })
    }

    /// The bytes that are still taken after these requests.
    pub(crate) fn keeps(&mut self, queries: impl Iterator<Item = String>) -> i64 {
        let info = allocation_counter::measure(|| {
            for query in queries {
                let (_, answer) = self.cost(&query, &Value::Null);
                assert!(answer["errors"].is_null(), "{answer}");
            }
        });
        info.bytes_current
    }

    /// Answers one request.
    pub(crate) fn cost(&mut self, query: &str, variables: &Value) -> (Cost, Value) {
        let request = request(query, variables);
        self.statements.lock().expect("no panic").clear();
        let router = self.router.clone();
        let mut answer = None;
        let info = allocation_counter::measure(|| {
            answer = Some(self.runtime.block_on(async {
                let response = router.oneshot(request).await.expect("an answer");
                axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body")
            }));
        });
        let statements = std::mem::take(&mut *self.statements.lock().expect("no panic"));
        let answer = serde_json::from_slice(&answer.expect("measured")).expect("JSON");
        (Cost { statements, allocations: info.count_total }, answer)
    }
}

fn request(query: &str, variables: &Value) -> Request<Body> {
    Request::post("/graphql")
        .header("content-type", "application/json")
        .header("authorization", "Basic YWRtaW46dGVzdGUxMjM=")
        .body(Body::from(json!({ "query": query, "variables": variables }).to_string()))
        .expect("a request")
}
