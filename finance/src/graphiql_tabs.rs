//! The tabs of GraphiQL: recording a payment, listing payments, and following them.

use graphql_http::graphiql::Tab;

pub(crate) const TABS: &[Tab] = &[
    Tab { query: include_str!("../graphiql/record.graphql"), variables: include_str!("../graphiql/record.json") },
    Tab { query: include_str!("../graphiql/list.graphql"), variables: r#"{ "last": 10 }"# },
    Tab { query: include_str!("../graphiql/follow.graphql"), variables: "" },
];
