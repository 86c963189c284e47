//! The tabs of GraphiQL: a consultation from start to payment.

use graphql_http::graphiql::Tab;

pub(crate) const TABS: &[Tab] = &[
    Tab { query: include_str!("../graphiql/start.graphql"), variables: include_str!("../graphiql/start.json") },
    Tab { query: include_str!("../graphiql/finish.graphql"), variables: include_str!("../graphiql/finish.json") },
    Tab { query: include_str!("../graphiql/list.graphql"), variables: r#"{ "first": 10 }"# },
    Tab { query: include_str!("../graphiql/follow.graphql"), variables: r#"{ "id": "PUT THE ID HERE" }"# },
];
