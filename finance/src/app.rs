//! Puts the service together.

use chassis::{Service, api, config::Server, database::Database, graphiql, write_coalescer::WriteCoalescer};
use futures_util::FutureExt;
use migration::finance::Migrator;
use tokio_util::sync::CancellationToken;

use crate::{graphql, payment::RecordWriter};

/// What GraphiQL shows first.
const FIRST_QUERY: &str = "# Record a payment, then look at it. Safe to repeat.
mutation RecordPayment {
  recordPayment(input: {
    appointmentId: \"a63e3a29-3bd1-4a9f-a8f5-6a1c6f6cd9c7\"
    totalPrice: \"216.00\"
  }) {
    payment { id totalPrice recordedAt }
    alreadyRecorded
    userErrors { ... on UserError { code message field } }
  }
}

query Payments {
  payments(last: 10) {
    edges { node { id appointmentId totalPrice recordedAt } }
  }
}
";

/// Builds the service; it starts with [`chassis::server::start`].
///
/// # Errors
/// When the users cannot be read.
pub fn build(server: &Server, database: &Database, shutdown: &CancellationToken) -> anyhow::Result<Service> {
    let (writer, writing) = WriteCoalescer::new(RecordWriter { database: database.clone() });
    let schema = graphql::schema(&server.api, database.clone(), writer);
    let page = graphiql::Page { title: "finance", default_query: FIRST_QUERY };
    let router = api::router::<Migrator>(server, database, shutdown, (schema, graphql::sdl()), page, None)?;
    Ok(Service { router, tasks: vec![("payment writer", writing.map(Ok).boxed())] })
}
