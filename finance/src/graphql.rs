//! The API: what clients and the consultation service's relay call.

mod mutation;
mod query;
mod types;

use async_graphql::{EmptySubscription, SDLExportOptions, Schema};
use chassis::{config::Api, database::Database, graphql::limits, write_coalescer::WriteCoalescer};

use crate::payment::RecordWriter;

/// The schema of the finance service.
pub type FinanceSchema = Schema<query::Query, mutation::Mutation, EmptySubscription>;

/// Builds the schema on what its resolvers need.
#[must_use]
pub fn schema(api: &Api, database: Database, writer: WriteCoalescer<RecordWriter>) -> FinanceSchema {
    limits::bound(builder(), api).data(database).data(writer).finish()
}

/// The schema as text, as committed in `schema.graphql`.
#[must_use]
pub fn sdl() -> String {
    builder().finish().sdl_with_options(SDLExportOptions::new().include_specified_by().use_space_ident())
}

fn builder() -> async_graphql::SchemaBuilder<query::Query, mutation::Mutation, EmptySubscription> {
    Schema::build(query::Query, mutation::Mutation, EmptySubscription).register_output_type::<types::UserError>()
}
