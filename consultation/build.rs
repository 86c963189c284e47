//! Registers finance's schema, against which the client in `src/finance_client.rs` is checked.

fn main() {
    cynic_codegen::register_schema("finance")
        .from_sdl_file("../finance/schema.graphql")
        .and_then(cynic_codegen::registration::SchemaRegistration::as_default)
        .expect("finance/schema.graphql is a GraphQL schema");
}
