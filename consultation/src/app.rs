//! Puts the service together.

use chassis::{Service, api, config::Server, database::Database, graphiql, server::Task};
use futures_util::FutureExt;
use migration::consultation::Migrator;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{DomainSettings, Finance},
    consultation::Consultations,
    finance::FinanceClient,
    graphql,
    outbox::{Policy, Relay, Retention, WakeUp},
};

/// What GraphiQL shows first.
const FIRST_QUERY: &str = "# 1. Start a consultation. 2. Put its id below and finish it.
# 3. See its price, and its payment on the way to finance.
mutation Start {
  startConsultation(input: {
    physicianId: \"ea959b03-5577-45c9-b9f7-a45d3e77ce82\"
    patientId: \"86158d46-ce33-4e3d-a822-462bbff5782f\"
  }) {
    consultation { id status startDate }
    userErrors { ... on UserError { code message field } }
  }
}

mutation Finish {
  finishConsultation(input: { consultationId: \"PUT THE ID HERE\" }) {
    consultation { id price endDate }
    userErrors { ... on UserError { code message field } }
  }
}

query Consultations {
  consultations(last: 10) {
    edges { node { id status price pendingPayment { status tries lastError } } }
  }
}
";

/// Builds the service; it starts with [`chassis::server::start`].
///
/// # Errors
/// When the users cannot be read.
pub fn build(
    server: &Server,
    finance: Finance,
    domain: &DomainSettings,
    database: &Database,
    shutdown: &CancellationToken,
) -> anyhow::Result<Service> {
    let policy = Policy::new(domain.poll_interval);
    let wake_up = WakeUp::default();
    let client = FinanceClient::new(finance, policy.request_limit)?;
    let relay = Relay::new(database.clone(), client, policy, wake_up.clone());
    let (consultations, writers) = Consultations::new(database, domain.price_per_hour, wake_up.clone());

    let schema = graphql::schema(&server.api, database.clone(), consultations, wake_up.clone(), domain.time_zone);
    let page = graphiql::Page { title: "consultation", default_query: FIRST_QUERY };
    let router = api::router::<Migrator>(
        server,
        database,
        shutdown,
        (schema, graphql::sdl()),
        page,
        Some(relay.heartbeat.clone()),
    )?;

    let relaying: Task = ("outbox relay", relay.run(shutdown.clone()).map(Ok).boxed());
    let hints = wake_up.across_replicas(database.clone(), shutdown.clone());
    let hinting: Task = ("hints across replicas", hints.map(Ok).boxed());
    let writing = writers.into_iter().map(|writer| -> Task { ("consultation writer", writer.map(Ok).boxed()) });
    let deleting = domain.retention.map(|keep| -> Task {
        let retention = Retention { database: database.clone(), keep };
        ("outbox retention", retention.run(shutdown.clone()).map(Ok).boxed())
    });
    Ok(Service { router, tasks: writing.chain([relaying, hinting]).chain(deleting).collect() })
}
