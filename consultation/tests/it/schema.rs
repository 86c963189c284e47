//! The published schema.

#[test]
fn the_committed_schema_is_the_served_one() {
    let refresh = "refresh it: cargo run -p consultation -- schema > consultation/schema.graphql";
    assert!(include_str!("../../schema.graphql") == consultation::graphql::sdl(), "{refresh}");
}

#[test]
fn the_committed_client_schema_is_the_served_one_without_federation() {
    let refresh = "refresh it: cargo run -p consultation -- schema --client > consultation/client.graphql";
    assert!(
        include_str!("../../client.graphql") == graphql_http::client_sdl(&consultation::graphql::sdl()),
        "{refresh}"
    );
}
