//! The API: what a clinic's software calls.

mod loader;
mod mutation;
mod query;
mod types;

use async_graphql::{
    EmptySubscription, SDLExportOptions, Schema, SchemaBuilder,
    dataloader::DataLoader,
    runtime::{TokioSpawner, TokioTimer},
};
use chassis::{config::Api, database::Database, graphql::limits};
use chrono_tz::Tz;

use crate::{consultation::Consultations, outbox::WakeUp};
use loader::Loader;

/// The schema of the consultation service.
pub type ConsultationSchema = Schema<query::Query, mutation::Mutation, EmptySubscription>;

/// Builds the schema on what its resolvers need.
#[must_use]
pub fn schema(
    api: &Api,
    database: Database,
    consultations: Consultations,
    wake_up: WakeUp,
    time_zone: Tz,
) -> ConsultationSchema {
    let loader = DataLoader::new(Loader { database: database.clone() }, TokioSpawner::current(), TokioTimer::default());
    limits::bound(builder(), api).data(database).data(consultations).data(wake_up).data(time_zone).data(loader).finish()
}

/// The schema as text, as committed in `schema.graphql`.
#[must_use]
pub fn sdl() -> String {
    builder().finish().sdl_with_options(SDLExportOptions::new().include_specified_by().use_space_ident())
}

fn builder() -> SchemaBuilder<query::Query, mutation::Mutation, EmptySubscription> {
    Schema::build(query::Query, mutation::Mutation, EmptySubscription).register_output_type::<types::UserError>()
}
