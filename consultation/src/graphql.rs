//! The GraphQL API. A clinic's software calls it.

mod lists;
mod loader;
mod mutation;
mod nodes;
mod query;
mod subscription;
mod types;

use std::sync::Arc;

use async_graphql::{Data, SDLExportOptions, Schema, SchemaBuilder};
use chassis::{changes::Changes, config::Api, database::Database};
use chrono_tz::Tz;
use entity::Currency;
use graphql_http::{Options, connection::Connection};

use crate::{outbox::Remedies, writers::Consultations};

/// Values of a response. A page of 100 consultations with all their fields fits; two such pages need two requests.
const MAX_COMPLEXITY: usize = 5_000;
/// The cost of a filtered total, which reads all rows that match: ten fit.
const FILTERED_TOTAL_COST: usize = 500;

/// The schema of the consultation service.
pub type ConsultationSchema = Schema<query::Query, mutation::Mutation, subscription::Subscription>;

/// Builds the schema with the data of its resolvers.
#[must_use]
pub fn schema(
    api: &Api,
    database: Database,
    consultations: Consultations,
    Remedies { redrive, settlements }: Remedies,
    changes: Changes,
    time_zone: Tz,
    currency: Currency,
) -> ConsultationSchema {
    let loader = loader::shared(database.clone());
    let builder = options(api).apply(builder()).data(database).data(loader).data(consultations);
    let builder = builder.data(redrive).data(settlements).data(changes);
    builder.data(time_zone).data(currency).finish()
}

/// Puts `late`, the database on its replica, into the data of a query. Resolvers find it there before the schema's.
pub(crate) fn on_replica(late: Database) -> impl Fn(&mut Data) {
    let loader = loader::shared(late.clone());
    move |data| {
        data.insert(late.clone());
        data.insert(Arc::clone(&loader));
    }
}

/// The schema as text, as committed in `schema.graphql`: that of an Apollo Federation 2 subgraph.
#[must_use]
pub fn sdl() -> String {
    let options = SDLExportOptions::new().include_specified_by().use_space_ident().federation();
    builder().finish().sdl_with_options(options)
}

/// The options of the API under the service's settings.
#[must_use]
pub fn options(api: &Api) -> Options {
    Options {
        introspection: api.introspection,
        max_complexity: MAX_COMPLEXITY,
        filtered_total_cost: FILTERED_TOTAL_COST,
    }
}

fn builder() -> SchemaBuilder<query::Query, mutation::Mutation, subscription::Subscription> {
    Schema::build(query::Query, mutation::Mutation, subscription::Subscription)
        .enable_subscription_in_federation()
        .register_output_type::<types::UserError>()
        .override_output_type_description::<Connection<types::Consultation>>("A page of consultations.")
        .override_output_type_description::<Connection<types::PendingPayment>>("A page of pending payments.")
}
