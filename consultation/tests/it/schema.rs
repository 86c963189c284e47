//! The published schema.

#[test]
fn the_committed_schema_is_the_served_one() {
    let refresh = "refresh it: cargo run -p consultation -- schema > consultation/schema.graphql";
    assert!(include_str!("../../schema.graphql") == consultation::graphql::sdl(), "{refresh}");
}
